"""The server of this benchmark, on one core: ``python -m benchmarks.centre.served MODULE:NAME PORT CORE``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

_ANSWER = b"x" * 3_000
"""As long as the page that it is the floor of."""


def nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The least that a WSGI application does: the same bytes for everybody."""
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(_ANSWER)))])
    return [_ANSWER]


def main(application: str, port: str, core: str) -> None:
    os.sched_setaffinity(0, {int(core)})  # the server's own processes and threads are kept to it as well
    from troth.service.server import serve

    serve(application=application, port=int(port), work=False, ready=lambda: print("ready", flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
