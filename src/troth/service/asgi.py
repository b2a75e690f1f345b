"""ASGI front of the WSGI application: it passes on complete requests only, so that no thread waits for a visitor.

A thread that reads a request body waits as long as the sender takes, and threads are few. So an event loop reads
bodies, within a deadline and a size limit, and sends responses.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_BYTES_MAX = 6 * 1024 * 1024
"""An uploaded file has 5 MB at most; bodies larger than this are rejected (413)."""
READ_BYTES_MAX = 8 * BODY_BYTES_MAX
"""An oversized body is read and discarded up to here: browsers show a response only after sending their body."""
GRACE_S = 10.0
_BYTES_PER_S_MIN = 10_000
"""A body may take `GRACE_S` plus one second per this many bytes received; slower ones are rejected (408)."""
_SMALL_BYTES = 32 * 1024
_LARGE_MAX = 16
"""Number of bodies over `_SMALL_BYTES` that are read concurrently; the next one is asked to retry (503)."""
_PIECE_BYTES = 256 * 1024
"""Larger responses are sent in pieces of this size."""
PIECE_S_MAX = 60.0
"""How long a visitor may take to receive one piece."""

# The visitor's language is not known here, so the text is in all of ours.
_REFUSED = {
    408: """\
The request came too slowly. Please send it again.
Die Anfrage kam zu langsam an. Bitte senden Sie sie noch einmal.
La demande est arrivée trop lentement. Veuillez l’envoyer à nouveau.
La solicitud ha llegado demasiado despacio. Envíela de nuevo.
""",
    413: """\
The request is too large. A file may have 5 MB at most.
Die Anfrage ist zu groß. Eine Datei darf höchstens 5 MB groß sein.
La demande est trop volumineuse. Un fichier ne peut dépasser 5 Mo.
La solicitud es demasiado grande. Un archivo puede tener 5 MB como máximo.
""",
    503: """\
We are receiving too much at this moment. Please try again in a minute.
Im Augenblick geht bei uns zu viel ein. Bitte versuchen Sie es in einer Minute noch einmal.
Nous recevons trop de données en ce moment. Veuillez réessayer dans une minute.
En este momento estamos recibiendo demasiados datos. Inténtelo de nuevo dentro de un minuto.
""",
}


class _Refused(Exception):
    """The request is answered with *status* and not passed on."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Gone(Exception):
    """The visitor disconnected before the request was complete."""


def in_front_of(threads: int, target: str) -> Front:
    """ASGI front of the WSGI application *target* (``module:name``), which runs in this many *threads*."""
    sys.path.insert(0, "")  # a company's own site may lie in the current folder
    module, _, name = target.partition(":")
    return Front(getattr(importlib.import_module(module), name), threads)


class Front:
    """An ASGI application that runs a WSGI application in a pool of *threads*."""

    def __init__(self, application: Application, threads: int) -> None:
        self._application = application
        self._threads: Executor = ThreadPoolExecutor(threads, "troth-web")
        self._large = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "websockets and lifespan are disabled"
        try:
            environ = _environ(scope)
            environ["wsgi.input"] = io.BytesIO(body := await self._body(environ, receive))
            environ["CONTENT_LENGTH"] = str(len(body))
        except _Gone:
            return
        except _Refused as refused:
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
            headers += [(b"connection", b"close"), *([(b"retry-after", b"60")] if refused.status == 503 else [])]
            await _send(send, refused.status, headers, _REFUSED[refused.status].encode())
            return
        loop = asyncio.get_running_loop()
        status, headers, answer, rest = await loop.run_in_executor(
            self._threads, partial(_answer, self._application, environ)
        )
        if rest is None:
            await _send(send, status, headers, answer)
        else:
            await self._send_in_pieces(receive, send, status, headers, answer, rest)

    async def _body(self, environ: dict[str, Any], receive: Receive) -> bytes:
        """The whole body. Raises `_Refused` if it is too large or too slow, or too many are being read; and `_Gone`."""
        length = environ.get("CONTENT_LENGTH")
        if length is None and "HTTP_TRANSFER_ENCODING" not in environ:
            return b""
        if length is not None and int(length) > READ_BYTES_MAX:
            raise _Refused(413)
        body, received, is_large, begun = bytearray(), 0, False, asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(begun + GRACE_S) as deadline:
                has_more = True
                while has_more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise _Gone
                    has_more = message.get("more_body", False)
                    piece = message.get("body", b"")
                    received += len(piece)
                    if received <= BODY_BYTES_MAX:
                        body += piece
                    else:
                        body.clear()
                    if received > READ_BYTES_MAX:
                        raise _Refused(413)
                    if len(body) > _SMALL_BYTES and not is_large:
                        if self._large >= _LARGE_MAX:
                            raise _Refused(503)
                        self._large, is_large = self._large + 1, True
                    deadline.reschedule(begun + GRACE_S + received / _BYTES_PER_S_MIN)
        except TimeoutError:
            raise _Refused(408) from None
        finally:
            self._large -= is_large
        if received > BODY_BYTES_MAX:
            raise _Refused(413)
        return bytes(body)

    async def _send_in_pieces(
        self, receive: Receive, send: Send, status: int, headers: list[tuple[bytes, bytes]], piece: bytes, rest: _Rest
    ) -> None:
        """Send the response in pieces that threads produce; no thread waits for the visitor."""
        loop, gone = asyncio.get_running_loop(), asyncio.create_task(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": status, "headers": headers})
            while piece and not gone.done():
                message = {"type": "http.response.body", "body": piece, "more_body": True}
                await asyncio.wait_for(send(message), PIECE_S_MAX)
                piece = await loop.run_in_executor(self._threads, rest.piece)
            if not piece:
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            return  # the response is cut off
        finally:
            gone.cancel()
            await loop.run_in_executor(self._threads, rest.close)


async def _until_gone(receive: Receive) -> None:
    """Return when the visitor has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass


class _Rest:
    """The unsent rest of a WSGI response, read a piece at a time; never by two threads at once."""

    def __init__(self, answer: Iterable[bytes]) -> None:
        self._answer, self._chunks = answer, iter(answer)

    def piece(self) -> bytes:
        """The next piece; empty at the end."""
        piece = bytearray()
        for chunk in self._chunks:
            piece += chunk
            if len(piece) >= _PIECE_BYTES:
                break
        return bytes(piece)

    def close(self) -> None:
        if hasattr(self._answer, "close"):
            self._answer.close()


def _answer(
    application: Application, environ: dict[str, Any]
) -> tuple[int, list[tuple[bytes, bytes]], bytes, _Rest | None]:
    """Response of *application*: status, headers, first piece, and the rest if there is one. A small response is
    completed and closed in the thread that made it, as Django's database connections require."""
    began: list[tuple[str, list[tuple[str, str]]]] = []
    rest = _Rest(application(environ, lambda status, headers, exc_info=None: began.append((status, headers))))
    try:
        piece = rest.piece()
        is_whole = len(piece) < _PIECE_BYTES
    except BaseException:
        rest.close()
        raise
    if is_whole:
        rest.close()
    status, headers = began[-1]
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return int(status.partition(" ")[0]), encoded, piece, None if is_whole else rest


def _environ(scope: Message) -> dict[str, Any]:
    """PEP 3333 environment of a request, without its body."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name:  # would be mistaken for the hyphenated header that a proxy sets and strips from visitors
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
