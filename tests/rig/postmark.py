"""A fake of Postmark's interface for sending (https://postmarkapp.com/developer/api/email-api), with its refusals: an
inactive recipient is answered with 422 and ErrorCode 406, a wrong token with 401, too much with 429."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "11111111-2222-3333-4444-555555555555"


@dataclass
class Postmark:
    """What it got, and how it answers the next one: an HTTP status, or ``drop`` to say nothing."""

    url: str = ""
    got: list[dict[str, Any]] = field(default_factory=list)
    answer: int | str = 200


@contextmanager
def postmark() -> Iterator[Postmark]:
    """Context manager: the service, on a port of this machine."""
    service = Postmark()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if service.answer == "drop":
                self.close_connection = True
                return
            status = int(service.answer)
            if self.headers["X-Postmark-Server-Token"] != TOKEN:
                status = 401
            body: dict[str, Any] = {"ErrorCode": 10, "Message": "not accepted"}
            if status == 200:
                service.got.append(mail)
                body = {"ErrorCode": 0, "Message": "OK", "MessageID": "one", "To": mail["To"]}
            elif status == 422:
                text = (
                    "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: "
                    f"{mail['To']}. Inactive recipients are ones that have generated a hard bounce."
                )
                body = {"ErrorCode": 406, "Message": text}
            answer = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_address[1]}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield service
        finally:
            server.shutdown()
