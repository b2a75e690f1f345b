"""Extracts spoken values from the promising parts of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from troth.detect.finding import Finding
from troth.detect.speech.ages import ages
from troth.detect.speech.answers import answers
from troth.detect.speech.candidate import Candidate
from troth.detect.speech.dates import dates, with_their_years
from troth.detect.speech.days import days
from troth.detect.speech.email_addresses import addresses
from troth.detect.speech.hints import TextRange
from troth.detect.speech.ip_addresses import hosts
from troth.detect.speech.language import SpokenLanguage, language
from troth.detect.speech.passwords import passwords
from troth.detect.speech.positions import positions
from troth.detect.speech.postal_addresses import streets
from troth.detect.speech.spelled_values import digits_and_letters
from troth.detect.speech.word_stream import WordStream, hear
from troth.detect.text import FoldedText

_GRAMMARS: Final = (hosts, addresses, positions, dates, days, ages, streets, answers, passwords, digits_and_letters)
"""In order of precedence: words taken by one grammar are not seen by later ones."""
_BIRTH: Final = "DATE_OF_BIRTH"
_TOGETHER: Final = 256
"""How many windows each grammar reads in turn, which is faster than running all grammars per window."""


def heard(texts: Sequence[FoldedText], places: Sequence[tuple[int, TextRange]]) -> Iterator[tuple[int, Finding]]:
    """Values spoken at *places*, each with the index of its text."""
    for first in range(0, len(places), _TOGETHER):
        yield from _heard([_window(at, texts[at], place) for at, place in places[first : first + _TOGETHER]])


def _heard(windows: Sequence[_Window]) -> Iterator[tuple[int, Finding]]:
    for grammar in _GRAMMARS:
        for window in windows:
            window.text.check_clock()
            if said := list(grammar(window.talk, window.spoken)):
                for it in said:
                    yield window.at, _finding(window, it)
                window.births += [it for it in said if it.type == _BIRTH]
                window.talk = window.talk.without(said)
    for window in windows:
        for it in with_their_years(window.whole, window.births) if len(window.births) > 1 else ():
            yield window.at, _finding(window, it)


@dataclass(slots=True, repr=False)
class _Window:
    """A part of text number *at*, from byte *start*: the *whole* word stream, the *talk* without words already taken,
    and *births*, the dates of birth found."""

    at: int
    text: FoldedText
    start: int
    written: str
    spoken: SpokenLanguage
    whole: WordStream
    talk: WordStream
    births: list[Candidate]


def _window(at: int, text: FoldedText, place: TextRange) -> _Window:
    text.check_clock()
    spoken = language(place.language)
    written = text.utf8[place.start : place.end].decode("utf-8")
    begins_line = place.start == 0 or text.utf8[place.start - 1 : place.start] == b"\n"
    talk = hear(written, spoken, begins_line=begins_line)
    return _Window(at, text, place.start, written, spoken, talk, talk, [])


def _finding(window: _Window, candidate: Candidate) -> Finding:
    start, end = window.talk.starts[candidate.start], window.talk.ends[candidate.end - 1]
    if not window.written.isascii():
        start, end = (len(window.written[:it].encode()) for it in (start, end))
    return Finding(
        window.text.offset(window.start + start),
        window.text.end(window.start + end),
        candidate.type,
        round(candidate.score, 2),
        f"spoken/{window.spoken.name}",
        candidate.checked,
        candidate.told,
    )
