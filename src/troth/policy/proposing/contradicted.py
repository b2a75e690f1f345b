"""What in the declaration speaks against a sentence on cookies, or on where data is (``contradicted.toml``)."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from troth.counting import counted
from troth.declaration import Declaration
from troth.policy.phrases import Phrase, plain

__all__ = ["contradictions", "is_of_places", "listed"]

_SHOWN = 5
_UNION = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO"


def contradictions(text: str, declaration: Declaration) -> Iterator[str]:
    """What the declaration says against the sentence. One with a condition is held against nothing."""
    words = plain(text)
    if not _said(_known().unless, words):
        yield from filter(None, (_other_cookies(words, declaration), _elsewhere(words, declaration)))


def is_of_places(text: str) -> bool:
    """Whether the sentence speaks of data that goes abroad, or does not."""
    return _said(_known().abroad, plain(text))


def _other_cookies(words: str, declaration: Declaration) -> str:
    """The declared cookies that the sentence rules out, or that are more or fewer than it says."""
    out = {purpose for one in _known().cookies if _said(one.words, words) for purpose in one.purposes}
    if named := [f"{name} ({it.purpose})" for name, it in declaration.cookies.items() if it.purpose in out]:
        return f"the declaration has cookies that this rules out: {listed(named)}"
    for phrase, number in _known().numbers:
        if declaration.cookies and number != len(declaration.cookies) and phrase.found_in(words):
            declared = f"{len(declaration.cookies)}: {listed(list(declaration.cookies))}"
            return f"the sentence says {counted(number, 'cookie')}, the declaration names {declared}"
    return ""


def _elsewhere(words: str, declaration: Declaration) -> str:
    """Recipients and systems in another place than the one that data is said not to leave: where none is named, the
    company's country."""
    known = _known()
    places = {code for phrase, codes in known.places if phrase.found_in(words) for code in codes}
    if not _said(known.stays, words) or not (places or _said(known.abroad, words)):
        return ""
    places = places or {declaration.organisation.country}
    away = [
        *(f"{id_} ({it.role}, {it.country})" for id_, it in declaration.recipients.items() if it.country not in places),
        *(
            f"{name} (system, {it.country})"
            for name, it in declaration.systems.items()
            if it.country is not None and it.country not in places
        ),
    ]
    return f"the declaration names who has data elsewhere: {listed(away)}" if away else ""


def listed(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class _Cookies:
    words: Sequence[Phrase]
    purposes: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Known:
    cookies: Sequence[_Cookies]
    numbers: Sequence[tuple[Phrase, int]]
    stays: Sequence[Phrase]
    abroad: Sequence[Phrase]
    unless: Sequence[Phrase]
    places: Sequence[tuple[Phrase, Sequence[str]]]


def _said(phrases: Sequence[Phrase], words: str) -> bool:
    return any(phrase.found_in(words) for phrase in phrases)


@functools.cache
def _known() -> _Known:
    text = resources.files(__package__).joinpath("contradicted.toml").read_text(encoding="utf-8")
    data: Mapping[str, Any] = tomllib.loads(text)
    return _Known(
        [_Cookies(list(_phrases(one["words"])), one["purposes"]) for one in data["cookies"]],
        [(Phrase(words), number) for words, number in data["numbers"].items()],
        list(_phrases(data["stays"]["any"])),
        list(_phrases(data["stays"]["abroad"])),
        list(_phrases(data["unless"])),
        [(Phrase(words), codes.replace("UNION", _UNION).split()) for words, codes in data["places"].items()],
    )


def _phrases(texts: Sequence[str]) -> Iterator[Phrase]:
    return map(Phrase, texts)
