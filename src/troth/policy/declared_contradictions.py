"""What in the declaration contradicts a sentence on cookies or data location (``contradicted.toml``)."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from troth.data_files import read_toml
from troth.declaration import Declaration
from troth.law.places import EEA
from troth.policy.phrases import Phrase, plain
from troth.text import counted, first_few


def contradictions(text: str, declaration: Declaration) -> Iterator[str]:
    """How the declaration contradicts the sentence. Conditional sentences are not compared."""
    if ruled_out := cookies_ruled_out(text, declaration):
        named = [f"{name} ({declaration.cookies[name].purpose})" for name in ruled_out]
        yield f"the declaration has cookies that this rules out: {first_few(named)}"
    elif said := other_number(text, declaration):
        declared = f"{len(declaration.cookies)}: {first_few(declaration.cookies)}"
        yield f"the sentence says {counted(said, 'cookie')}, the declaration names {declared}"
    if away := elsewhere(text, declaration):
        yield f"the declaration has data elsewhere: {first_few(_named(one, declaration) for one in away)}"


def is_of_places(text: str) -> bool:
    """True if the sentence is about data that goes abroad, or does not."""
    return _said(_known().abroad, plain(text))


def cookies_ruled_out(text: str, declaration: Declaration) -> list[str]:
    """Declared cookies that the sentence rules out."""
    words, known = plain(text), _known()
    if _said(known.unless, words):
        return []
    out = {purpose for one in known.cookies if _said(one.words, words) for purpose in one.purposes}
    return [name for name, it in declaration.cookies.items() if it.purpose in out]


def other_number(text: str, declaration: Declaration) -> int:
    """The number of cookies that the sentence states, if it differs from the declared number; otherwise 0."""
    words, known = plain(text), _known()
    if _said(known.unless, words) or not declaration.cookies:
        return 0
    said = (number for phrase, number in known.numbers if phrase.found_in(words))
    return next((number for number in said if number != len(declaration.cookies)), 0)


def elsewhere(text: str, declaration: Declaration) -> list[str]:
    """Recipients and systems outside the place that data is said not to leave, as paths of the declaration. If no place
    is named, it is the company's country."""
    words, known = plain(text), _known()
    places = {code for phrase, codes in known.places if phrase.found_in(words) for code in codes}
    if _said(known.unless, words) or not _said(known.stays, words) or not (places or _said(known.abroad, words)):
        return []
    near = {*(places or {declaration.organisation.country}), None}
    return [
        *(f"recipients.{id_}" for id_, it in declaration.recipients.items() if it.country not in near),
        *(f"systems.{name}" for name, it in declaration.systems.items() if it.country not in near),
    ]


def _named(path: str, declaration: Declaration) -> str:
    kind, _, name = path.partition(".")
    if kind == "systems":
        return f"{name} (system, {declaration.systems[name].country})"
    return f"{name} ({declaration.recipients[name].role}, {declaration.recipients[name].country})"


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
    data: Mapping[str, Any] = read_toml(__package__, "contradicted.toml")
    return _Known(
        [_Cookies(list(_phrases(one["words"])), one["purposes"]) for one in data["cookies"]],
        [(Phrase(words), number) for words, number in data["numbers"].items()],
        list(_phrases(data["stays"]["any"])),
        list(_phrases(data["stays"]["abroad"])),
        list(_phrases(data["unless"])),
        [(Phrase(words), codes.replace("UNION", " ".join(EEA)).split()) for words, codes in data["places"].items()],
    )


def _phrases(texts: Sequence[str]) -> Iterator[Phrase]:
    return map(Phrase, texts)
