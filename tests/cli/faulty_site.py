"""The example company's website with Troth beside it, on a port; faults of a page are switched on by files in a folder.

``python faulty_site.py PORT FOLDER``: while ``FOLDER/<fault>`` exists, every page has that fault. Says ``ready`` once
it listens.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from troth.cli.demo_site import application

_FAULTS: dict[str, tuple[bytes, bytes]] = {
    "other_words": (b"We delete sign-in history after ninety days", b"We keep sign-in history for two years"),
    "foreign_script": (b"</head>", b'<script src="https://tags.example.net/t.js"></script></head>'),
    "dead_link": (b"</main>", b'<a href="/nowhere-at-all/">more</a></main>'),
    "no_way_to_choices": (b'/cookies/">Cookies</a>', b'/order/">Order</a>'),
    "pale_refusal": (b'value="refuse" class="equal"', b'value="refuse" class="quiet"'),
}
"""What is replaced in pages, by the name of the fault."""


def faulty(folder: Path) -> Callable[..., Iterable[bytes]]:
    """The application, with the faults that are switched on."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if (folder / "deaf").exists():
            environ.pop("HTTP_SEC_GPC", None)
        begun: list[Any] = []

        def note(status: str, headers: list[tuple[str, str]], *more: Any) -> None:
            begun[:] = [status, headers]

        body = b"".join(application(environ, note))
        status, headers = begun
        if any(name.lower() == "content-type" and value.startswith("text/html") for name, value in headers):
            for fault, (words, instead) in _FAULTS.items():
                body = body.replace(words, instead) if (folder / fault).exists() else body
            if (folder / "early_cookie").exists():
                headers.append(("Set-Cookie", "trail=1; Path=/; Max-Age=31536000; SameSite=Lax"))
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]), faulty(Path(sys.argv[2])), _Server, _Quiet) as server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()
