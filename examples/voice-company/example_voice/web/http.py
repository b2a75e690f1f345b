"""Requests and responses, and the rules that hold on every page: who may post, what headers go out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

StartResponse = Callable[[str, list[tuple[str, str]]], object]

BODY_BYTES_MAX = 64 * 1024
FIELDS_MAX = 40

_HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    # Not no-referrer: with it browsers send "Origin: null" along with our own forms, and `_is_ours` needs the origin.
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


class Refused(Exception):
    """The request is not answered with what it asked for; the message is shown to whoever sent it."""

    def __init__(self, status: HTTPStatus, message: str, *, allow: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.allow = allow


@dataclass(frozen=True, slots=True)
class Request:
    """*fields* are those of the posted form, in order; *has_signal* is Global Privacy Control, ``Sec-GPC: 1``."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...]
    cookies: Mapping[str, str]
    has_signal: bool
    is_secure: bool


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie for this site only. *seconds* None is a session cookie, 0 takes it away."""

    name: str
    value: str
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back. *keep_seconds* says how long a browser may reuse it; None keeps it nowhere."""

    body: str | bytes
    status: HTTPStatus = HTTPStatus.OK
    media_type: str = "text/html; charset=utf-8"
    location: str | None = None
    allow: str | None = None
    keep_seconds: int | None = None
    cookies: tuple[Cookie, ...] = field(default=())


def redirect(path: str, *cookies: Cookie, permanent: bool = False) -> Response:
    """Go on to *path* of this site."""
    status = HTTPStatus.PERMANENT_REDIRECT if permanent else HTTPStatus.SEE_OTHER
    return Response("", status, location=path, cookies=cookies)


def read(environ: Mapping[str, Any]) -> Request:
    """Read the request. Raises `Refused` for a body too long, a form that is none, or a post from another site."""
    method = str(environ["REQUEST_METHOD"]).upper()
    if method not in ("GET", "HEAD", "POST"):
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "This site answers GET and POST only.", allow="GET, HEAD, POST")
    try:
        path = str(environ.get("PATH_INFO") or "/").encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise Refused(HTTPStatus.BAD_REQUEST, "That address is not text.") from None
    fields: tuple[tuple[str, str], ...] = ()
    if method == "POST":
        if not _is_ours(environ):
            raise Refused(HTTPStatus.FORBIDDEN, "This form was sent from another website. Nothing was saved.")
        fields = _fields(environ)
    signals = str(environ.get("HTTP_SEC_GPC", "")).split(",")
    return Request(
        method,
        path,
        fields,
        _cookies(str(environ.get("HTTP_COOKIE", ""))),
        has_signal="1" in [signal.strip() for signal in signals],
        is_secure=environ.get("wsgi.url_scheme") == "https",
    )


def _is_ours(environ: Mapping[str, Any]) -> bool:
    """Whether a form was sent from one of our pages. Every browser says so in one of two headers, which pages of
    other sites cannot set; what sends neither is no browser, and holds nobody's cookies."""
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return bool(site == "same-origin")
    origin = environ.get("HTTP_ORIGIN")
    return origin is None or urlsplit(str(origin)).netloc == environ.get("HTTP_HOST")


def _fields(environ: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not length.isascii() or not length.isdigit():
        raise Refused(HTTPStatus.BAD_REQUEST, "The length of the form is not a number.")
    if int(length[:9]) == 0:
        return ()
    if str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Our forms are sent as application/x-www-form-urlencoded.")
    if len(length) > 9 or int(length) > BODY_BYTES_MAX:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is more than our forms take. Nothing was saved.")
    try:
        text = environ["wsgi.input"].read(int(length)).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Refused(HTTPStatus.BAD_REQUEST, "The form could not be read. Nothing was saved.") from None
    return tuple(pairs)


def _cookies(header: str) -> Mapping[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def send(response: Response, request: Request | None, start_response: StartResponse) -> Iterable[bytes]:
    """Start the response and return its body."""
    body = response.body.encode() if isinstance(response.body, str) else response.body
    keep = "no-store" if response.keep_seconds is None else f"max-age={response.keep_seconds}"
    headers = [
        ("Content-Type", response.media_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", keep),
        ("Vary", "Cookie, Sec-GPC"),
        *_HEADERS,
    ]
    is_secure = request is not None and request.is_secure
    if is_secure:
        headers.append(("Strict-Transport-Security", "max-age=63072000; includeSubDomains"))
    headers += [(name, value) for name, value in _optional(response)]
    headers += [("Set-Cookie", _set_cookie(cookie, is_secure=is_secure)) for cookie in response.cookies]
    start_response(f"{response.status.value} {response.status.phrase}", headers)
    return [] if request is not None and request.method == "HEAD" else [body]


def _optional(response: Response) -> Iterable[tuple[str, str]]:
    if response.location is not None:
        yield "Location", response.location
    if response.allow is not None:
        yield "Allow", response.allow


def _set_cookie(cookie: Cookie, *, is_secure: bool) -> str:
    age = "" if cookie.seconds is None else f"; Max-Age={cookie.seconds}"
    secure = "; Secure" if is_secure else ""
    return f"{cookie.name}={cookie.value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}"
