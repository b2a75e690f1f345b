"""A vendor on localhost who breaks the promise of systems that are asked in known ways.

`FakeVendor` speaks the protocol of ``docs/reference/asked-systems.md`` in code of its own, as a stranger would who has
read that page.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from troth.testing.external_systems import CHLOE, CITE, PEOPLE, REASON, SECRET, UNTIL


class Trap(enum.Enum):
    """What may be wrong with a vendor."""

    FORGETS = "says accepted and never does it"
    LIES = "says done, verifies itself, and has done nothing"
    BUSY = "429 with Retry-After"
    UNAVAILABLE = "503 with Retry-After"
    FAILS_ONCE = "500 once, then ok"
    FAILS = "500 always"
    LOST_ANSWER = "does it, and the connection is cut before the answer; then ok"
    ANSWERS_TWICE = "two answers on one connection"
    SLOW = "answers after its time"
    DRIPS = "answers byte by byte"
    UNSIGNED = "an answer without a signature"
    WRONG_SIGNATURE = "an answer signed with another secret"
    OLD_TIMESTAMP = "an answer signed an hour ago"
    REPLAYS = "the signed answer to an earlier message"
    OTHER_ASK = "an answer about another ask"
    REDIRECTS = "307 to another address"
    HUGE = "a body without an end"
    COMPRESSED = "a small body that becomes large"
    NONSENSE = "a signed body that is no answer"
    UNASKED_ROWS = "a signed erasure with rows of somebody"
    DEAF = "takes no connection"


class FakeVendor:
    """A help desk on localhost, for as long as the ``with`` block lasts, which falls into one `Trap` at a time.

    *received* has every body that came, by action.
    """

    def __init__(self, secret: str = SECRET, *, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._key = secret.encode()
        self._lock = threading.RLock()
        self.trap: Trap | None = None
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.tables = {
            "contact": [{"email": email, "name": it["name"]} for email, it in PEOPLE.items()],
            "ticket": [{"email": email, "subject": text} for email, it in PEOPLE.items() for text in it["tickets"]],
            "invoice": [{"email": email} for email, it in PEOPLE.items() for _ in range(it["invoices"])],
        }
        self.restricted: set[str] = set()
        self.times = 0
        self.is_broken = False
        self._asks: dict[str, tuple[Any, dict[str, Any]]] = {}
        self._pending: dict[str, tuple[int, Callable[[], dict[str, Any]]]] = {}
        self._nonces: set[str] = set()
        self._fallen = 0
        self._earlier: tuple[bytes, str] | None = None
        self.release = threading.Event()

    def __enter__(self) -> FakeVendor:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body go apart, and would wait for one another

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                vendor._serve(self, body)

            def log_message(self, *_: object) -> None:
                """Nothing: what is asked is about people."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A connection that the other side closed is what some traps are for."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Its address; one where nothing listens while it is `Trap.DEAF`."""
        if self.trap is Trap.DEAF:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                return f"http://127.0.0.1:{free.getsockname()[1]}/privacy"
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._server.server_port}/privacy"

    # --- the protocol

    def _serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        action = handler.path.rpartition("/")[2]
        asked_at, nonce, digest = self._marked(handler.headers.get("Troth-Signature", ""))
        parts = ("troth-ask-v1", "POST", handler.path, asked_at, nonce, hashlib.sha256(body).hexdigest())
        with self._lock:
            sound = hmac.compare_digest(self._signed(*parts), digest) and abs(time.time() - int(asked_at)) <= 300
            if not sound or nonce in self._nonces:
                return self._send(handler, 401, b'{"v": 1, "error": "signature_wrong"}')
            self._nonces.add(nonce)
            said = json.loads(body)
            self.received.append((action, said))
            status, answer = 200, {"v": 1, **({"id": said["id"]} if "id" in said else {})}
            fall = _BEFORE.get(self.trap) if self.trap else None
            if fall is not None and fall(self, handler):
                return None
            try:
                answer |= getattr(self, f"_{action}")(said)
            except ValueError as code:
                status, answer = int(str(code)[:3]), {"v": 1, "error": str(code)[4:]}
        if answer.get("state") in ("accepted", "working"):
            status = 202
        return self._reply(handler, status, answer, nonce)

    def _reply(self, handler: BaseHTTPRequestHandler, status: int, answer: dict[str, Any], nonce: str) -> None:
        trap, now, key = self.trap, int(time.time()), self._key
        if trap is Trap.OTHER_ASK:
            answer["id"] = "case-of-somebody-else"
        if trap is Trap.UNASKED_ROWS:
            answer["rows"] = {"contact": {"columns": ["name"], "rows": [["Ben"]]}}
        said = b'{"v": 1, "state": "splendid"}' if trap is Trap.NONSENSE else json.dumps(answer).encode()
        if trap is Trap.OLD_TIMESTAMP:
            now -= 3600
        if trap is Trap.WRONG_SIGNATURE:
            key = b"somebody else's secret, as long as ours"
        parts = ("troth-answer-v1", str(status), str(now), nonce, hashlib.sha256(said).hexdigest())
        signature = f"v1 t={now} n={nonce} s={hmac.new(key, chr(10).join(parts).encode(), hashlib.sha256).hexdigest()}"
        if trap is Trap.REPLAYS and self._earlier:
            said, signature = self._earlier
        self._earlier = self._earlier or (said, signature)
        headers = {} if trap is Trap.UNSIGNED else {"Troth-Signature": signature}
        if trap is Trap.LOST_ANSWER and self._falls_once():
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(handler, status, said, headers)
        if trap is Trap.ANSWERS_TWICE:
            self._send(handler, status, said, headers)

    def _send(
        self, handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if self.trap is Trap.DRIPS:
            for at in range(len(body)):
                handler.wfile.write(body[at : at + 1])
                if self.release.wait(0.3):
                    break
        else:
            handler.wfile.write(body)

    def _signed(self, *parts: str) -> str:
        return hmac.new(self._key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()

    def _marked(self, header: str) -> tuple[str, str, str]:
        given = dict(part.partition("=")[::2] for part in header.split()[1:])
        return given.get("t", "0"), given.get("n", ""), given.get("s", "")

    def _falls_once(self) -> bool:
        self._fallen += 1
        return self._fallen == 1

    # --- the desk

    def _offer(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"rights": ["view", "port", "amend", "erase", "restrict", "unrestrict"]}

    def _ask(self, said: dict[str, Any]) -> dict[str, Any]:
        if self.is_broken:
            raise ValueError("500 row_of_ann_at_example_org")
        if said["right"] not in self._offer({})["rights"]:
            return {"state": "refused", "detail": "right_not_answered"}
        email = dict(said["identifiers"]).get("email", "")
        if said["right"] in ("view", "port"):
            return self._shown(email)
        about = (said["right"], said["identifiers"], said.get("changes"))
        if said["id"] in self._asks:
            if self._asks[said["id"]][0] != about:
                raise ValueError("409 id_of_another_ask")
            return self._asks[said["id"]][1]
        answer: dict[str, Any] = {"state": "accepted", "retry_after_s": 1}
        if self.trap is Trap.LIES:
            answer = {"state": "done", "counts": {"erased": 3}}
        elif self.trap is not Trap.FORGETS and email != CHLOE:
            answer = self._done(said, email)
        elif self.trap is not Trap.FORGETS:
            self._pending[said["id"]] = (2, lambda: self._done(said, email))
        self._asks[said["id"]] = (about, answer)
        return answer

    def _poll(self, said: dict[str, Any]) -> dict[str, Any]:
        if said["id"] not in self._asks:
            return {"state": "refused", "detail": "unknown_ask"}
        about, answer = self._asks[said["id"]]
        left, do = self._pending.pop(said["id"], (0, None))
        if do is not None:
            answer = {"state": "working", "retry_after_s": 1} if left > 1 else do()
            self._asks[said["id"]] = (about, answer)
            if left > 1:
                self._pending[said["id"]] = (left - 1, do)
        return answer

    def _verify(self, said: dict[str, Any]) -> dict[str, Any]:
        email = dict(said["identifiers"]).get("email", "")
        if self.trap is Trap.LIES:
            return {"state": "done"}
        if said["right"] in ("restrict", "unrestrict"):
            is_so = (email in self.restricted) is (said["right"] == "restrict")
            return {"state": "done"} if is_so else {"state": "failed", "detail": "not_restricted"}
        rows = {name: len([row for row in table if row["email"] == email]) for name, table in self.tables.items()}
        if said["right"] == "erase":
            kept = [_kept_invoices(rows["invoice"])] if rows["invoice"] else []
            left = rows["contact"] + rows["ticket"]
            state = (
                {"state": "failed", "detail": "still_there", "counts": {"rows": left}} if left else {"state": "done"}
            )
            return {**state, "kept": kept} if kept else state
        is_so = all(row["name"] == said["changes"]["name"] for row in self.tables["contact"] if row["email"] == email)
        return {"state": "done"} if is_so else {"state": "failed", "detail": "not_amended"}

    def _shown(self, email: str) -> dict[str, Any]:
        found = {name: [row for row in table if row["email"] == email] for name, table in self.tables.items()}
        rows = {
            name: {"columns": list(held[0]), "rows": [list(row.values()) for row in held]}
            for name, held in found.items()
            if held
        }
        return {"state": "done", "rows": rows} if rows else {"state": "nothing"}

    def _done(self, said: dict[str, Any], email: str) -> dict[str, Any]:
        mine = {name: [row for row in table if row["email"] == email] for name, table in self.tables.items()}
        if not any(mine.values()):
            return {"state": "nothing"}
        self.times += 1
        match said["right"]:
            case "amend":
                for row in mine["contact"]:
                    row["name"] = said["changes"]["name"]
                return {"state": "done", "counts": {"amended": len(mine["contact"])}}
            case "erase":
                for name in ("contact", "ticket"):
                    self.tables[name] = [row for row in self.tables[name] if row["email"] != email]
                kept = {"kept": [_kept_invoices(len(mine["invoice"]))]} if mine["invoice"] else {}
                return {"state": "done", "counts": {"erased": len(mine["contact"]) + len(mine["ticket"])}, **kept}
            case "restrict":
                self.restricted.add(email)
                return {"state": "done", "counts": {"restricted": 1}}
        self.restricted.discard(email)
        return {"state": "done", "counts": {"unrestricted": 1}}


def _kept_invoices(count: int) -> dict[str, Any]:
    return {"what": "invoice", "count": count, "reason": REASON, "cite": CITE, "until": UNTIL.isoformat()}


# --- traps that never come to an answer; each says whether it fell ---------------------------------------------------


def _with_status(status: int, headers: Mapping[str, str], *, once: bool = False) -> Callable[..., bool]:
    def fall(vendor: FakeVendor, handler: BaseHTTPRequestHandler) -> bool:
        if once and not vendor._falls_once():
            return False
        vendor._send(handler, status, b"<h1>Somebody's proxy</h1>", headers)
        return True

    return fall


def _slow(vendor: FakeVendor, _: BaseHTTPRequestHandler) -> bool:
    vendor._lock.release()  # others are served meanwhile
    try:
        vendor.release.wait(60)
    finally:
        vendor._lock.acquire()
    return True


def _huge(vendor: FakeVendor, handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    while not vendor.release.is_set():
        handler.wfile.write(b" " * 2**20)
    return True


def _compressed(vendor: FakeVendor, handler: BaseHTTPRequestHandler) -> bool:
    vendor._send(handler, 200, b"\x1f\x8b", {"Content-Encoding": "gzip"})
    return True


_BEFORE: Mapping[Trap, Callable[[FakeVendor, BaseHTTPRequestHandler], bool]] = {
    Trap.BUSY: _with_status(429, {"Retry-After": "90"}),
    Trap.UNAVAILABLE: _with_status(503, {"Retry-After": "3600"}),
    Trap.FAILS_ONCE: _with_status(500, {}, once=True),
    Trap.FAILS: _with_status(500, {}),
    Trap.REDIRECTS: _with_status(307, {"Location": "http://127.0.0.1:1/privacy/ask"}),
    Trap.SLOW: _slow,
    Trap.HUGE: _huge,
    Trap.COMPRESSED: _compressed,
}
