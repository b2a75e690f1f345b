"""Values of the hook protocol, `Ask` and `Answer`: valid once built, and with a `repr` that shows only counts.

They need only the standard library and `troth.errors`, so that an application can answer without the rest of Troth.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from troth.errors import TrothError

Cell = str | int | float | bool | None
"""A JSON scalar. Dates and times are ISO 8601 text, decimals and UUIDs their text."""

KINDS = frozenset(("email", "phone", "account", "name", "postal"))
"""Kinds of identifier, by their names in the declaration."""


class HookError(TrothError):
    """Base error of the hook; messages contain no personal data."""


class Malformed(HookError):
    """An invalid ask or answer: a missing part, a wrong format or a value that is too long."""


class Right(enum.StrEnum):
    """Rights a person may exercise. ``unrestrict`` ends a restriction."""

    VIEW = "view"
    PORT = "port"
    AMEND = "amend"
    ERASE = "erase"
    RESTRICT = "restrict"
    UNRESTRICT = "unrestrict"
    OBJECT = "object"
    WITHDRAW = "withdraw"

    @property
    def only_reads(self) -> bool:
        """True if the right only reads data, so that it may be executed repeatedly."""
        return self in (Right.VIEW, Right.PORT)


class AnswerState(enum.StrEnum):
    """Progress of an ask. ``accepted``, ``working``: poll later. ``nothing``: the system does not know the person."""

    ACCEPTED = "accepted"
    WORKING = "working"
    DONE = "done"
    NOTHING = "nothing"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """True if polling is over. A refusal or failure may need staff action."""
        return self not in (AnswerState.ACCEPTED, AnswerState.WORKING)


_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_EVIDENCE = re.compile(r"sha256:[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_LONGEST = 320
_REASON_MAX = 500
_COUNT_MAX = 2**53
_WAIT_S_MAX = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Ask:
    """One ask about one person. Repeating an *id* repeats the same ask, which is executed once.

    *changes*, only for ``amend``, map the declared name of a field to its new value. *purposes* narrow ``object`` and
    ``withdraw``; none means all. *due* is the deadline for the answer to the person.
    """

    id: str
    right: Right
    identifiers: tuple[tuple[str, str], ...]
    due: dt.date
    organisation: str
    changes: Mapping[str, Cell] = field(default_factory=lambda: MappingProxyType({}))
    purposes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _must(_ID.fullmatch(self.id), "the id of a message must be at most 128 letters, digits and . _ : -")
        _must(self.identifiers, "a message needs at least one identifier of the person")
        for kind, value in self.identifiers:
            _must(kind in KINDS, f"an identifier is one of: {', '.join(sorted(KINDS))}")
            _must(_is_plain(value), f"that is not a valid {kind}")
        _must(all(map(_is_plain, (self.organisation, *self.purposes))), "an organisation or purpose must have a name")
        _must(
            bool(self.changes) == (self.right is Right.AMEND),
            "an amendment needs changes, and nothing else may have them",
        )

    def all(self, kind: str) -> tuple[str, ...]:
        """All identifiers of *kind*."""
        return tuple(value for named, value in self.identifiers if named == kind)

    @property
    def email(self) -> str | None:
        """The first e-mail address, or None. Compare it case-insensitively."""
        return next(iter(self.all("email")), None)

    def __repr__(self) -> str:
        return f"Ask({self.id}, {self.right}, {len(self.identifiers)} identifiers, {len(self.changes)} changes)"


@dataclass(frozen=True, slots=True)
class Rows:
    """One table of data about the person; the values of each row follow the order of *columns*."""

    columns: tuple[str, ...]
    values: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        _must(all(len(row) == len(self.columns) for row in self.values), "every row must have a value for each column")
        _must(len(set(self.columns)) == len(self.columns), "a table cannot have the same column twice")

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, object]]) -> Self:
        """Build from mappings, such as Django's ``.values()``. A column that a row lacks is None there."""
        given = [dict(row) for row in rows]
        columns = tuple(dict.fromkeys(name for row in given for name in row))
        return cls(columns, tuple(tuple(_cell(name, row.get(name)) for name in columns) for row in given))

    def __iter__(self) -> Iterator[dict[str, Cell]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"Rows({len(self.columns)} columns, {len(self.values)} rows)"


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows exempt from an erasure: *count* of *what*, the reason as worded for the person, the law or contract cited,
    and until when they are kept."""

    what: str
    count: int
    reason: str
    cite: str
    until: dt.date | None = None

    def __post_init__(self) -> None:
        _must(_is_plain(self.what), "kept data must have a name")
        _must(0 <= self.count <= _COUNT_MAX, "a count must not be negative")
        for text in (self.reason, self.cite):
            _must(_is_plain(text, _REASON_MAX), "kept data must have a reason and a citation")

    def __repr__(self) -> str:
        return f"Kept({self.what}, {self.count})"


@dataclass(frozen=True, slots=True)
class Answer:
    """Data found, or actions taken. *detail* is a code, never a sentence about a person; *evidence* is a digest of the
    proof that the answering system keeps."""

    state: AnswerState
    rows: Mapping[str, Rows] = field(default_factory=lambda: MappingProxyType({}))
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    kept: tuple[Kept, ...] = ()
    evidence: str | None = None
    retry_after_s: int | None = None
    detail: str | None = None

    def __post_init__(self) -> None:
        for name, count in self.counts.items():
            _must(
                _CODE.fullmatch(name) and 0 <= count <= _COUNT_MAX,
                "counts must have a code such as 'erased', and not be negative",
            )
        _must(self.detail is None or _CODE.fullmatch(self.detail), "a detail must be a code such as 'legal_hold'")
        _must(self.evidence is None or _EVIDENCE.fullmatch(self.evidence), "evidence must be sha256: and 64 digits")
        _must(self.retry_after_s is None or 0 <= self.retry_after_s <= _WAIT_S_MAX, "the wait must be at most a week")
        _must(
            self.detail or self.state not in (AnswerState.REFUSED, AnswerState.FAILED),
            "a refusal or failure must have a detail",
        )

    @classmethod
    def found(cls, tables: Mapping[str, Iterable[Mapping[str, object]]]) -> Self:
        """Data about the person, by table name. Empty tables are left out; if all are empty, it is ``nothing``."""
        rows = {name: it for name, given in tables.items() if len(it := Rows.of(given))}
        return cls(AnswerState.DONE if rows else AnswerState.NOTHING, rows=rows)

    @classmethod
    def did(cls, *, kept: Iterable[Kept] = (), evidence: str | None = None, **counts: int) -> Self:
        """Actions taken, such as ``Answer.did(erased=3)``. If all counts are zero, the state is ``nothing``."""
        left = tuple(it for it in kept if it.count)
        done = {name: count for name, count in counts.items() if count}
        return cls(AnswerState.DONE if done or left else AnswerState.NOTHING, counts=done, kept=left, evidence=evidence)

    @classmethod
    def later(cls, retry_after_s: int | None = None) -> Self:
        """Still working: poll again after *retry_after_s* seconds."""
        return cls(AnswerState.WORKING, retry_after_s=retry_after_s)

    @classmethod
    def refused(cls, detail: str) -> Self:
        """Refused; *detail* is the reason, a code."""
        return cls(AnswerState.REFUSED, detail=detail)

    @classmethod
    def failed(cls, detail: str, **counts: int) -> Self:
        """Failed. If the ask is repeated, it is executed again."""
        return cls(AnswerState.FAILED, counts=counts, detail=detail)

    def __repr__(self) -> str:
        said = [str(self.state), *(f"{count} {name}" for name, count in self.counts.items())]
        said += [f"{len(self.rows)} tables"] if self.rows else []
        said += [f"{len(self.kept)} kept"] if self.kept else []
        said += [self.detail] if self.detail else []
        return f"Answer({', '.join(said)})"


def _must(held: object, message: str) -> None:
    if not held:
        raise Malformed(message)


def _is_plain(text: str, longest: int = _LONGEST) -> bool:
    return 0 < len(text) <= longest and not _CONTROL.search(text)


def _cell(name: str, value: object) -> Cell:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            _must(value - value == 0, f"a value of '{name}' is not a finite number")
            return value
        case dt.date() | dt.time():  # a datetime is a date
            return value.isoformat()
        case decimal.Decimal() | uuid.UUID():
            return str(value)
    raise Malformed(
        f"a value of '{name}' is of type {type(value).__name__}, which JSON does not support: give its text"
    )
