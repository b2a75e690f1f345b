"""The shapes of an entry's fields. None allows free text, and none can be combined to allow it.

A shape converts a value to JSON and back. `write` refuses invalid values and never quotes them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from troth.ledger.values import Commitment, DeclaredName, Hash, KeyId, Pseudonym

Token = Pseudonym | Commitment | Hash | KeyId | DeclaredName
Value = int | str | Token | dt.date | dt.datetime | Mapping[str, int]
"""The values of a field. A ``str`` is always one of the words that the field's `OneOf` lists."""

Json = int | str | Mapping[str, int]

_LARGEST = 2**53 - 1  # every JSON reader keeps integers up to this exact (RFC 8259 §6)


class FieldShape(Protocol):
    """One shape. Both methods raise ``ValueError`` with a text that says what is expected."""

    def write(self, value: object) -> Json:
        """The value as JSON in the entry."""
        ...

    def read(self, json: object) -> Value:
        """The value that was written."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from *low* to 2^53 - 1."""

    low: int = 0

    def write(self, value: object) -> int:
        if type(value) is not int or not self.low <= value <= _LARGEST:
            raise ValueError(f"a whole number from {self.low} to 2^53 - 1")
        return value

    read = write


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few listed words. An ``Enum`` whose values are these words is accepted too."""

    words: tuple[str, ...]

    def write(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(f"one of: {', '.join(self.words)}")
        return self.words[self.words.index(value)]

    read = write


@dataclass(frozen=True, slots=True)
class WordCounts:
    """Counts of a few words; an omitted word counts 0."""

    words: tuple[str, ...]

    def write(self, value: object) -> dict[str, int]:
        if not isinstance(value, Mapping) or not all(
            word in self.words and type(count) is int and 0 <= count <= _LARGEST for word, count in value.items()
        ):
            raise ValueError(f"a count of at least 0 for some of: {', '.join(self.words)}")
        return {word: value[word] for word in self.words if word in value}

    read = write


@dataclass(frozen=True, slots=True)
class Of:
    """A value of one of the ledger's own types, such as ``Of(Pseudonym)``."""

    kind: type[Token]

    def write(self, value: object) -> str:
        if type(value) is not self.kind:
            raise ValueError(f"a {self.kind.__name__}")
        return value.text

    def read(self, json: object) -> Value:
        if not isinstance(json, str):
            raise ValueError(f"the text of a {self.kind.__name__}")
        return self.kind(json)


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day: ``2026-11-24``."""

    def write(self, value: object) -> str:
        if type(value) is not dt.date:
            raise ValueError("a date")
        return value.isoformat()

    def read(self, json: object) -> dt.date:
        if not isinstance(json, str) or len(json) != 10:
            raise ValueError("a date such as 2026-11-24")
        return dt.date.fromisoformat(json)


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def instant_text(moment: dt.datetime) -> str:
    """An aware time in UTC, truncated to the millisecond. Raises ``ValueError`` if it is naive."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("an aware datetime")
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def instant(text: object) -> dt.datetime:
    """The time that `instant_text` wrote. Raises ``ValueError``."""
    if not isinstance(text, str) or _INSTANT.fullmatch(text) is None:
        raise ValueError("a moment such as 2026-11-24T09:41:00.000Z")
    return dt.datetime.fromisoformat(text)
