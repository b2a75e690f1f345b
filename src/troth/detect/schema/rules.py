"""The rules for recognising columns, read from ``columns.toml``, and the parsing of names into their vocabulary."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from troth.data_files import read_toml
from troth.detect.schema.words import Words, pieces
from troth.stores import ColumnKind

_RULE_KEYS: Final = frozenset(
    {"category", "entity", "phrases", "never", "needs", "kinds", "alone", "value", "must", "score"}
)
_SHORT_PARTS: Final = frozenset(
    {"of", "tel", "fax", "zip", "plz", "no", "id", "ip", "api", "key", "pin", "otp", "sms", "pat", "emp", "alt"}
)
_LONG: Final = 6


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """One way to recognise that a column holds *category*."""

    category: str
    entity: str
    phrases: frozenset[Words]
    score: float
    kinds: frozenset[ColumnKind]
    needs: str | None
    value: str | None
    never: frozenset[str]
    must: bool
    alone: bool


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """The content of the data file."""

    rules: tuple[ColumnRule, ...]
    by_last: Mapping[str, tuple[tuple[Words, ColumnRule], ...]]
    """Phrases and their rules, by the last word."""
    aliases: Mapping[str, Words]
    dropped: frozenset[str]
    flags: frozenset[str]
    """Prefixes that make a column boolean: ``share_birthday``."""
    nouns: Mapping[str, frozenset[str]]
    """Kinds of tables (`person`, `thing`) with the nouns used for them."""
    vocabulary: frozenset[str]

    def words(self, name: str) -> Words:
        """The words of a name in the vocabulary of the rules: ``fname`` is "first name"."""
        return _words(self, name)

    def head(self, name: str) -> Words:
        """The words without insignificant suffixes: ``address_line_2`` is "address", but ``ssn_last4`` is unchanged."""
        words = self.words(name)
        while len(words) > 1 and (words[-1].isdigit() or words[-1] in self.dropped) and not self.phrase(words):
            words = words[:-1]
        return words

    def phrase(self, words: Words) -> list[tuple[int, ColumnRule]]:
        """The rules with a phrase that the name ends in, with the phrase's length in words."""
        found = []
        for phrase, rule in self.by_last.get(words[-1], ()) if words else ():
            length = len(phrase)
            if words[-length:] != phrase or (rule.alone and length != len(words)):
                continue
            if length == len(words) or words[-length - 1] not in rule.never:
                found.append((length, rule))
        return found

    def is_in(self, words: Words, kind: str) -> bool:
        """True if the last word, in the singular, is one of the nouns of *kind*."""
        return bool(words) and bool({words[-1], singular(words[-1])} & self.nouns[kind])


@functools.lru_cache(maxsize=20_000)
def _words(known: Rules, name: str) -> Words:
    found: list[str] = []
    for piece in pieces(name):
        for part in _parts(known, piece):
            found += known.aliases.get(part, (part,))
    return tuple(found)


def _parts(known: Rules, word: str) -> Words:
    """Splits a joined word such as ``postalcode``; the word itself if it does not consist of known words."""
    if word in known.vocabulary or len(word) < _LONG:
        return (word,)
    best: dict[int, Words] = {0: ()}
    for end in range(1, len(word) + 1):
        for start in sorted(best):
            part = word[start:end]
            if part in known.vocabulary and (len(part) > 3 or part in _SHORT_PARTS):
                best[end] = (*best[start], part)
                break
    return best.get(len(word), (word,))


def singular(word: str) -> str:
    """The approximate singular of an English plural."""
    if word in {"people", "children"}:
        return {"people": "person", "children": "child"}[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@functools.cache
def rules() -> Rules:
    """The rules, loaded once."""
    data = read_toml(__package__, "columns.toml")
    aliases = {word: tuple(meaning.split()) for word, meaning in data["words"].items()}
    found = tuple(_rule(raw, aliases) for raw in data["rule"])
    nouns = {kind: frozenset(words) for kind, words in data["tables"].items()}
    by_last: dict[str, list[tuple[Words, ColumnRule]]] = {}
    for rule in found:
        for phrase in rule.phrases:
            by_last.setdefault(phrase[-1], []).append((phrase, rule))
    known = {word for rule in found for phrase in rule.phrases for word in phrase}
    known |= {*aliases, *(word for meaning in aliases.values() for word in meaning)}
    known |= {word for word in data["endings"]["dropped"] if len(word) > 2}
    known |= {noun for words in nouns.values() for noun in words} | {"id", "code", "type", "date", "count", "number"}
    return Rules(
        rules=found,
        by_last={word: tuple(pairs) for word, pairs in by_last.items()},
        aliases=aliases,
        dropped=frozenset(data["endings"]["dropped"]),
        flags=frozenset(data["beginnings"]["flags"]),
        nouns=nouns,
        vocabulary=frozenset(known),
    )


def _spellings(phrase: Words, aliases: Mapping[str, Words]) -> set[Words]:
    """A phrase as written, and as parsed from names with these words."""
    return {phrase, tuple(part for word in phrase for part in aliases.get(word, (word,)))}


def _rule(raw: Mapping[str, Any], aliases: Mapping[str, Words]) -> ColumnRule:
    if unknown := raw.keys() - _RULE_KEYS:
        raise ValueError(f"columns.toml: a rule of {raw.get('category')} has {sorted(unknown)}, which no rule has")
    return ColumnRule(
        category=raw["category"],
        entity=raw["entity"],
        phrases=frozenset(words for phrase in raw["phrases"] for words in _spellings(tuple(phrase.split()), aliases)),
        score=raw["score"],
        kinds=frozenset(ColumnKind(kind) for kind in raw.get("kinds", ["text"])),
        needs=raw.get("needs"),
        value=raw.get("value"),
        never=frozenset(raw.get("never", ())),
        must=raw.get("must", False),
        alone=raw.get("alone", False),
    )
