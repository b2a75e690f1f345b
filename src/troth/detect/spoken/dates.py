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
_YEAR: Final = f"(?:[tT]{_GAP}(?:[tTo9]{_GAP}[dw]?|[dw])?|dk(?:g?(?:[tT][dw]?|[dw]))?|[oT][dw]|9)"
_MONTH: Final = "[Mn]"
_DATES: Final = re2.compile(
    f"T?O{_GAP}{_MONTH}(?:{_GAP}{_YEAR})?|(?:T?O|T[dw]|[Ttd9]){_GAP}M(?:{_GAP}{_YEAR})?"
    f"|{_MONTH}{_GAP}{_DAY}(?:{_GAP}{_YEAR})?|T?O{_GAP}(?:T?O|[tdw]|o[dw]){_GAP}{_YEAR}|{_MONTH}{_YEAR}"
)
_ASKED_WORDS_MAX: Final = 25
_HOMONYMS: Final = frozenset({"may", "march", "mar", "mike"})
_WEEKDAYS: Final = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
_NUMBER: Final = re2.compile("(?:T[dw]?|[td9w]h?)")
_SUBJECTS: Final = frozenset(
    {"i'm", "he's", "she's", "am", "aged", "age", "turned", "turning", "gone", "just", "i'll", "they're"}
)


def dates(talk: Talk, language: Language) -> Iterator[Said]:
    """Every date that is said with a month's name or a day's ordinal."""
    for match in _DATES.finditer(talk.kinds):
        start, end = match.span()
        month = next((talk.words[at] for at in range(start, end) if talk.kinds[at] in "Mn"), "")
        if month and month not in language.months:
            continue
        asked = [it for it in talk.asked_before(start) if start - it.at <= _ASKED_WORDS_MAX][:2]
        types = [type_ for it in asked for type_ in it.prompt.types]
        is_plain = month not in _HOMONYMS or len(match[0]) > 2
        if not (is_plain or types):
            continue
        yield _date(talk, start, end, types, language)


def _date(talk: Talk, start: int, end: int, types: list[str], language: Language) -> Said:
    if start and talk.words[start - 1] == "the":
        start -= 1
    if start and talk.words[start - 1] in _WEEKDAYS:
        start -= 1
    told = next((it for it in types if it in ("DATE_OF_BIRTH", "CARD_EXPIRY")), None)
    return Said(start, end, told or "DATE_TIME", 0.95 if told else 0.75, told is not None)


def ages(talk: Talk, language: Language) -> Iterator[Said]:
    """Every age that is asked for, or said of somebody."""
    for match in _NUMBER.finditer(talk.kinds):
        start, end = match.span()
        after = talk.words[end : end + 3]
        is_old = after[:2] in (["years", "old"], ["months", "old"], ["year", "old"], ["years", "of"])
        if is_old or _is_answer(talk, start, end, language) or _is_said_of(talk, start, end):
            yield Said(start, end, "AGE", 0.9 if is_old else 0.7, told=True)


def _is_answer(talk: Talk, start: int, end: int, language: Language) -> bool:
    asked = talk.asked_before(start)[:1]
    return (
        bool(asked)
        and asked[0].prompt.types == ("AGE",)
        and start - asked[0].at <= 12
        and talk.kinds[end : end + 1] not in list("dtTohk9mwln")
        and (end == len(talk.words) or talk.words[end] not in language.counted)
    )


def _is_said_of(talk: Talk, start: int, end: int) -> bool:
    before = talk.words[start - 1] if start else ""
    return before in _SUBJECTS and talk.kinds[end : end + 1] in ("", "s", ";") and talk.kinds[start] in "tT9"
