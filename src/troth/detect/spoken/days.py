"""Days that are said without their month: ``until the sixteenth``, ``the third or the fourth``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from troth.detect.spoken.language import Language
from troth.detect.spoken.said import Said
from troth.detect.spoken.talk import Talk

__all__ = ["days", "led", "together_before"]

_WEEKDAYS: Final = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
_DAY: Final = re.compile("(?:T[fcyz]{0,3})?O")
_OF_MONTH: Final = re.compile("g[xg]M")
_DAYS_MAX: Final = 31
_LATE: Final = 13
_SOON: Final = 4
"""The last day of a month; from which on an ordinal is hardly said but of days, and up to which it orders anything."""
_BETWEEN_MAX: Final = 5
_AROUND_MAX: Final = 14
_ASKED_WORDS_MAX: Final = 25
"""How many words may stand between two days that are said together, between a day and what speaks of days or of
something else that is numbered, and between a question and its answer."""
_DATES: Final = frozenset({"DATE_TIME", "DATE_OF_BIRTH"})


def days(talk: Talk, language: Language) -> Iterator[Said]:
    """Every day that is said by its ordinal alone, or with the weekday, and that no month follows."""
    if "O" not in talk.kinds:
        return
    for together in _together(talk, language):
        first, last = together[0][0], together[-1][1]
        if _is_day_named(talk, together) or (
            _ends(talk, last, language) and _are_days(talk, first, together, language)
        ):
            for start, end in together:
                yield Said(led(talk, start), _past_month(talk, end, language), "DATE_TIME", 0.75, told=False)


def _together(talk: Talk, language: Language) -> Iterator[list[tuple[int, int]]]:
    """Days of the month, those together that only ``or``, ``to``, a correction and the like stand between."""
    found: list[tuple[int, int]] = []
    for match in _DAY.finditer(talk.kinds):
        start, end = match.span()
        if not 0 < _number(talk, start, end, language) <= _DAYS_MAX:
            continue
        if found and not _joins(talk, found[-1][1], start, language):
            yield found
            found = []
        found.append((start, end))
    if found:
        yield found


def together_before(talk: Talk, start: int, language: Language) -> int:
    """Where a day is said before a date with which it goes: ``the eighth to the twelfth of july``."""
    floor = max(0, start - _BETWEEN_MAX)
    at = talk.kinds.rfind("O", floor, start)
    if at < 0 or not _joins(talk, at + 1, start, language):
        return start
    return led(talk, at - 1 if at and talk.kinds[at - 1] == "T" else at)


def _number(talk: Talk, start: int, end: int, language: Language) -> int:
    """Which day the words say: ``twenty second``, ``22nd``."""
    word = talk.words[end - 1]
    if word[0].isdigit():
        return int(word[:-2]) if end == start + 1 and len(word) <= 4 else 0
    tens = int(language.values[talk.words[start]]) if end > start + 1 else 0
    return tens + int(language.ordinals[word]) if tens <= _DAYS_MAX else 0


def _joins(talk: Talk, end: int, start: int, language: Language) -> bool:
    words, kinds = talk.words[end:start], talk.kinds[end:start]
    return len(words) <= _BETWEEN_MAX and all(
        kind in "fcg" or word in language.between_days for kind, word in zip(kinds, words, strict=True)
    )


def _is_day_named(talk: Talk, together: Sequence[tuple[int, int]]) -> bool:
    """Whether the day of the week stands before: ``saturday the ninth``."""
    return any(talk.words[led(talk, start)] in _WEEKDAYS for start, _ in together)


def led(talk: Talk, start: int) -> int:
    """The first word of the day: its weekday, or ``the``, said once or (``the um the seventh``) twice."""
    before = start - 1
    while before >= 0 and (talk.kinds[before] in "fcyz" or talk.words[before] == "the"):
        if talk.words[before] == "the":
            start = before
        before -= 1
    return before if before >= 0 and talk.words[before] in _WEEKDAYS else start


def _past_month(talk: Talk, end: int, language: Language) -> int:
    """The word after ``of the month``, ``of this april``; *end* where that does not follow."""
    match = _OF_MONTH.match(talk.kinds, end)
    if match and talk.words[end] == "of" and talk.words[end + 1] in language.of_days:
        return match.end()
    return end + 3 if talk.words[end : end + 3] == ["of", "the", "month"] else end


def _ends(talk: Talk, end: int, language: Language) -> bool:
    """Whether nothing follows that may be what is numbered: ``the second floor``, ``the fifth of them``."""
    while end < len(talk.kinds) and talk.kinds[end] in "fcy" and talk.words[end] not in language.after_days:
        end += 1
    if end == len(talk.kinds) or talk.kinds[end] in "sz;!?":
        return True
    word, *more = talk.words[end : end + 2]
    return word in language.after_days and (word != "of" or not language.of_days.isdisjoint(more))


def _are_days(talk: Talk, first: int, together: Sequence[tuple[int, int]], language: Language) -> bool:
    """Whether days are spoken of: after a question for one, beside another, after an ``until``; late ones alone."""
    around = talk.words[max(0, first - _AROUND_MAX) : together[-1][1] + _SOON]
    numbers = [_number(talk, *it, language) for it in together]
    leads = [led(talk, start) for start, _ in together]
    has_article = all(talk.words[lead] == "the" for lead in leads)
    asked = talk.asked_before(first, 1)
    if asked and first - asked[0].at <= _ASKED_WORDS_MAX and not _DATES.isdisjoint(asked[0].prompt.types):
        return has_article or min(numbers) >= _SOON
    if not language.numbered.isdisjoint(around):
        return False
    is_led = any(_word_before(talk, lead) in language.before_days for lead in leads)
    if is_led and (has_article or talk.words[together[0][0]][0].isdigit()):
        return True
    is_late = max(numbers) >= _LATE or (min(numbers) >= _SOON and not language.of_dates.isdisjoint(around))
    return has_article and is_late and _word_before(talk, leads[0]) not in language.deadlines


def _word_before(talk: Talk, at: int) -> str:
    """The word before word *at*, past what says nothing."""
    while at and talk.kinds[at - 1] in "fcz":
        at -= 1
    return talk.words[at - 1] if at else ""
