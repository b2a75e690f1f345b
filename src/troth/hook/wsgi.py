"""A hook as a WSGI application, for sites without Django: run it on any server, or mount it under a path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from troth.hook.answering import Hook
from troth.hook.receiving import BYTES_MAX, Receiver

_Environ = dict[str, Any]
_StartResponse = Callable[..., Any]


def application(hook: Hook, secret: str) -> Callable[[_Environ, _StartResponse], Iterable[bytes]]:
    """The WSGI application that answers for *hook*. Raises `SecretRefused`."""
    receive = Receiver(hook, secret)

    def serve(environ: _Environ, start_response: _StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        size = min(int(length), BYTES_MAX + 1) if length.isdecimal() else 0
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        reply = receive(
            environ["REQUEST_METHOD"], path, environ.get("HTTP_TROTH_SIGNATURE"), environ["wsgi.input"].read(size)
        )
        status = f"{reply.status} {HTTPStatus(reply.status).phrase}"
        start_response(status, [*reply.headers, ("Content-Length", str(len(reply.body)))])
        return [reply.body]

    return serve
