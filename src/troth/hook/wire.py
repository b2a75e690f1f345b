"""Wire protocol: asks and answers as JSON, and signatures in both directions. Pure.

``docs/reference/asked-systems.md`` describes it for implementations in other languages.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from troth.hook.values import Answer, AnswerState, Ask, HookError, Kept, Malformed, Right, Rows

HEADER = "Troth-Signature"
CLOCK_S_MAX = 300
"""Maximum difference between the clocks of the two sides."""
SECRET_LENGTH_MIN = 32
_Built = TypeVar("_Built")


class SecretRefused(HookError):
    """The shared secret is missing or too short to sign with."""


class SignatureRefused(HookError):
    """The signature is missing, malformed, wrong, outdated or replayed; *code* says which."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"the signature is refused: {code}")


# --- signatures -----------------------------------------------------------------------------------------------------


def keys_of(secret: str) -> tuple[bytes, ...]:
    """The keys in *secret*: one, or during a rotation several, separated by white space. The first signs; all are
    accepted. Raises `SecretRefused`."""
    keys = secret.split()
    if not keys or min(map(len, keys)) < SECRET_LENGTH_MIN:
        raise SecretRefused(f"the shared secret needs {SECRET_LENGTH_MIN} characters: openssl rand -hex 32")
    return tuple(key.encode() for key in keys)


@dataclass(frozen=True, slots=True)
class SignatureHeader:
    """Parsed signature header: ``v1 t=1764039600 n=… s=…``."""

    time: int
    nonce: str
    digest: str

    _FORM = re.compile(r"v1 t=([0-9]{1,12}) n=([A-Za-z0-9_-]{16,64}) s=([0-9a-f]{64})")

    @classmethod
    def read(cls, header: str | None) -> SignatureHeader:
        """Parse a header. Raises `SignatureRefused`: ``missing``, or ``form`` for another format or version."""
        if not header:
            raise SignatureRefused("missing")
        found = cls._FORM.fullmatch(header.strip())
        if found is None:
            raise SignatureRefused("form")
        return cls(int(found[1]), found[2], found[3])

    def __str__(self) -> str:
        return f"v1 t={self.time} n={self.nonce} s={self.digest}"


def sign_ask(keys: tuple[bytes, ...], method: str, path: str, body: bytes, *, now: float) -> SignatureHeader:
    """Sign an ask. Every transmission has its own nonce."""
    nonce = secrets.token_urlsafe(18)
    return SignatureHeader(int(now), nonce, _digest(keys[0], "troth-ask-v1", method, path, int(now), nonce, body))


def check_ask(
    keys: tuple[bytes, ...], header: str | None, method: str, path: str, body: bytes, *, now: float
) -> SignatureHeader:
    """Verify an ask. Raises `SignatureRefused`, also ``wrong`` or ``clock``. The caller must reject reused nonces."""
    mark = SignatureHeader.read(header)
    _compare(keys, mark, now, "troth-ask-v1", method, path, mark.time, mark.nonce, body)
    return mark


def sign_answer(
    keys: tuple[bytes, ...], asked: SignatureHeader, status: int, body: bytes, *, now: float
) -> SignatureHeader:
    """Sign the answer to the ask with signature *asked*; it is valid for that transmission only."""
    parts = ("troth-answer-v1", status, int(now), asked.nonce, body)
    return SignatureHeader(int(now), asked.nonce, _digest(keys[0], *parts))


def check_answer(
    keys: tuple[bytes, ...], header: str | None, asked: SignatureHeader, status: int, body: bytes, *, now: float
) -> None:
    """Verify an answer. Raises `SignatureRefused`, with ``replayed`` for the answer to another transmission."""
    mark = SignatureHeader.read(header)
    if mark.nonce != asked.nonce:
        raise SignatureRefused("replayed")
    _compare(keys, mark, now, "troth-answer-v1", status, mark.time, mark.nonce, body)


def _compare(keys: tuple[bytes, ...], mark: SignatureHeader, now: float, *parts: str | int | bytes) -> None:
    if not sum(hmac.compare_digest(_digest(key, *parts), mark.digest) for key in keys):  # compare all: constant time
        raise SignatureRefused("wrong")
    if abs(now - mark.time) > CLOCK_S_MAX:
        raise SignatureRefused("clock")


def _digest(key: bytes, *parts: str | int | bytes) -> str:
    lines = [hashlib.sha256(part).hexdigest() if isinstance(part, bytes) else str(part) for part in parts]
    return hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()


# --- JSON -----------------------------------------------------------------------------------------------------------


def dump_ask(ask: Ask) -> bytes:
    """The ask as JSON."""
    said: dict[str, Any] = {
        "v": 1,
        "id": ask.id,
        "right": str(ask.right),
        "identifiers": [list(pair) for pair in ask.identifiers],
        "due": ask.due.isoformat(),
        "organisation": ask.organisation,
    }
    said |= {"changes": dict(ask.changes)} if ask.changes else {}
    said |= {"purposes": list(ask.purposes)} if ask.purposes else {}
    return json.dumps(said, ensure_ascii=False).encode()


def dump_answer(ask_id: str, answer: Answer) -> bytes:
    """The answer to the ask with that id, as JSON."""
    said: dict[str, Any] = {"v": 1, "id": ask_id, "state": str(answer.state)}
    if answer.rows:
        said["rows"] = {
            name: {"columns": list(rows.columns), "rows": [list(row) for row in rows.values]}
            for name, rows in answer.rows.items()
        }
    if answer.counts:
        said["counts"] = dict(answer.counts)
    if answer.kept:
        said["kept"] = [
            {"what": it.what, "count": it.count, "reason": it.reason, "cite": it.cite}
            | ({"until": it.until.isoformat()} if it.until else {})
            for it in answer.kept
        ]
    optional = {"evidence": answer.evidence, "retry_after_s": answer.retry_after_s, "detail": answer.detail}
    said |= {name: value for name, value in optional.items() if value is not None}
    return json.dumps(said, ensure_ascii=False).encode()


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object of version 1 in *body*. Raises `Malformed`, whose message quotes nothing of the body."""
    try:
        said = json.loads(body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once_each)
        json.dumps(said, ensure_ascii=False).encode()  # rejects lone surrogates
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("v") != 1:
        raise Malformed("not a JSON object of version 1")
    return said


def read_ask(body: bytes) -> Ask:
    """Parse an ask. Raises `Malformed`."""
    said = read_json(body)
    _only(said, "v", "id", "right", "identifiers", "due", "organisation", "changes", "purposes")
    return _built(
        lambda: Ask(
            id=_text(said["id"]),
            right=Right(said["right"]),
            identifiers=tuple((_text(kind), _text(value)) for kind, value in said["identifiers"]),
            due=dt.date.fromisoformat(said["due"]),
            organisation=_text(said["organisation"]),
            changes={name: _scalar(value) for name, value in said.get("changes", {}).items()},
            purposes=tuple(_text(name) for name in said.get("purposes", [])),
        )
    )


def read_answer(body: bytes) -> tuple[str, Answer]:
    """Parse an answer: the id of its ask, and the answer. Raises `Malformed`."""
    said = read_json(body)
    _only(said, "v", "id", "state", "rows", "counts", "kept", "evidence", "retry_after_s", "detail")
    wait = said.get("retry_after_s")
    return _built(
        lambda: (
            _text(said["id"]),
            Answer(
                state=AnswerState(said["state"]),
                rows={_text(name): _rows(it) for name, it in said.get("rows", {}).items()},
                counts={name: _count(count) for name, count in said.get("counts", {}).items()},
                kept=tuple(map(_kept, said.get("kept", []))),
                evidence=said.get("evidence"),
                retry_after_s=None if wait is None else _count(wait),
                detail=said.get("detail"),
            ),
        )
    )


def _rows(message: Mapping[str, Any]) -> Rows:
    _only(message, "columns", "rows")
    return Rows(
        tuple(_text(name) for name in message["columns"]),
        tuple(tuple(_scalar(value) for value in row) for row in message["rows"]),
    )


def _kept(message: Mapping[str, Any]) -> Kept:
    _only(message, "what", "count", "reason", "cite", "until")
    until = dt.date.fromisoformat(message["until"]) if "until" in message else None
    return Kept(
        _text(message["what"]), _count(message["count"]), _text(message["reason"]), _text(message["cite"]), until
    )


def _built(build: Callable[[], _Built]) -> _Built:
    """Call *build* on parts of any type. Its errors may quote the input, so `Malformed` replaces them."""
    try:
        return build()
    except Malformed as wrong:
        message = str(wrong)
    except (KeyError, TypeError, ValueError, AttributeError):
        message = "a part is missing, or has the wrong type"
    raise Malformed(message)


def _only(message: Mapping[str, Any], *known: str) -> None:
    if not isinstance(message, dict) or message.keys() - set(known):
        raise Malformed(f"a key that is none of: {', '.join(known)}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed("text is expected")
    return value


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float | bool | None) or (isinstance(value, float) and value - value != 0):
        raise Malformed("a value must be text, a number, true, false or null")
    return value


def _count(value: Any) -> int:
    if type(value) is not int:
        raise Malformed("a whole number is expected")
    return value


def _no_constant(_: str) -> Any:
    raise ValueError("no number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        raise ValueError("a key is given twice")
    return said
