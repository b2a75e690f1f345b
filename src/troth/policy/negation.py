"""Detects what a policy names but does not do: “we do not send newsletters” and “our newsletter ended” are not
newsletters. All rules that look for a deed share it (``deeds.toml``)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from troth.data_files import read_toml
from troth.policy.phrases import Phrase

_SIGNS = re.compile(
    r"\b(?:not|no|never|nor|neither|none|nobody|noone|nothing|without|free|zero|dont|doesnt|didnt|wont"
    r"|ended|ceased|stopped|discontinued|abolished|retired|abandoned|given|gave|removed|dropped|switched|turned)\b"
)
"""Every negation contains one of these words; other sentences need no closer look."""


def deeds() -> frozenset[str]:
    """Names of the lexicon's concepts that are deeds; ``kept.*`` stands for all concepts with that prefix."""
    return _data().deeds


def is_deed(concept: str) -> bool:
    """True if that concept states that something is done."""
    return concept in deeds() or f"{concept.partition('.')[0]}.*" in deeds()


def done(words: str) -> list[tuple[int, str]] | None:
    """The parts of a sentence (in `plain` form) that are not negated, each with its offset; None if nothing is
    negated."""
    if not _SIGNS.search(words) or any(phrase.found_in(words) for phrase in _data().depends):
        return None
    cuts = [(start + _denied_from(words[start:end]), end) for start, end in _clauses(words)]
    if all(start >= end for start, end in cuts):
        return None
    pieces, at = list[tuple[int, str]](), 0
    for start, end in [*filter(lambda cut: cut[0] < cut[1], cuts), (len(words), len(words))]:
        pieces.append((at, words[at:start].rstrip()))
        at = end
    return [(start, piece) for start, piece in pieces if piece]


def _clauses(words: str) -> Iterator[tuple[int, int]]:
    """Start and end of each clause."""
    starts = sorted({0, *(start for phrase in _data().begins for start, _ in phrase.places_in(words))})
    yield from zip(starts, [*starts[1:], len(words)], strict=True)


def says_not(phrase: Phrase) -> bool:
    """True if the phrase itself is negative: “countries that do not protect data”."""
    return _NOT.search(_BARRED.sub("", phrase.text)) is not None


_NOT = re.compile(r"(?<![\w*])(?:not|no|dont|doesnt|never|nor|neither|without)(?![\w*])")
_BARRED = re.compile(r"!\([^()]*\)")


def _denied_from(clause: str) -> int:
    """Where the negated part of the clause starts; the end of the clause if nothing is negated."""
    data = _data()
    if not _SIGNS.search(clause) or any(phrase.found_in(clause) for phrase in data.but):
        return len(clause)
    if any(phrase.found_in(clause) for phrase in data.denied):
        return 0
    return min((end for phrase in data.onwards for _, end in phrase.places_in(clause)), default=len(clause))


@dataclass(frozen=True, slots=True)
class _Data:
    deeds: frozenset[str]
    begins: tuple[Phrase, ...]
    denied: tuple[Phrase, ...]
    onwards: tuple[Phrase, ...]
    depends: tuple[Phrase, ...]
    but: tuple[Phrase, ...]


@functools.cache
def _data() -> _Data:
    rows = read_toml(__package__, "deeds.toml")
    words: dict[str, str] = {}
    for name, text in rows["words"].items():
        words[name] = _said(text, words)

    def phrases(row: Any) -> tuple[Phrase, ...]:
        return tuple(Phrase(_said(text, words)) for text in row)

    denied = rows["denied"]
    return _Data(
        frozenset(rows["deeds"]),
        phrases(rows["clause"]["begins"]),
        phrases(denied["any"]),
        phrases(denied["onwards"]),
        phrases(denied["depends"]),
        phrases(denied["but"]),
    )


def _said(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda found: words[found[1]], text)
