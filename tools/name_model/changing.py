"""The same texts with other names in them and in other writing, and texts made from templates.

A model that sees each name once or twice learns the name; one that sees the place of a name filled with ever others
learns the place. Lower case and missing signs make speech of mail.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from tools.name_model.corpora import Document, Span
from tools.name_model.lists import TITLES, Lists, ready
from tools.name_model.streets import COUNTRIES, is_said, said, street

_SWAPPED: Final = 0.5
_LOWER: Final = 0.2
_UPPER: Final = 0.05
_IN_LINES: Final = 0.3

_SIGNS: Final = re.compile(r'[.,;!?"()]')
_SLOT: Final = re.compile(r"\{([a-z]+)\d?\}")
_T = TypeVar("_T")


class Changes:
    """Makes changed documents, the same ones for the same seed."""

    def __init__(self, documents: Iterable[Document], chance: random.Random) -> None:
        self._chance = chance
        self._lists: Lists = ready()
        self._countries = sorted(self._lists.people)
        self._firms = sorted({it.text[a:b] for it in documents for a, b, kind in it.names if kind == 3 and b - a > 2})
        self._templates = [*_templates()]
        self._makers: dict[int, Callable[[str], str]] = {1: self._person, 2: self._place, 3: self._firm}

    def of(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Each document as it may look today: with other names, in other letters, or line by line."""
        for it in documents:
            changed = self._in_other_letters(self._with_others(it) if self._chance.random() < _SWAPPED else it)
            is_long = len(changed.text) > 300
            yield from _lines(changed) if is_long and self._chance.random() < _IN_LINES else (changed,)

    def made(self, count: int) -> Iterator[Document]:
        """Texts of one to four filled templates."""
        while count > 0:
            size = self._chance.choice((1, 1, 2, 3, 4))
            yield self._in_other_letters(
                _together([self._filled(self._chance.choice(self._templates)) for _ in range(size)])
            )
            count -= size

    def around(self, words: Iterable[str], documents: Iterable[Document]) -> Iterator[str]:
        """For each word a line of some document in which it stands in the place of a name, for the teacher to read."""
        lines = [it for whole in documents for it in _lines(whole) if 0 < len(it.names) < 3 and 20 < len(it.text) < 100]
        for word in words:
            line = self._chance.choice(lines)
            start, end, _ = self._chance.choice(line.names)
            yield line.text[:start] + (word if line.text.islower() else word.title()) + line.text[end:]

    def lowered(self, text: str) -> str:
        """The text as it is heard, or as in a hurry: without capitals, half of the time without signs."""
        lower = "".join(it.lower() if len(it.lower()) == 1 else it for it in text)
        return _SIGNS.sub(" ", lower) if self._chance.random() < 0.5 else lower

    def _in_other_letters(self, it: Document) -> Document:
        roll = self._chance.random()
        if roll < _LOWER:
            return Document(self.lowered(it.text), it.names)
        if roll < _LOWER + _UPPER:
            return Document("".join(at.upper() if len(at.upper()) == 1 else at for at in it.text), it.names)
        return it

    def _with_others(self, it: Document) -> Document:
        """The same name becomes the same other one throughout."""
        others: dict[tuple[str, int], str] = {}
        text, names, done = "", list[Span](), 0
        for start, end, kind in it.names:
            old = it.text[start:end]
            if self._chance.random() < 0.8 and (old, kind) not in others:
                others[old, kind] = _written_as(old, self._makers[kind](old))
            new = others.get((old, kind), old)
            text += it.text[done:start]
            names.append((len(text), len(text) + len(new), kind))
            text, done = text + new, end
        return Document(text + it.text[done:], tuple(names))

    def _person(self, old: str) -> str:
        """A name of as many parts as *old* has."""
        chance, people = self._chance, self._lists.people
        country = chance.choice(self._countries) if chance.random() < 0.7 else chance.choice(("us", "en_GB"))
        given = people[country].given
        family = people[country if chance.random() < 0.85 else chance.choice(self._countries)].family
        parts = len(old.split())
        if parts == 1:
            return chance.choice(given) if chance.random() < 0.75 else self._often(family)
        first = chance.choice(given) if chance.random() < 0.93 else chance.choice(given)[0] + chance.choice((".", ""))
        middle = chance.choice(given) if chance.random() < 0.5 else chance.choice(given)[0] + "."
        last = self._often(family) + (f"-{self._often(family)}" if chance.random() < 0.04 else "")
        return f"{first} {last}" if parts == 2 else f"{first} {middle} {last}"

    def _place(self, old: str) -> str:
        """Another place; another address for one that is said in words, the same for one that is written."""
        if is_said(old):
            return said(self._lists.people["en_GB"].family, self._chance)
        if any(it.isdigit() or it in "\n," for it in old):
            return old
        roll, lists = self._chance.random(), self._lists
        if roll < 0.6:
            return lists.cities[min(int(self._chance.expovariate(1 / 2500)), len(lists.cities) - 1)]
        return self._chance.choice(lists.countries if roll < 0.8 else lists.regions)

    def _firm(self, _: str) -> str:
        return self._chance.choice(self._firms if self._chance.random() < 0.7 else self._lists.companies)

    def _often(self, them: Sequence[_T]) -> _T:
        """One of them, half of the time one of the first."""
        chance = self._chance
        among_first = int(chance.expovariate(4 / len(them))) % len(them)
        return chance.choice(them) if chance.random() < 0.5 else them[among_first]

    def _filled(self, template: str) -> Document:
        is_spoken = _SLOT.sub("", template).islower()
        values: dict[str, tuple[str, int]] = {}
        text, names, done = "", list[Span](), 0
        for slot in _SLOT.finditer(template):
            value, kind = values.setdefault(slot[0], self._value("said" if is_spoken and slot[1] == "en" else slot[1]))
            value = value.lower() if is_spoken else value
            text += template[done : slot.start()]
            if kind:
                names.append((len(text), len(text) + len(value), kind))
            text, done = text + value, slot.end()
        return Document(text + template[done:], tuple(names))

    def _value(self, slot: str) -> tuple[str, int]:
        chance = self._chance
        match slot:
            case "full":
                return self._person("a b" if chance.random() < 0.88 else "a b c"), 1
            case "given":
                return chance.choice(self._lists.people[chance.choice(self._countries)].given), 1
            case "family":
                return self._often(self._lists.people[chance.choice([*self._countries, "us", "us"])].family), 1
            case "place":
                return self._place(""), 2
            case "org":
                return self._firm(""), 3
            case "said":
                return self._place("one road"), 2
            case country if country in COUNTRIES:
                return street(country, self._lists.people["en_GB"].family, chance), 2
            case "email":
                return f"{chance.choice(('info', 'sales', 'j.d', 'me'))}{chance.randrange(99)}@example.org", 0
            case "title":
                return chance.choice(TITLES), 0
            case "office":
                return chance.choice(("CORP", "NA", "GLOBAL", "EMEA", "HQ")), 0
            case "letter":
                return chance.choice("abcdefghjklmnprstw"), 0
            case "initial":
                return chance.choice("ABCDEFGHJKLMNPRSTW"), 0
        raise KeyError(slot)


def _templates() -> Iterator[str]:
    for line in (Path(__file__).parent / "templates.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.replace("\\n", "\n").replace("\\t", "\t")


def _written_as(old: str, new: str) -> str:
    if old.islower():
        return new.lower()
    return new.upper() if old.isupper() and len(old) > 3 else new


def _lines(it: Document) -> Iterator[Document]:
    start = 0
    for line in it.text.split("\n"):
        end = start + len(line)
        if line.strip():
            inside = ((max(a, start) - start, min(b, end) - start, kind) for a, b, kind in it.names)
            yield Document(line, tuple(span for span in inside if span[0] < span[1]))
        start = end + 1


def _together(them: Sequence[Document]) -> Document:
    text, names = "", list[Span]()
    for it in them:
        text += "\n" if text else ""
        names += ((a + len(text), b + len(text), kind) for a, b, kind in it.names)
        text += it.text
    return Document(text, tuple(names))
