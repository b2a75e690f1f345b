"""Spoken dates, and whether they are dates of birth."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Final

import re2

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.days import led, together_before
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.word_stream import WordStream

_GAP: Final = "[fcyz;g]{0,6}"
_ORDINAL: Final = "(?:T[fcyz]{0,4})?O"
_DAY: Final = f"(?:{_ORDINAL}|T[dw]|[Ttdw9])"
_YEAR: Final = f"(?:[tT](?:{_GAP}[tTo9](?:{_GAP}[dw])?|{_GAP}[dw])?|[dw]k(?:[g&]?(?:[tT][dw]?|[dw]))?|oT|[oT][dw]|9)"
_MONTH: Final = "[Mn]"
_NUMERIC: Final = "o?[dt9]"
_LONGEST: Final = re2.Options()
_LONGEST.longest_match = True
_DATES: Final = re2.compile(
    f"{_ORDINAL}{_GAP}{_MONTH}(?:{_GAP}{_YEAR})?|(?:{_ORDINAL}|T[dw]|o?[Ttd9]){_GAP}M(?:{_GAP}{_YEAR})?"
    f"|{_MONTH}{_GAP}{_DAY}(?:{_GAP}{_YEAR})?|(?:T[dw]|[Ttd9])[fcyz]{{0,4}}n{_GAP}{_YEAR}|{_ORDINAL}{_GAP}(?:{_ORDINAL}|[tdw]|o[dw]){_GAP}{_YEAR}|{_MONTH}{_GAP}{_YEAR}"
    f"|{_YEAR}{_GAP}{_MONTH}{_GAP}{_ORDINAL}|{_ORDINAL}g{{2}}{_ORDINAL}|{_NUMERIC}/{_NUMERIC}/{_YEAR}",
    _LONGEST,
)
_YEAR_AFTER: Final = re2.compile(f"(?:{_GAP}){_YEAR}", _LONGEST)
_GOES_ON: Final = re2.compile("(?:[fcyzg]{0,9}[tTdokh9MO&])*")
_GOES_BACK: Final = re2.compile("(?:[fcyzg]{0,9}[tTdokh9MO&]){0,3}")
_AGAIN: Final = re2.compile("[fyzg]{0,3}[cz](?:[fcyzg]{0,9}[tTdokh9MO&])+")
_ASKED_WORDS_MAX: Final = 25
_BIRTHS: Final = frozenset({"DATE_OF_BIRTH", "CARD_EXPIRY"})
_DAY_TENS_MAX: Final = 30
_PARTS: Final = frozenset("MO/")
_YEAR_WORDS_MAX: Final = 14
_RESTATED_WORDS_MAX: Final = 16
_HOMONYMS: Final = frozenset({"may", "march", "mar", "mike"})
_PARTS_OF_MONTHS: Final = [[part, "of"] for part in ("end", "start", "beginning", "middle")]
_YEARS_SOON: Final = [[which, "year"] for which in ("this", "last", "next")]


def dates(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """Every date that is spoken with the name of a month or an ordinal day."""
    if not language.named_days.keys().isdisjoint(talk.words):
        yield from _named(talk, language)
    if _PARTS.isdisjoint(talk.kinds) and ("n" not in talk.kinds or language.months.keys().isdisjoint(talk.words)):
        return
    for match in _DATES.finditer(talk.kinds):
        start, end = match.span()
        month = next((talk.words[at] for at in range(start, end) if talk.kinds[at] in "Mn"), "")
        is_said_apart = talk.kinds[start] == "M" and "on" in talk.words[start:end]  # ``in june. on the second``
        if is_said_apart or (month and month not in language.months) or _is_spelling(talk, start, end):
            continue
        asked = [it for it in talk.asked_before(start, 2) if start - it.at <= _ASKED_WORDS_MAX]
        types = [type_ for it in asked for type_ in it.prompt.types]
        if not _BIRTHS.intersection(types) and not _may_be_day(talk, start, end, language):
            continue
        is_plain = month not in _HOMONYMS or len(match[0]) > 2
        if not (is_plain or types):
            continue
        yield _date(talk, start, end, types, language)


def with_their_years(talk: WordStream, births: Sequence[Candidate]) -> Iterator[Candidate]:
    """Each date of birth whose year comes some words later, or after the other speaker's reaction to the day, as one
    date."""
    for day, year in itertools.pairwise(sorted(births)):
        between = talk.kinds[day.end : year.start]
        if talk.kinds[day.end - 1] in "MOn" and len(between) <= _YEAR_WORDS_MAX and "?" not in between:
            yield day._replace(end=max(day.end, year.end))


def _named(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """``christmas day nineteen forty seven``; the year may be missing if a date was asked for."""
    for at in [at for at, word in enumerate(talk.words) if word in language.named_days]:
        name = next((it for it in language.named_days[talk.words[at]] if talk.words[at : at + len(it)] == it), None)
        if name is None:
            continue
        year = _YEAR_AFTER.match(talk.kinds, at + len(name))
        asked = [it.prompt.types for it in talk.asked_before(at, 1) if at - it.at <= _ASKED_WORDS_MAX]
        told = bool(asked) and asked[0][:1] == ("DATE_OF_BIRTH",)
        if year or told or asked[:1] == [("DATE_TIME",)]:
            end = year.end() if year else at + len(name)
            yield Candidate(at, end, "DATE_OF_BIRTH" if told else "DATE_TIME", 0.9 if told else 0.75, told)


def _may_be_day(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> bool:
    """True if the words before a month may be its day: not ``fifty in may``."""
    before = re.split("[Mn/]|ggO", talk.kinds[start:end])[0]
    words = talk.words[start : start + len(before)]
    tens = [int(language.values[word]) for kind, word in zip(before, words, strict=True) if kind == "T"]
    return max(tens, default=0) <= _DAY_TENS_MAX and "in" not in words


def _is_spelling(talk: WordStream, start: int, end: int) -> bool:
    """True if "november" spells the letter N among other letters."""
    return "n" in talk.kinds[start:end] and bool(
        set(talk.kinds[max(0, start - 1) : start] + talk.kinds[end : end + 1]) & set("lnd")
    )


def _date(talk: WordStream, start: int, end: int, types: list[str], language: SpokenLanguage) -> Candidate:
    births = {"DATE_OF_BIRTH"} if "O" in talk.kinds[start:end] else _BIRTHS  # card expiry has no day
    told = next((it for it in types if it in births), None)
    start = _first_try(talk, start, "OMtTd9ow" if told else "O")
    if told:
        start -= _GOES_BACK.match(talk.kinds[max(0, start - _RESTATED_WORDS_MAX) : start][::-1]).end()
    start = together_before(talk, led(talk, start), language)
    if talk.words[max(0, start - 2) : start] in _PARTS_OF_MONTHS:
        start -= 2
    if again := (_GOES_ON if told else _AGAIN).match(talk.kinds[end : end + _RESTATED_WORDS_MAX]):
        end += again.end()
    if talk.words[end : end + 2] in _YEARS_SOON:
        end += 2
    return Candidate(start, end, told or "DATE_TIME", 0.95 if told else 0.75, told is not None)


def _first_try(talk: WordStream, start: int, kinds: str) -> int:
    """The start of a date that was first said wrong: the first day or month in the turn or after the question."""
    asked = [it.at for it in talk.asked_before(start, 1)]
    floor = max([start - _RESTATED_WORDS_MAX, talk.kinds.rfind("s", 0, start) + 1 if kinds == "O" else 0, *asked, 0])
    first = next((at for at in range(floor, start) if talk.kinds[at] in kinds), start)
    return first if "c" in talk.kinds[first:start] else start
