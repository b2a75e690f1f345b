"""Dates and ages that are said, and whether a date is somebody's birth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

from troth.detect.spoken.language import Language
from troth.detect.spoken.said import Said
from troth.detect.spoken.talk import Talk

__all__ = ["ages", "dates"]

_GAP: Final = "[fcyzs;g]{0,6}"
_DAY: Final = "(?:T?O|T[dw]|[Ttdw9])"
_YEAR: Final = f"(?:[tT]{_GAP}(?:[tTo9]{_GAP}[dw]?|[dw])?|dk(?:[g&]?(?:[tT][dw]?|[dw]))?|[oT][dw]|9)"
_MONTH: Final = "[Mn]"
_LONGEST: Final = re2.Options()
_LONGEST.longest_match = True
_DATES: Final = re2.compile(
    f"T?O{_GAP}{_MONTH}(?:{_GAP}{_YEAR})?|(?:T?O|T[dw]|[Ttd9]){_GAP}M(?:{_GAP}{_YEAR})?"
    f"|{_MONTH}{_GAP}{_DAY}(?:{_GAP}{_YEAR})?|T?O{_GAP}(?:T?O|[tdw]|o[dw]){_GAP}{_YEAR}|{_MONTH}{_GAP}{_YEAR}",
    _LONGEST,
)
_GOES_ON: Final = re2.compile("(?:[fcyzg]{0,9}[tTdokh9MO&])*")
_AGAIN: Final = re2.compile("[fyzg]{0,3}[cz](?:[fcyzg]{0,9}[tTdokh9MO&])+")
_ASKED_WORDS_MAX: Final = 25
_RESTATED_WORDS_MAX: Final = 16
_HOMONYMS: Final = frozenset({"may", "march", "mar", "mike"})
_WEEKDAYS: Final = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
_NUMBER: Final = "(?:T[dw]?|[td9]h?)"
_AGES: Final = re2.compile(f"{_NUMBER}(?:[fy]{{0,2}}[fc][cfg]{{0,4}}{_NUMBER}){{0,2}}")
_AGE_WORDS_MAX: Final = 12
_OLD: Final = (["years", "old"], ["months", "old"], ["year", "old"], ["weeks", "old"], ["years", "of"])
_SUBJECTS: Final = frozenset({"i'm", "he's", "she's", "am", "aged", "turned", "turning", "gone", "he'll", "she'll"})
_SUBJECTS_AND_VERBS: Final = _SUBJECTS | {"is", "was", "old"}
_PERSONS: Final = frozenset({"i", "he", "she", "daughter", "son", "mother", "father", "who"})


def dates(talk: Talk, language: Language) -> Iterator[Said]:
    """Every date that is said with a month's name or a day's ordinal."""
    if "M" not in talk.kinds and "O" not in talk.kinds and "n" not in talk.kinds:
        return
    for match in _DATES.finditer(talk.kinds):
        start, end = match.span()
        month = next((talk.words[at] for at in range(start, end) if talk.kinds[at] in "Mn"), "")
        if (month and month not in language.months) or _is_spelling(talk, start, end):
            continue
        asked = [it for it in talk.asked_before(start, 2) if start - it.at <= _ASKED_WORDS_MAX]
        types = [type_ for it in asked for type_ in it.prompt.types]
        is_plain = month not in _HOMONYMS or len(match[0]) > 2
        if not (is_plain or types):
            continue
        yield _date(talk, start, end, types, language)


def _is_spelling(talk: Talk, start: int, end: int) -> bool:
    """Whether a November is the letter N among others."""
    return "n" in talk.kinds[start:end] and bool(
        set(talk.kinds[max(0, start - 1) : start] + talk.kinds[end : end + 1]) & set("lnd")
    )


def _date(talk: Talk, start: int, end: int, types: list[str], language: Language) -> Said:
    if start and talk.words[start - 1] == "the":
        start -= 1
    if start and talk.words[start - 1] in _WEEKDAYS:
        start -= 1
    told = next((it for it in types if it in ("DATE_OF_BIRTH", "CARD_EXPIRY")), None)
    if told:
        start = _first_try(talk, start)
        start -= _GOES_ON.match(talk.kinds[max(0, start - _RESTATED_WORDS_MAX) : start][::-1]).end()
    if again := (_GOES_ON if told else _AGAIN).match(talk.kinds[end : end + _RESTATED_WORDS_MAX]):
        end += again.end()
    return Said(start, end, told or "DATE_TIME", 0.95 if told else 0.75, told is not None)


def _first_try(talk: Talk, start: int) -> int:
    """Where a date begins that was said wrong at first: at the first day or month after the question."""
    asked = talk.asked_before(start, 1)[0].at
    floor = max(asked, start - _RESTATED_WORDS_MAX)
    if "c" not in talk.kinds[floor:start]:
        return start
    first = next((at for at in range(floor, start) if talk.kinds[at] in "OMtTd9ow"), start)
    return first if "c" in talk.kinds[first:start] else start


def ages(talk: Talk, language: Language) -> Iterator[Said]:
    """Every age that is asked for, or said of somebody."""
    if not any(it.prompt.types == ("AGE",) for it in talk.asked) and _SUBJECTS_AND_VERBS.isdisjoint(talk.words):
        return
    for match in _AGES.finditer(talk.kinds):
        start, end = match.span()
        is_old = talk.words[end : end + 2] in _OLD
        before = _before_fillers(talk, start)
        if is_old or _is_answer(talk, start, before, end, language) or _is_said_of(talk, start, before, end, language):
            yield Said(start, end + 2 * is_old, "AGE", 0.9 if is_old else 0.7, told=True)


def _before_fillers(talk: Talk, start: int) -> int:
    """The last word before a number that is no filler."""
    start -= 1
    while start > 0 and talk.kinds[start] == "f":
        start -= 1
    return start


def _is_answer(talk: Talk, start: int, before: int, end: int, language: Language) -> bool:
    asked = talk.asked_before(start, 1)
    return (
        bool(asked)
        and asked[0].prompt.types == ("AGE",)
        and start - asked[0].at <= _AGE_WORDS_MAX
        and (talk.kinds[before] in "sgcy;?" or talk.words[before] in _SUBJECTS)
        and _is_whole(talk, end, language)
    )


def _is_said_of(talk: Talk, start: int, before: int, end: int, language: Language) -> bool:
    word = talk.words[before] if before >= 0 else ""
    person = talk.words[before - 1] if before > 0 else ""
    is_subject = word in _SUBJECTS or (word in ("is", "was") and person in _PERSONS)
    return is_subject and talk.kinds[start] in "tT9" and _is_whole(talk, end, language)


def _is_whole(talk: Talk, end: int, language: Language) -> bool:
    """Whether a number ends there, and does not say how many of something."""
    after = talk.words[end] if end < len(talk.words) else ""
    return talk.kinds[end : end + 1] not in tuple("dtTohk9mwln@./-_") and after not in language.counted
