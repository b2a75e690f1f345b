"""Days without a month: ``until the sixteenth``, ``the third or the fourth``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.word_stream import WordStream

_WEEKDAYS: Final = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})
_DAY: Final = re.compile("(?:T[fcyz]{0,3})?O")
_OF_MONTH: Final = re.compile("g[xg]M")
_DAYS_MAX: Final = 31
_LATE: Final = 13
_SOON: Final = 4
"""The last day of a month; the lowest ordinal that is rarely used except for days; and the highest that may count
anything."""
_BETWEEN_MAX: Final = 5
_AROUND_MAX: Final = 14
_ASKED_WORDS_MAX: Final = 25
"""Maximum number of words between two days that belong together, between a day and words about days or about other
numbered things, and between a question and its answer."""
_DATES: Final = frozenset({"DATE_TIME", "DATE_OF_BIRTH"})


def days(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """Every day given only by its ordinal, or with the weekday, and not followed by a month."""
    if "O" not in talk.kinds:
        return
    groups = [_Days(talk, it, language) for it in _together(talk, language)]
    sure = [it for it in groups if it.are_days]
    for group in groups:
        if group in sure or any(group.says_again(it) for it in sure):
            for start, end in group.days:
                yield Candidate(led(talk, start), _past_month(talk, end, language), "DATE_TIME", 0.75, told=False)


def _together(talk: WordStream, language: SpokenLanguage) -> Iterator[list[tuple[int, int]]]:
    """Days of the month, grouped if only ``or``, ``to``, a correction or the like is between them."""
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


def together_before(talk: WordStream, start: int, language: SpokenLanguage) -> int:
    """The start of a day before a date that it belongs to: ``the eighth to the twelfth of july``."""
    floor = max(0, start - _BETWEEN_MAX)
    at = talk.kinds.rfind("O", floor, start)
    if at < 0 or not _joins(talk, at + 1, start, language):
        return start
    return led(talk, at - 1 if at and talk.kinds[at - 1] == "T" else at)


def _number(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> int:
    """The day number: ``twenty second``, ``22nd``."""
    word = talk.words[end - 1]
    if word[0].isdigit():
        return int(word[:-2]) if end == start + 1 and len(word) <= 4 else 0
    tens = int(language.values[talk.words[start]]) if end > start + 1 else 0
    return tens + int(language.ordinals[word]) if tens <= _DAYS_MAX else 0


def _joins(talk: WordStream, end: int, start: int, language: SpokenLanguage) -> bool:
    words, kinds = talk.words[end:start], talk.kinds[end:start]
    return len(words) <= _BETWEEN_MAX and all(
        kind in "fcg" or word in language.between_days for kind, word in zip(kinds, words, strict=True)
    )


def led(talk: WordStream, start: int) -> int:
    """The first word of the day: its weekday or ``the``, even if said twice (``the um the seventh``)."""
    before = start - 1
    while before >= 0 and (talk.kinds[before] in "fcyz" or talk.words[before] == "the"):
        if talk.words[before] == "the":
            start = before
        before -= 1
    return before if before >= 0 and talk.words[before] in _WEEKDAYS else start


def _past_month(talk: WordStream, end: int, language: SpokenLanguage) -> int:
    """The word after ``of the month``, ``of this april``; *end* if that does not follow."""
    match = _OF_MONTH.match(talk.kinds, end)
    if match and talk.words[end] == "of" and talk.words[end + 1] in language.of_days:
        return match.end()
    return end + 3 if talk.words[end : end + 3] == ["of", "the", "month"] else end


def _ends(talk: WordStream, end: int, language: SpokenLanguage) -> bool:
    """True if no counted noun can follow: not ``the second floor`` or ``the fifth of them``."""
    while end < len(talk.kinds) and talk.kinds[end] in "fcy" and talk.words[end] not in language.after_days:
        end += 1
    if end == len(talk.kinds) or talk.kinds[end] in "sz;!?":
        return True
    word, *more = talk.words[end : end + 2]
    is_cut = talk.kinds[end + 1 : end + 2] in ("f", "c")  # ``the fifth of hang on``
    return word in language.after_days and (word != "of" or is_cut or not language.of_days.isdisjoint(more))


class _Days:
    """Days that belong together, and whether they really are days."""

    def __init__(self, talk: WordStream, days: Sequence[tuple[int, int]], language: SpokenLanguage) -> None:
        self.days: Final = days
        self._talk: Final = talk
        self._language: Final = language
        self._numbers: Final = [_number(talk, *it, language) for it in days]
        self._leads: Final = [led(talk, start) for start, _ in days]
        self._has_article: Final = all(talk.words[it] == "the" for it in self._leads)
        self._ends: Final = _ends(talk, days[-1][1], language)
        around = talk.words[max(0, days[0][0] - _AROUND_MAX) : days[-1][1] + _SOON]
        self._is_of_else: Final = not language.numbered.isdisjoint(around)
        self.are_days: Final = self._are_named() or (self._ends and (self._are_asked() or self._are_told(around)))

    def says_again(self, other: _Days) -> bool:
        """True if these repeat or continue the *other* days: they are near, and nothing else is numbered."""
        if not self._has_article or self._is_of_else or abs(self.days[0][0] - other.days[0][0]) > _ASKED_WORDS_MAX:
            return False
        return self._ends or not set(self._numbers).isdisjoint(other._numbers)

    def _are_named(self) -> bool:
        """True if the weekday precedes: ``saturday the ninth``."""
        is_plain = self._ends or any(self._talk.words[end - 1][0].isdigit() for _, end in self.days)
        named = [it for it in self._leads if self._talk.words[it] in _WEEKDAYS]
        return any(is_plain or self._talk.words[it + 1] == "the" for it in named)

    def _are_asked(self) -> bool:
        """True if a day or date was asked for."""
        asked = self._talk.asked_before(self.days[0][0], 1)
        is_asked = bool(asked) and self.days[0][0] - asked[0].at <= _ASKED_WORDS_MAX
        is_date = is_asked and not _DATES.isdisjoint(asked[0].prompt.types)
        return is_date and (self._has_article or min(self._numbers) >= _SOON)

    def _are_told(self, around: Sequence[str]) -> bool:
        """True if the context shows it: an ``until``, other dates; late days need no context."""
        if self._is_of_else:
            return False
        before = [_word_before(self._talk, it) for it in self._leads]
        is_led = not self._language.before_days.isdisjoint(before)
        if is_led and (self._has_article or self._talk.words[self.days[0][0]][0].isdigit()):
            return True
        is_near = min(self._numbers) >= _SOON and not self._language.of_dates.isdisjoint(around)
        is_late = max(self._numbers) >= _LATE or is_near
        return self._has_article and is_late and before[0] not in self._language.deadlines


def _word_before(talk: WordStream, at: int) -> str:
    """The last meaningful word before word *at*."""
    while at and talk.kinds[at - 1] in "fcz":
        at -= 1
    return talk.words[at - 1] if at else ""
