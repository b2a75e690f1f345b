"""Ordinary words that the model mistakes for names: it was trained mainly on English, and German capitalises nouns."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from troth.data_files import read_toml

if TYPE_CHECKING:
    from troth.detect.ner.network import NameSpan


def without_ordinary_words(words: Sequence[str], name: NameSpan) -> NameSpan | None:
    """*name* without words at its ends that are never part of a name, as in *Kontoinhaber Ben Schulz*.

    None if nothing remains. After a person, only words in lower case are removed, since names may be ordinary words
    too.
    """
    said = words[name.first : name.last + 1]
    lower = [it.lower() for it in said]
    if name.type == "LOCATION" and all(it in peoples() or it in _no_places() for it in lower):
        return None
    before = _gone(lower)
    if before == len(said):
        return None
    if name.type == "ORGANIZATION":
        return name
    is_behind = name.type == "PERSON" and said[-1].islower() and said[-2:-1] != ["-"]
    after = _gone(lower[::-1]) if is_behind else 0
    return name._replace(first=name.first + before, last=name.last - after)


def _gone(words: Sequence[str]) -> int:
    """How many words at the start are not part of a name: ordinary ones, up to the last one that never is.

    Particles that may belong to the name, such as *de la* and *van der*, are kept.
    """
    ordinary = [*itertools.takewhile(lambda it: _is_never(it) or it in _alone() or not it.isalnum(), words)]
    if len(ordinary) == len(words):
        return len(words)
    gone = max((at for at, it in enumerate(ordinary, 1) if _is_never(it)), default=0)
    while gone > 0 and not words[gone].isalnum():
        gone += 1
    return gone


def _is_never(word: str) -> bool:
    return word in _never() or word.endswith(_endings())


@cache
def peoples() -> frozenset[str]:
    """Words for nationalities and peoples, which are not places."""
    return frozenset(read_toml(__package__, "ordinary.toml")["peoples"]["words"].split())


@cache
def _never() -> frozenset[str]:
    """Words of other languages that are never part of a name."""
    return _of_languages("never")


@cache
def _alone() -> frozenset[str]:
    """Words of other languages that are not names on their own."""
    return _of_languages("alone")


@cache
def _no_places() -> frozenset[str]:
    return _of_languages("no_place")


@cache
def _endings() -> tuple[str, ...]:
    return tuple(_of_languages("endings"))


def _of_languages(kind: str) -> frozenset[str]:
    languages = (it for name, it in read_toml(__package__, "ordinary.toml").items() if name != "peoples")
    return frozenset(word for it in languages for word in it.get(kind, "").split())
