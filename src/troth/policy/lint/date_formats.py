"""Parses dates as written in a policy: order of day and month, language, and whether the day exists."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from troth.policy.lint.context import LintContext
from troth.policy.lint.prose import straight
from troth.policy.text import Sentence

_MONTHS = {name[:3].lower(): number for number, name in enumerate(calendar.month_name) if name}
_LEFT = {1: "ene", 2: "fév", 3: "mär mrz maa", 4: "avr abr", 5: "mai mei", 8: "ago aoû", 10: "okt", 12: "dez déc dic"}
"""Month names that translators leave as they are: Dezember, mars, mei."""
_MONTHS |= {name: number for number, names in _LEFT.items() for name in names.split()}
_PLAIN = str.maketrans("ſıİ", "sii")
"""Letters that case-insensitive patterns match as other letters."""
_MONTH = (
    r"(?P<month{0}>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{{0,6}}"
    r"|März|Mrz|maart|avril|abril|Mai|mei|Okt(?:ober)?|Dez(?:ember)?|décembre|diciembre|février|août|agosto|enero)\.?"
)
_DIGIT = re.compile(r"\d")
_DATE = re.compile(
    r"(?<![\d./-])(?:"
    r"(?P<y>(?:19|20)\d\d)(?P<s>[-/.])(?P<a>\d{1,2})(?P=s)(?P<b>\d{1,2})"
    r"|(?P<c>\d{1,2})(?P<t>[/-])(?P<d>\d{1,2})(?P=t)(?P<z>(?:20)?\d\d)"
    r"|(?P<g>0?[1-9]|1[0-2])[./](?P<w>20\d\d)"
    r"|(?P<w2>20\d\d)-(?P<g2>0[1-9]|1[0-2])(?!\d)"
    r"|(?P<e>\d{1,2})\.(?P<f>\d{1,2})\.(?P<x>20\d\d)"
    r"|(?P<e2>[0-3]\d)\.(?P<f2>0[1-9]|1[0-2])\.(?P<x2>\d\d)"
    rf"|(?P<day1>\d{{1,2}})(?:st|nd|rd|th|\.)?(?: of)? {_MONTH.format(1)},? (?P<year1>(?:19|20)\d\d)"
    rf"|{_MONTH.format(2)} (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year2>(?:19|20)\d\d)"
    rf"|{_MONTH.format(3)},? (?P<year3>(?:19|20)\d\d)"
    r")(?![\d/-]|\.\d)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Written:
    """A date as written. *day* is its meaning, as closely as it can be determined; *wrong* says what is wrong with
    it."""

    sentence: Sentence
    start: int
    end: int
    day: dt.date | None
    wrong: str = ""
    replacement: str | None = None
    is_none: bool = False
    """True if there is no such day. An ambiguous date is wrong, but it is a day."""

    @property
    def text(self) -> str:
        """The date as written."""
        return self.sentence.text[self.start : self.end]


def written_dates(looked: LintContext) -> Iterator[Written]:
    """All dates of the policy, in order."""
    for sentence in looked.policy.sentences:
        yield from dates_of(sentence, looked.as_of)


def dates_of(sentence: Sentence, as_of: dt.date) -> Iterator[Written]:
    """The dates of one sentence, interpreted as of *as_of*."""
    if not _DIGIT.search(sentence.text):  # as in most sentences
        return
    for found in _DATE.finditer(straight(sentence.text)):
        yield _read(sentence, found, as_of)


def _read(sentence: Sentence, match: re.Match[str], as_of: dt.date) -> Written:
    at = (sentence, match.start(), match.end())
    quote = match[0]
    if match["y"]:
        year, month, day = int(match["y"]), int(match["a"]), int(match["b"])
        if month > 12 >= day:
            right = _day(year, day, month)
            return Written(
                *at, right, f"{quote} has no month {month}", right.isoformat() if right else None, right is None
            )
        return _checked(at, quote, year, month, day)
    if match["c"]:
        return _numbers(at, quote, int(match["c"]), int(match["d"]), _year(match["z"], as_of))
    if match["e"]:
        return _checked(at, quote, int(match["x"]), int(match["f"]), int(match["e"]))
    if match["e2"]:
        return _checked(at, quote, _year(match["x2"], as_of), int(match["f2"]), int(match["e2"]))
    for form in "12":
        if match[f"month{form}"]:
            month = _month(match[f"month{form}"])
            return _checked(at, quote, int(match[f"year{form}"]), month, int(match[f"day{form}"]))
    if match["g"] or match["g2"]:
        year, month = int(match["w"] or match["w2"]), int(match["g"] or match["g2"])
    else:
        year, month = int(match["year3"]), _month(match["month3"])
    return Written(*at, dt.date(year, month, calendar.monthrange(year, month)[1]))


def _year(digits: str, as_of: dt.date) -> int:
    """The year; two digits mean the latest such year that is not in the future."""
    if len(digits) > 2:
        return int(digits)
    return as_of.year - (as_of.year - int(digits)) % 100


def _month(name: str) -> int:
    return _MONTHS[name[:3].translate(_PLAIN).lower()]


def _numbers(at: tuple[Sentence, int, int], quote: str, first: int, second: int, year: int) -> Written:
    """A date of numbers only, whose order may be ambiguous."""
    if first > 12:
        return _checked(at, quote, year, second, first)
    if second > 12:
        return _checked(at, quote, year, first, second)
    days = [day for day in (_day(year, first, second), _day(year, second, first)) if day]
    if len(set(days)) == 1:
        return Written(*at, days[0])
    if not days:
        return Written(*at, None, f"{quote} is no date", is_none=True)
    either = " or ".join(f"{day:%-d %B %Y}" for day in sorted(days))
    return Written(*at, max(days), f"{quote} may be {either}")


def _checked(at: tuple[Sentence, int, int], quote: str, year: int, month: int, day: int) -> Written:
    right = _day(year, month, day)
    if right is not None:
        return Written(*at, right)
    if not 1 <= month <= 12:
        return Written(*at, None, f"{quote} has no month", is_none=True)
    last = calendar.monthrange(year, month)[1]
    why = f"{quote}: {calendar.month_name[month]} {year} has {last} days"
    return Written(*at, dt.date(year, month, last), why, is_none=True)


def _day(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
