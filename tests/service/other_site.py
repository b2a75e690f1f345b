"""A company's own site that says which headers it was sent, or answers with more than a socket takes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from troth.service.wsgi import mounted

SIZE = 40 * 1024 * 1024
_CHUNK = b"x" * 65_536


def _site(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/headers":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [" ".join(sorted(environ)).encode()]
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(SIZE))])
    return (_CHUNK for _ in range(SIZE // len(_CHUNK)))


application = mounted(_site)
