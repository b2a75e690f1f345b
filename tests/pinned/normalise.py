"""What differs from run to run, and from machine to machine, becomes a placeholder; the same value the same one.

Days and times stay, because the clock is held (`tests.pinned.fixed`). Values of the generated people go.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

_PATTERNS = {
    "hash": r"(?<=\bdg1:)[0-9a-f]{64}|(?<=\bpb1:)[0-9a-f]{16}|\b[0-9a-f]{32,}\b",
    "key": r"(?<=\bk1:)[0-9a-f]{16}|(?<=/troth\+)[0-9a-f]{8}\+[\w+/=]+|(?<=\bage1)[0-9a-z]{58}",
    "secret": r"(?<=/link/)[\w-]+|(?<=/invitation/)[\w-]+|(?<=\bwhsec_)[\w+/=-]+|(?<=\btroth_)[\w-]{43}",
    "id": r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|(?<![\w.-])[0-9a-f]{16}(?![\w.-])",
    "text": (
        r'(?<![^\s"])(?!age1|troth_|whsec_|[a-z.]+/troth)(?=\S*\d)(?=\S*[A-Z])'
        r'(?:[\w-]{43,}|[\w+/]{40,}={0,2})(?![^\s"])'
    ),
    "version": r'(?<="version": )\d{6,}|(?<=Python )\d+\.\d+\.\d+|(?<=SQLite )\d+\.\d+\.\d+',
    "size": r"\b\d+(?:\.\d)? [KMGT]B\b",
}
_ANY = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()))
_SECONDS = re.compile(r"(?<=T\d\d:\d\d):\d\d\.\d{3}(?=Z)|\b\d+(?= minutes ago)")
"""A message is sent at a time of a clock that goes on within a pass."""


class Normaliser:
    """Makes the text of one file stable. *places* says which text is of this run, and what stands for it; *people*
    holds what no file may show."""

    def __init__(self, places: Mapping[str, str], people: Collection[str]) -> None:
        self._places = sorted(places.items(), key=lambda place: -len(place[0]))
        found = "|".join(map(re.escape, sorted(people, key=lambda value: (-len(value), value))))
        self._people = re.compile(rf"(?<!\w)(?:{found})(?!\w)")
        self._known: dict[str, dict[str, str]] = {}

    def text(self, text: str) -> str:
        """*text* with its placeholders, numbered from the first one of the file."""
        for place, name in self._places:
            text = text.replace(place, name)
        text = _ANY.sub(self._placeholder, _SECONDS.sub("", text))
        return self._people.sub("<personal>", text)

    def document(self, value: Any) -> Any:
        """The same of a value that is to become JSON."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.document(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(each) for each in value]
        return self.text(value) if isinstance(value, str) else value

    def file(self, content: Any) -> str:
        """A text, or a document in lines."""
        if isinstance(content, str):
            return self.text(content)
        return json.dumps(self.document(content), indent=1, ensure_ascii=False, default=str) + "\n"

    def _placeholder(self, found: re.Match[str]) -> str:
        kind = str(found.lastgroup)
        numbers = self._known.setdefault(kind, {})
        return numbers.setdefault(found[0], f"<{kind} {len(numbers) + 1}>")


_PERSONAL = re.compile(
    "(author|opened_by)_(email|name)|billed_(address|email|name)|body|company|date_of_birth|email|holder|ip|name|note"
    "|phone|postcode|street|subject|token|town"
)


def people_in(databases: Path) -> Iterator[str]:
    """The values of people in the databases of the example company that are longer than a few letters."""
    for file in databases.glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as database:
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                columns = [column for _, column, *_ in database.execute(f"PRAGMA table_info({table})")]
                for column in filter(_PERSONAL.fullmatch, columns):
                    values = database.execute(f"SELECT {column} FROM {table} WHERE length({column}) > 4")
                    yield from (str(value) for (value,) in values)
