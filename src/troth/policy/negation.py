"""What a policy does not do, though its words name it: “we do not send newsletters” is no newsletter, and “our
newsletter ended” is none either. One way to know it, for every rule that looks for a deed (``deeds.toml``)."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from troth.policy.phrases import Phrase

_SIGNS = re.compile(
    r"\b(?:not|no|never|nor|neither|none|nobody|noone|nothing|without|free|zero|dont|doesnt|didnt|wont"
    r"|ended|ceased|stopped|discontinued|abolished|retired|abandoned|given|gave|removed|dropped|switched|turned)\b"
)
"""One of these is in every sentence that denies: most sentences need no closer look."""


def deeds() -> frozenset[str]:
    """The names of the concepts of the lexicon that are deeds; ``kept.*`` stands for all that begin so."""
    return _data().deeds


def is_deed(concept: str) -> bool:
    """Whether that concept of the lexicon says that something is done."""
    return concept in deeds() or f"{concept.partition('.')[0]}.*" in deeds()


def done(words: str) -> list[tuple[int, str]] | None:
    """What is left of a sentence (as `plain` makes it) without what it denies, piece by piece, each with where it
    begins; None where nothing is denied."""
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
    """Where each clause begins, and where the next one does."""
    starts = sorted({0, *(start for phrase in _data().begins for start, _ in phrase.places_in(words))})
    yield from zip(starts, [*starts[1:], len(words)], strict=True)


def says_not(phrase: Phrase) -> bool:
    """Whether the phrase itself is about something that is not so: “countries that do not protect data”."""
    return _NOT.search(_BARRED.sub("", phrase.text)) is not None


_NOT = re.compile(r"(?<![\w*])(?:not|no|dont|doesnt|never|nor|neither|without)(?![\w*])")
_BARRED = re.compile(r"!\([^()]*\)")


def _denied_from(clause: str) -> int:
    """Where in the clause begins what it denies; its end where it denies nothing."""
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
    rows = tomllib.loads(resources.files(__package__).joinpath("deeds.toml").read_text(encoding="utf-8"))
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
