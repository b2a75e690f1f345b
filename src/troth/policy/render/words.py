"""The words of a notice in one language, and their reverse mapping.

Every table cell is written and read by the same `_Way`, so that the rendered tables can be compared with the
machine-readable graph, fact by fact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from importlib import resources
from typing import Any

from troth.data_files import read_toml
from troth.declaration import categories, title
from troth.policy.render.content import KINDS, NoticeRow, columns
from troth.policy.text import PolicyError
from troth.text import counted

NOTHING = "–"
"""Text of an empty cell."""

Value = str | tuple[str, ...]
Row = tuple[Value, ...]
"""The values of a fact, in the order of its columns."""


@cache
def words_of(language: str) -> NoticeWords:
    """The words of that language. Raises `PolicyError` if notices are not available in it."""
    there = sorted(
        each.name[:-5] for each in resources.files(__package__).iterdir() if re.match(r"^..\.toml$", each.name)
    )
    if language not in there:
        raise PolicyError(f"a notice can be rendered in {', '.join(there)}; '{language[:20]}' is not supported yet")
    return NoticeWords(read_toml(__package__, f"{language}.toml"), read_toml(__package__, "countries.toml"))


@dataclass(frozen=True, slots=True)
class _Way:
    """How a value is written in a cell and read back. Unknown text is returned unchanged."""

    say: Callable[[Any], str]
    read: Callable[[str], Value]


@dataclass(frozen=True)
class NoticeWords:
    """The sentences and words of one language."""

    data: Mapping[str, Any]
    countries: Mapping[str, str]

    def say(self, sentence: str, /, **slots: str) -> str:
        """The sentence ``section.name`` with its slots filled with escaped text. A value that ends in a full stop
        replaces that of the sentence."""
        section, _, name = sentence.partition(".")
        text: str = self.data[section][name]
        for slot, value in slots.items():
            if value.endswith((".", "!", "?")):
                text = text.replace(f"{{{slot}}}.", f"{{{slot}}}")
        return text.format(**{slot: plain(value) for slot, value in slots.items()})

    def word(self, group: str, key: str) -> str:
        """The word for *key*, or *key* itself if there is none."""
        word: str = self.data["words"][group].get(key, key)
        return word

    def contact(self, key: str, value: str) -> str:
        """The text of a contact: countries, dates and regulators in words."""
        if key == "country":
            return self.countries.get(value, value)
        return self.day(value) if key == "effective" else self.word(key, value) if key == "authority" else value

    def contact_of(self, what: str, text: str) -> Row:
        """The inverse of `contact`: the contact's key and its value."""
        key = self._keys["what"].get(what, what)
        ways = {"country": self._codes, "effective": self._days(text), "authority": self._keys["authority"]}
        return key, ways.get(key, {}).get(text, text)

    def _days(self, text: str) -> Mapping[str, str]:
        months = self.data["page"]["months"]
        day, _, rest = text.partition(" ")
        month, _, year = rest.partition(" ")
        if month not in months or not (day + year).isdecimal():
            return {}
        return {text: f"{year}-{months.index(month) + 1:02}-{int(day):02}"}

    def day(self, iso: str) -> str:
        """A date in words: *1 November 2026*."""
        year, month, day = iso.split("-")
        return f"{int(day)} {self.data['page']['months'][int(month) - 1]} {year}"

    def heads(self, kind: str) -> dict[str, str]:
        """The columns of a table with their heads."""
        heads: dict[str, str] = self.data["tables"][kind]
        return heads

    def cells(self, fact: NoticeRow) -> list[str]:
        """The cells of a table row."""
        return [self._way(type(fact), name).say(getattr(fact, name)) or NOTHING for name in columns(type(fact))]

    def row(self, kind: str, cells: Mapping[str, str]) -> Row:
        """The inverse of `cells`: a row from its cells by column; missing columns are empty."""
        fact = KINDS[kind]
        said = {name: "" if text == NOTHING else text for name, text in cells.items()}
        return tuple(self._way(fact, name).read(said.get(name, "")) for name in columns(fact))

    def list_of(self, keys: tuple[str, ...]) -> str:
        """Data categories in a sentence: *name, e-mail address*."""
        return listed(_inside(title(key)) for key in keys)

    def _way(self, fact: type[NoticeRow], column: str) -> _Way:
        if column in {"data", "required", "optional"}:
            return _Way(self.list_of, self._categories)
        if column in self.data["words"]:
            one = _Way(partial(self.word, column), lambda text: self._keys[column].get(text, text))
            return _several(one) if column == "laws" else one
        if column == "country":
            return _Way(lambda code: self.countries.get(code, code), lambda text: self._codes.get(text, text))
        several = fact.__annotations__[column] == "Keys"
        return _Way("; ".join, lambda text: tuple(filter(None, text.split("; ")))) if several else _Way(str, str)

    def _categories(self, text: str) -> Value:
        if not text:
            return ()
        parts = [text] if text in self._titles else text.split("; " if ";" in text else ", ")
        return tuple(self._titles.get(part, part) for part in parts)

    @cached_property
    def _titles(self) -> dict[str, str]:
        return {_inside(title(key)): key for key in categories()}

    @cached_property
    def _keys(self) -> dict[str, dict[str, str]]:
        return {group: {word: key for key, word in words.items()} for group, words in self.data["words"].items()}

    @cached_property
    def _codes(self) -> dict[str, str]:
        return {name: code for code, name in self.countries.items()}


def plain(text: str) -> str:
    """*text* with Markdown characters escaped."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", text)


def _inside(words: str) -> str:
    """A title in the form for use within a sentence: *E-mail address* becomes *e-mail address*; *IP address* is
    unchanged."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def _several(way: _Way) -> _Way:
    return _Way(
        lambda keys: ", ".join(map(way.say, keys)), lambda text: tuple(str(way.read(t)) for t in text.split(", ") if t)
    )


def listed(items: Iterable[str]) -> str:
    """Names joined in one line, with semicolons if any of them contains a comma."""
    each = list(items)
    return ("; " if any("," in one for one in each) else ", ").join(each)


def days(number: int) -> str:
    """A number of days in words."""
    return counted(number, "day")
