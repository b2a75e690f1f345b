"""What is asked, and what is answered: values that are complete and valid once built, and whose `repr` shows counts.

They need the standard library alone, so that an application can answer without the rest of Troth.
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
"""One value, as JSON can say it. Dates and moments are ISO 8601, decimals and UUIDs their text."""

KINDS = frozenset(("email", "phone", "account", "name", "postal"))
"""The kinds of identifier, as the declaration names them."""


class HookError(TrothError):
    """Something about asking or answering was wrong; the message holds no personal value."""


class Malformed(HookError):
    """An ask or answer that is not what it has to be: a missing part, a wrong form, a value that is too long."""


class Right(enum.StrEnum):
    """What a person may want done. ``unrestrict`` ends what ``restrict`` began."""

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
        """Whether nothing changes by it, so that it may be done any number of times."""
        return self in (Right.VIEW, Right.PORT)


class AnswerState(enum.StrEnum):
    """How far it is. ``accepted`` and ``working``: ask again later. ``nothing``: this person is not known there."""

    ACCEPTED = "accepted"
    WORKING = "working"
    DONE = "done"
    NOTHING = "nothing"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether there is no more to wait for; a person may have to act on a refusal or failure."""
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
    """One thing asked about one person. The same *id* twice is one ask: it is done once.

    *changes* are for ``amend`` alone: the declared name of a field to its new value. *purposes* narrow ``object`` and
    ``withdraw``; none means all. *due* is when the person has to have an answer.
    """

    id: str
    right: Right
    identifiers: tuple[tuple[str, str], ...]
    due: dt.date
    organisation: str
    changes: Mapping[str, Cell] = field(default_factory=lambda: MappingProxyType({}))
    purposes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _must(_ID.fullmatch(self.id), "the id of an ask is up to 128 letters, digits and . _ : -")
        _must(self.identifiers, "an ask names a person by at least one identifier")
        for kind, value in self.identifiers:
            _must(kind in KINDS, f"an identifier is one of: {', '.join(sorted(KINDS))}")
            _must(_is_plain(value), f"that is no {kind}")
        _must(all(map(_is_plain, (self.organisation, *self.purposes))), "an organisation or a purpose has a name")
        _must(bool(self.changes) == (self.right is Right.AMEND), "changes stand in an amendment, and only there")

    def all(self, kind: str) -> tuple[str, ...]:
        """Every identifier of that kind."""
        return tuple(value for named, value in self.identifiers if named == kind)

    @property
    def email(self) -> str | None:
        """The first e-mail address, if there is one. Letter case means nothing in it."""
        return next(iter(self.all("email")), None)

    def __repr__(self) -> str:
        return f"Ask({self.id}, {self.right}, {len(self.identifiers)} identifiers, {len(self.changes)} changes)"


@dataclass(frozen=True, slots=True)
class Rows:
    """One table of data about the person, column by column in the order of *columns*."""

    columns: tuple[str, ...]
    values: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        _must(all(len(row) == len(self.columns) for row in self.values), "every row has a value for each column")
        _must(len(set(self.columns)) == len(self.columns), "a column stands in a table once")

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, object]]) -> Self:
        """From mappings, such as Django's ``.values()``; a column that a row lacks is empty there."""
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
    """What stays although its erasure was asked for: *count* of *what*, the reason as the person is told it, the law
    or contract that says so, and until when."""

    what: str
    count: int
    reason: str
    cite: str
    until: dt.date | None = None

    def __post_init__(self) -> None:
        _must(_is_plain(self.what), "what is kept has a name")
        _must(0 <= self.count <= _COUNT_MAX, "a count is not negative")
        for text in (self.reason, self.cite):
            _must(_is_plain(text, _REASON_MAX), "what is kept has a reason, cited")

    def __repr__(self) -> str:
        return f"Kept({self.what}, {self.count})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is held, or what was done. *detail* is a code, never a sentence about somebody; *evidence* is a hash of
    what the other side keeps as its proof."""

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
                "counts are by a code such as 'erased', and not negative",
            )
        _must(self.detail is None or _CODE.fullmatch(self.detail), "a detail is a code such as 'legal_hold'")
        _must(self.evidence is None or _EVIDENCE.fullmatch(self.evidence), "evidence is sha256: and 64 digits")
        _must(self.retry_after_s is None or 0 <= self.retry_after_s <= _WAIT_S_MAX, "wait a week at most")
        _must(
            self.detail or self.state not in (AnswerState.REFUSED, AnswerState.FAILED),
            "a refusal or failure has a detail",
        )

    @classmethod
    def found(cls, tables: Mapping[str, Iterable[Mapping[str, object]]]) -> Self:
        """What is held about the person: each table by its name. Empty ones are left out; none is ``nothing``."""
        rows = {name: it for name, given in tables.items() if len(it := Rows.of(given))}
        return cls(AnswerState.DONE if rows else AnswerState.NOTHING, rows=rows)

    @classmethod
    def did(cls, *, kept: Iterable[Kept] = (), evidence: str | None = None, **counts: int) -> Self:
        """What was done, such as ``Answer.did(erased=3)``; where that is nought of everything, ``nothing``."""
        left = tuple(it for it in kept if it.count)
        done = {name: count for name, count in counts.items() if count}
        return cls(AnswerState.DONE if done or left else AnswerState.NOTHING, counts=done, kept=left, evidence=evidence)

    @classmethod
    def later(cls, retry_after_s: int | None = None) -> Self:
        """It takes time: ask again after so many seconds."""
        return cls(AnswerState.WORKING, retry_after_s=retry_after_s)

    @classmethod
    def refused(cls, detail: str) -> Self:
        """No, and why, as a code."""
        return cls(AnswerState.REFUSED, detail=detail)

    @classmethod
    def failed(cls, detail: str, **counts: int) -> Self:
        """It did not work. The same ask may come again, and is then tried again."""
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
            _must(value - value == 0, f"a value of '{name}' is no finite number")
            return value
        case dt.date() | dt.time():  # a datetime is a date
            return value.isoformat()
        case decimal.Decimal() | uuid.UUID():
            return str(value)
    raise Malformed(f"a value of '{name}' is of type {type(value).__name__}, which JSON cannot say: give its text")
