"""Turns an HTTP request, from any web server, into the signed answer of a hook."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from troth.hook.answering import Hook, Mixed
from troth.hook.values import Malformed
from troth.hook.wire import (
    CLOCK_S_MAX,
    HEADER,
    SignatureHeader,
    SignatureRefused,
    check_ask,
    dump_answer,
    keys_of,
    read_ask,
    read_json,
    sign_answer,
)

BYTES_MAX = 256 * 1024
"""Maximum size of a request body."""
_LOG = logging.getLogger("troth.hook")


@dataclass(frozen=True, slots=True)
class Reply:
    """The HTTP response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.body)} bytes)"


class Receiver:
    """Accepts current messages signed with *secret*, each one once, and signs the answers of *hook*.

    Its endpoints are ``…/ask``, ``…/poll``, ``…/verify`` and ``…/offer``. Raises `SecretRefused`.
    """

    def __init__(self, hook: Hook, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._hook = hook
        self._keys = keys_of(secret)
        self._clock = clock
        self._actions: Mapping[str, Callable[[bytes], bytes]] = {
            "ask": self._ask,
            "poll": self._poll,
            "verify": self._verify,
            "offer": self._offer,
        }

    def __call__(self, method: str, path: str, signature: str | None, body: bytes) -> Reply:
        """Answer a request for *path*, as the sender signed it; *signature* is the header `HEADER`. Never raises."""
        action = self._actions.get(path.rstrip("/").rpartition("/")[2])
        if action is None:
            return _unsigned(404, "no_such_action")
        if method != "POST":
            return _unsigned(405, "post_only")
        if len(body) > BYTES_MAX:
            return _unsigned(413, "too_large")
        try:
            mark = check_ask(self._keys, signature, method, path, body, now=self._clock())
            if not self._hook.memory.is_new(mark.nonce, until=mark.time + 2 * CLOCK_S_MAX):
                raise SignatureRefused("replayed")
        except SignatureRefused as refused:
            return _unsigned(401, f"signature_{refused.code}")
        except Exception as error:  # noqa: BLE001 - whatever the memory's database raises
            _tell("memory", error)
            return _unsigned(503, "memory_failed")
        return self._answered(action, mark, body)

    def _answered(self, action: Callable[[bytes], bytes], mark: SignatureHeader, body: bytes) -> Reply:
        try:
            status, said = 200, action(body)
        except Malformed as wrong:
            _LOG.warning("a message was refused: %s", wrong)
            status, said = 400, _error("malformed")
        except Mixed as wrong:
            _LOG.error("%s", wrong)
            status, said = 409, _error("id_of_another_ask")
        except Exception as error:  # noqa: BLE001 - the application's own code may raise anything
            _tell("a function of the hook", error)
            status, said = 500, _error("function_failed")
        signed = sign_answer(self._keys, mark, status, said, now=self._clock())
        return Reply(status, (*_HEADERS, (HEADER, str(signed))), said)

    def _ask(self, body: bytes) -> bytes:
        ask = read_ask(body)
        return dump_answer(ask.id, self._hook.ask(ask))

    def _verify(self, body: bytes) -> bytes:
        ask = read_ask(body)
        return dump_answer(ask.id, self._hook.verify(ask))

    def _poll(self, body: bytes) -> bytes:
        ask_id = read_json(body).get("id")
        if not isinstance(ask_id, str):
            raise Malformed("a poll needs the id of a message")
        return dump_answer(ask_id, self._hook.poll(ask_id))

    def _offer(self, body: bytes) -> bytes:
        read_json(body)
        return json.dumps({"v": 1, "rights": sorted(self._hook.rights)}).encode()


_HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


def _error(code: str) -> bytes:
    return json.dumps({"v": 1, "error": code}).encode()


def _unsigned(status: int, code: str) -> Reply:
    """Reply to an unauthenticated request."""
    return Reply(status, _HEADERS, _error(code))


def _tell(what: str, error: Exception) -> None:
    """Log the error's type and line, never its text, which may quote a row."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    _LOG.error("%s failed: %s at %s", what, type(error).__name__, where)
