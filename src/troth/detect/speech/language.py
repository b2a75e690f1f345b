"""Spoken languages: words for digits, letters and signs, and prompts that precede values."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeVar

from troth.detect.speech.loader import shipped

T = TypeVar("T")

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "digit": "d",
        "perhaps_digit": "w",
        "plural_digit": "w",
        "digit_or_letter": "o",
        "teen": "t",
        "tens": "T",
        "hundred": "h",
        "thousand": "k",
        "multiple": "m",
        "letter": "l",
        "perhaps_letter": "v",
        "alphabet": "n",
        "symbol": "@",
        "month": "M",
        "ordinal": "O",
        "filler": "f",
        "assent": "y",
        "correction": "c",
        "glue": "g",
    }
)
"""Each word has one kind, and a kind is one character, so that a talk is a string of kinds."""

_VALUED: Final = tuple(KINDS)[:15]
_WRITTEN: Final = {".": ".", "@": "@", "_": "_", "+": "+", "/": "/", "#": "#", "?": ";", "!": ";"}
"""Written signs among spoken words."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Words that request or announce a value of one of *types*.

    *rank* is 1 for words that often refer to something else, 2 for words that may refer to anything. *is_partial*: only
    part of a value follows; *is_end*: it cancels earlier prompts; *aside*: words that request nothing, with their kind
    (filler or correction).
    """

    types: tuple[str, ...]
    rank: int = 0
    is_partial: bool = False
    is_end: bool = False
    aside: str = ""


Prompts = Mapping[str, Sequence[tuple[list[str], Prompt]]]
"""The prompts that start with a word, by their second word."""


@dataclass(frozen=True, slots=True)
class Hints:
    """Which passages in a language are read at all: see ``en.toml``."""

    in_a_row: int
    letters: bool
    fillers: tuple[str, ...]
    counted: tuple[str, ...]
    ranging: tuple[str, ...]
    words: tuple[str, ...]
    patterns: tuple[str, ...]


def _listed(section: str, key: str = "", *, is_needed: bool = False) -> Any:
    """A set of words: the list *key* of that *section* in the language's file, by default the one with the name of the
    field. It is empty if there is no such list, unless it *is_needed*."""
    return field(metadata={"list": (section, key, is_needed)})


@dataclass(frozen=True, slots=True)
class SpokenLanguage:
    """A language. *kinds* and *values* are by word; *prompts* by their first and second word (``""`` for prompts of one
    word), longest first; *compounds* are numbers and signs of several words, by the first."""

    name: str
    kinds: Mapping[str, str]
    values: Mapping[str, str]
    months: Mapping[str, str]
    ordinals: Mapping[str, str]
    prompts: Mapping[str, Prompts]
    compounds: Mapping[str, tuple[tuple[list[str], str], ...]]
    hints: Hints
    plurals: frozenset[str]
    named_days: Mapping[str, tuple[list[str], ...]]
    spelling: frozenset[str] = _listed("words", is_needed=True)
    asking: frozenset[str] = _listed("words")
    hesitating: frozenset[str] = _listed("words")
    connecting: frozenset[str] = _listed("words", is_needed=True)
    counted: frozenset[str] = _listed("words", is_needed=True)
    several: frozenset[str] = _listed("words")
    common: frozenset[str] = _listed("words", is_needed=True)
    pronouns: frozenset[str] = _listed("words")
    decimals: frozenset[str] = _listed("words")
    alternatives: frozenset[str] = _listed("words")
    capitals: frozenset[str] = _listed("words")
    casing: frozenset[str] = _listed("words")
    after_phone: frozenset[str] = _listed("prompting", is_needed=True)
    providers: frozenset[str] = _listed("email", is_needed=True)
    domains: frozenset[str] = _listed("email", "tlds", is_needed=True)
    word_domains: frozenset[str] = _listed("email")
    before_email: frozenset[str] = _listed("email", "before", is_needed=True)
    dividing: frozenset[str] = _listed("email")
    mailboxes: frozenset[str] = _listed("email")
    leading: frozenset[str] = _listed("answer")
    after_answer: frozenset[str] = _listed("answer", "after")
    not_answers: frozenset[str] = _listed("answer")
    before_places: frozenset[str] = _listed("answer")
    after_password: frozenset[str] = _listed("answer")
    password_signs: frozenset[str] = _listed("answer")
    setting: frozenset[str] = _listed("answer")
    putting: frozenset[str] = _listed("answer")
    streets: frozenset[str] = _listed("address")
    common_streets: frozenset[str] = _listed("address", "common")
    premises: frozenset[str] = _listed("address")
    in_streets: frozenset[str] = _listed("address", "inside")
    not_street_names: frozenset[str] = _listed("address", "not_names")
    before_streets: frozenset[str] = _listed("address", "before")
    after_streets: frozenset[str] = _listed("address", "after")
    before_days: frozenset[str] = _listed("day", "before")
    between_days: frozenset[str] = _listed("day", "between")
    after_days: frozenset[str] = _listed("day", "after")
    of_days: frozenset[str] = _listed("day", "of")
    of_dates: frozenset[str] = _listed("day", "dates")
    deadlines: frozenset[str] = _listed("day")
    numbered: frozenset[str] = _listed("day")
    signs: frozenset[str] = _listed("position")
    last: frozenset[str] = _listed("position")

    def asks(self, label: str) -> bool:
        """True if the beginning of a line is the name of a field (``sort code:``) rather than a speaker."""
        first, *more = label.rstrip(":").split() or [""]
        by_second = self.prompts.get(first, {})
        return any(phrase == [first, *more] for phrase, _ in by_second.get(more[0] if more else "", ()))


@cache
def language(name: str) -> SpokenLanguage:
    """The language whose file is *name*, loaded once."""
    return language_of(shipped()["languages"][name])


def language_of(raw: Mapping[str, Any]) -> SpokenLanguage:
    """The language defined by the data *raw*."""
    kinds: dict[str, str] = dict(_WRITTEN)
    values: dict[str, str] = {}
    for table, kind in KINDS.items():
        words = raw.get(table, {}) if table in _VALUED else raw["words"].get(table, ())
        for word in words:
            kinds.setdefault(word, words[word] if table == "symbol" else kind)
        if table in _VALUED and table not in ("month", "ordinal"):
            values |= words
    compounds = raw.get("compound", {})
    return SpokenLanguage(
        name=raw["language"],
        kinds=kinds,
        values=values | compounds,
        months=raw.get("month", {}),
        ordinals=raw.get("ordinal", {}),
        prompts=_prompts(raw),
        compounds=_by_first_word(compounds),
        hints=_hints(raw["hints"]),
        plurals=frozenset(raw.get("plural_digit", ())),
        named_days=_named(raw.get("day", {}).get("named", ())),
        **_lists(raw),
    )


def _lists(raw: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The sets of words of all fields that are `_listed`."""
    found = {}
    for each in fields(SpokenLanguage):
        if "list" in each.metadata:
            section, key, is_needed = each.metadata["list"]
            key = key or each.name
            found[each.name] = frozenset(raw[section][key] if is_needed else raw.get(section, {}).get(key, ()))
    return found


def _hints(raw: Mapping[str, Any]) -> Hints:
    lists = (tuple(raw[key]) for key in ("fillers", "counted", "ranging", "words", "patterns"))
    return Hints(raw["in_a_row"], raw["letters"], *lists)


def _prompts(raw: Mapping[str, Any]) -> dict[str, dict[str, list[tuple[list[str], Prompt]]]]:
    phrases = [(phrase, type_) for type_, several in raw["prompts"].items() for phrase in several]
    prompts = {
        phrase: Prompt(tuple(type_ for _, type_ in same), _rank(phrase, raw["prompting"]))
        for phrase, same in itertools.groupby(sorted(phrases, key=lambda it: it[0]), key=lambda it: it[0])
    }
    prompts |= {phrase: Prompt((), is_partial=True) for phrase in raw["prompting"]["partial"]}
    prompts |= {phrase: Prompt((), is_end=True) for phrase in raw["prompting"]["nothing"]}
    prompts |= {phrase: Prompt((), aside="f") for phrase in raw["prompting"]["asides"]}
    prompts |= {phrase: Prompt((), aside="c") for phrase in raw["prompting"]["taking_back"]}
    phrases_of: dict[str, dict[str, list[tuple[list[str], Prompt]]]] = {}
    for phrase, prompt in sorted(prompts.items(), key=lambda it: it[0].count(" ")):
        words = phrase.split()
        by_second = phrases_of.setdefault(words[0], {"": []})
        second = words[1] if len(words) > 1 else ""
        # Longest first, and last those with only the first word.
        by_second[second] = [(words, prompt), *by_second.get(second, by_second[""])]
    return phrases_of


def _named(phrases: Sequence[str]) -> dict[str, tuple[list[str], ...]]:
    """Phrases by their first word, longest first."""
    return {
        first: tuple(words for words, _ in same) for first, same in _by_first_word(dict.fromkeys(phrases, "")).items()
    }


def _by_first_word(phrases: Mapping[str, T]) -> dict[str, tuple[tuple[list[str], T], ...]]:
    """The value of each phrase, by its first word, longest phrase first."""
    by_words = sorted(((phrase.split(), value) for phrase, value in phrases.items()), key=lambda it: it[0])
    return {
        first: tuple(sorted(same, key=lambda it: -len(it[0])))
        for first, same in itertools.groupby(by_words, key=lambda it: it[0][0])
    }


def _rank(phrase: str, prompting: Mapping[str, Any]) -> int:
    return 2 if phrase in prompting["generic"] else int(phrase in prompting["weak"])
