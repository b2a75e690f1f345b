"""External systems over HTTP, with our own protocol: signed in both directions, small, and without redirects.

``docs/reference/asked-systems.md`` specifies the protocol. Network errors can be temporary, so a message is sent up to
three times within its time limit; after that the caller gets a retryable error.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import ssl
import time
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from troth.data_files import read_toml
from troth.declaration import ExternalAccess
from troth.hook import HEADER, Answer, Ask, Malformed, Right, SecretRefused, SignatureRefused
from troth.hook.wire import check_answer, dump_ask, keys_of, read_answer, read_json, sign_ask
from troth.stores.contract import StoreRefused, StoreUnreachable
from troth.stores.external.contract import AskedLater, Questioner

BYTES_MAX = 32 * 1024 * 1024
"""Maximum size of an answer."""
TRIES_MAX = 3
_PAUSE_S = 0.25
_WAIT_S_MAX = 7 * 24 * 3600
_PATH = re.compile(r"[A-Za-z0-9._~/-]*")


def connect(
    name: str,
    url: str,
    asking: ExternalAccess,
    secret: str | None,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Questioner:
    """The system at *url*. Opens no connection yet. Raises `StoreRefused` for an invalid address or secret, without
    quoting it."""
    if secret is None:
        raise StoreRefused(f"{name} is asked over HTTP and has no secret: add 'secret: ${{NAME}}'", store=name)
    try:
        keys = keys_of(secret)
    except SecretRefused as refused:
        message = f"{name}: {refused}"
    else:
        return Questioner(name, asking, _Http(name, _address(name, url), keys, asking.timeout_s, clock, sleep))
    raise StoreRefused(message, store=name)


def _address(name: str, url: str) -> str:
    try:
        parts = urlsplit(url.removeprefix("hook+"))
        _ = parts.port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    wrong = ""
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        wrong = "is not a plain https:// address"
    elif parts.username is not None or parts.password is not None:
        wrong = "contains a password; remove it, because messages are signed with the secret"
    elif not _PATH.fullmatch(parts.path):
        wrong = "has a path with characters other than letters, digits and . _ ~ - /"
    elif parts.scheme == "http" and not is_here(parts.hostname):
        wrong = "is not encrypted; write https:// (http:// is allowed only for localhost)"
    if wrong:
        raise StoreRefused(f"the address of {name} {wrong}", store=name)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Stale(StoreRefused):
    """An answer to another message: left over on the connection, or replayed by an attacker."""


class _Http:
    """The channel to one system."""

    def __init__(
        self,
        name: str,
        base: str,
        keys: tuple[bytes, ...],
        timeout_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._name, self._base, self._keys, self._timeout_s = name, base, keys, timeout_s
        self._path = urlsplit(base).path
        self._clock, self._sleep = clock, sleep
        self._transport: httpx.HTTPTransport | None = None

    def ask(self, ask: Ask) -> Answer:
        return self._without_rows(self._answer("ask", ask.id, dump_ask(ask)), unless=ask.right.only_reads)

    def verify(self, ask: Ask) -> Answer:
        return self._without_rows(self._answer("verify", ask.id, dump_ask(ask)))

    def poll(self, ask_id: str) -> Answer:
        return self._answer("poll", ask_id, json.dumps({"v": 1, "id": ask_id}).encode())

    def offers(self) -> frozenset[Right]:
        said = self._sent("offer", b'{"v": 1}')
        try:
            return frozenset(map(Right, read_json(said)["rights"]))
        except (Malformed, KeyError, TypeError, ValueError):
            pass
        raise self._strange("not a list of rights")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # --- one message

    def _without_rows(self, answer: Answer, *, unless: bool = False) -> Answer:
        if answer.rows and not unless:
            raise self._strange("rows that were not asked for")
        return answer

    def _answer(self, action: str, ask_id: str, body: bytes) -> Answer:
        try:
            about, answer = read_answer(self._sent(action, body))
        except Malformed as wrong:
            message = str(wrong)
        else:
            if about == ask_id:
                return answer
            message = "it answers another message"
        raise self._strange(message)

    def _sent(self, action: str, body: bytes) -> bytes:
        """The body of the signed answer. Retries temporary failures."""
        until = time.monotonic() + self._timeout_s
        for left in reversed(range(TRIES_MAX)):
            try:
                return self._once(action, body, until)
            except (StoreUnreachable, _Stale):
                self.close()  # leftover data on the connection does not answer the next message
                pause = _PAUSE_S * 2 ** (TRIES_MAX - 1 - left)
                if not left or time.monotonic() + pause >= until:
                    raise
                self._sleep(pause)
            except Exception:
                self.close()
                raise
        raise AssertionError("the last try returns or raises")

    def _once(self, action: str, body: bytes, until: float) -> bytes:
        mark = sign_ask(self._keys, "POST", f"{self._path}/{action}", body, now=self._clock())
        headers = {HEADER: str(mark), "Content-Type": "application/json", "Accept-Encoding": "identity"}
        status, answered, said = self._exchange(action, body, headers, until)
        try:
            check_answer(self._keys, answered.get(HEADER), mark, status, said, now=self._clock())
        except SignatureRefused as refused:
            code = refused.code
        else:
            if 200 <= status < 300:
                return said
            code = ""
        raise self._trouble(status, answered, said, code)

    def _exchange(
        self, action: str, body: bytes, headers: dict[str, str], until: float
    ) -> tuple[int, httpx.Headers, bytes]:
        said = bytearray()
        failed = ""
        waits = {"timeout": httpx.Timeout(max(0.1, until - time.monotonic())).as_dict()}
        try:
            message = httpx.Request("POST", f"{self._base}/{action}", content=body, headers=headers, extensions=waits)
            with contextlib.closing(self._opened().handle_request(message)) as answer:
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise self._strange("compressed, although that was not requested")
                for piece in answer.iter_raw():
                    said += piece
                    if len(said) > BYTES_MAX:
                        raise self._strange(f"more than {BYTES_MAX // 1024**2} MiB")
                    if time.monotonic() > until:
                        failed = "timeout"
                        break
                else:
                    return answer.status_code, answer.headers, bytes(said)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            failed = type(error).__name__  # the error's text may contain the address
        raise StoreUnreachable(f"{self._name} does not answer ({failed})", store=self._name, retryable=True)

    def _opened(self) -> httpx.HTTPTransport:
        """A bare transport: an httpx client would log addresses, keep cookies and read the environment."""
        if self._transport is None:
            is_encrypted = self._base.startswith("https:")
            self._transport = httpx.HTTPTransport(
                verify=ssl.create_default_context() if is_encrypted else False,
                proxy=proxy_of(self._base) if is_encrypted else None,
            )
        return self._transport

    # --- invalid answers

    def _trouble(self, status: int, headers: httpx.Headers, answer: bytes, code: str) -> Exception:
        """The error for a response without a valid signature, or with another status than 200. Anybody on the network
        path may have sent it, so it can only make us stop or retry."""
        name = self._name
        if status == 429 or (status == 503 and "retry-after" in headers):
            wait = _seconds(headers.get("retry-after"))
            return AskedLater(f"{name} is busy, and asks to try again later", store=name, retry_after_s=wait)
        if status >= 500:
            return StoreUnreachable(f"{name} answered with status {status}", store=name, retryable=True)
        if 300 <= status < 400:
            return StoreRefused(f"{name} redirects; declare the address that it redirects to", store=name)
        if status < 300:
            message = f"the answer of {name} has no valid signature ({code}): {_words('signatures')[code]}"
            return (_Stale if code == "replayed" else StoreRefused)(message, store=name)
        why = _words("refusals").get(_code(answer), f"status {status}; check its address")
        return StoreRefused(f"{name} refused the message: {why}", store=name)

    def _strange(self, what: str) -> StoreRefused:
        return StoreRefused(f"the answer of {self._name} does not follow the protocol: {what}", store=self._name)


def _words(group: str) -> dict[str, str]:
    words: dict[str, str] = read_toml(__package__, "refusals.toml")[group]
    return words


def proxy_of(base: str) -> str | None:
    """The HTTPS proxy from the environment."""
    host = urlsplit(base).hostname or ""
    return None if proxy_bypass(host) else getproxies().get("https")


def _code(answer: bytes) -> str:
    try:
        code = read_json(answer).get("error")
    except Malformed:
        return ""
    return code if isinstance(code, str) else ""


def _seconds(text: str | None) -> int | None:
    return min(int(text), _WAIT_S_MAX) if text and re.fullmatch(r"[0-9]{1,9}", text) else None
