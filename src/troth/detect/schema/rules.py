"""The rules by which columns are known, read from ``columns.toml``, and names read as words."""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from troth.stores import ColumnKind

Words = tuple[str, ...]
_NAME_LENGTH_MAX: Final = 200
_PIECE: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
_SHORT_PARTS: Final = frozenset({"of", "tel", "fax", "zip", "plz", "no", "id"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which a column shows that it holds *category*."""

    category: str
    entity: str
    phrases: frozenset[Words]
    score: float
    kinds: frozenset[ColumnKind]
    needs: str | None
    value: str | None
    must: bool
    alone: bool

    def names(self, words: Words) -> bool:
        """Whether a name of these words is one of the rule's."""
        if self.alone:
            return words in self.phrases
        return any(words[start:] in self.phrases for start in range(len(words)))


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that the data file says."""

    rules: tuple[Rule, ...]
    aliases: dict[str, Words]
    dropped: frozenset[str]
    person: frozenset[str]
    staff: frozenset[str]
    thing: frozenset[str]
    about: frozenset[str]
    given: frozenset[str]
    vocabulary: frozenset[str]

    def words(self, name: str) -> Words:
        """The words of a name, in the rules' own language: ``fname`` is "first name"."""
        folded = unicodedata.normalize("NFKD", name[:_NAME_LENGTH_MAX])
        plain = "".join(letter for letter in folded if not unicodedata.combining(letter)).replace("ß", "ss")
        found: list[str] = []
        for piece in _PIECE.findall(plain):
            for part in self._parts(piece.lower()):
                found += self.aliases.get(part, (part,))
        return tuple(found)

    def head(self, name: str) -> Words:
        """The words without endings that change nothing: ``address_line_2`` is "address"."""
        words = list(self.words(name))
        while len(words) > 1 and (words[-1].isdigit() or words[-1] in self.dropped):
            words.pop()
        return tuple(words)

    def _parts(self, word: str) -> Sequence[str]:
        """A run-together word in its parts, ``postalcode`` in two; the word itself where it is not all known words."""
        if word in self.vocabulary or len(word) < 6:
            return [word]
        best: dict[int, list[str]] = {0: []}
        for end in range(1, len(word) + 1):
            for start in sorted(best):
                part = word[start:end]
                if part in self.vocabulary and (len(part) > 3 or part in _SHORT_PARTS) and start in best:
                    best[end] = [*best[start], part]
                    break
        return best.get(len(word), [word])

    def is_in(self, words: Words, nouns: frozenset[str]) -> bool:
        """Whether the last word, in the singular, is one of *nouns*."""
        return bool(words) and bool({words[-1], singular(words[-1])} & nouns)


def singular(word: str) -> str:
    """An English plural's singular, roughly."""
    if word in {"people", "children"}:
        return {"people": "person", "children": "child"}[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@functools.cache
def rules() -> Rules:
    """The rules, read once."""
    data = tomllib.loads(resources.files("troth.detect.schema").joinpath("columns.toml").read_text("utf-8"))
    found = tuple(
        Rule(
            category=rule["category"],
            entity=rule["entity"],
            phrases=frozenset(tuple(phrase.split()) for phrase in rule["phrases"]),
            score=rule["score"],
            kinds=frozenset(ColumnKind(kind) for kind in rule.get("kinds", ["text"])),
            needs=rule.get("needs"),
            value=rule.get("value"),
            must=rule.get("must", False),
            alone=rule.get("alone", False),
        )
        for rule in data["rule"]
    )
    aliases = {word: tuple(meaning.split()) for word, meaning in data["words"].items()}
    tables = {name: frozenset(nouns) for name, nouns in data["tables"].items()}
    known = {word for rule in found for phrase in rule.phrases for word in phrase}
    known |= {*aliases, *(word for meaning in aliases.values() for word in meaning)}
    known |= {noun for nouns in tables.values() for noun in nouns} | {"id", "code", "type", "date", "count", "number"}
    return Rules(
        rules=found,
        aliases=aliases,
        dropped=frozenset(data["endings"]["dropped"]),
        given=frozenset(data["values"]["given"].split()),
        vocabulary=frozenset(known),
        person=tables["person"],
        staff=tables["staff"],
        thing=tables["thing"],
        about=tables["about"],
    )
