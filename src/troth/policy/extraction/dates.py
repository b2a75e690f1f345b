"""Finds the dates from which a policy applies and on which it was last changed."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from troth.policy.text import PolicyText, Sentence, Span

_WORDS_MAX = 30
"""Sentences that state the policy's date are short; longer ones are about laws."""

_NEAR_CHARACTERS = 60
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


class DateKind(enum.StrEnum):
    """What a date says about the policy."""

    EFFECTIVE = "effective"
    UPDATED = "updated"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class StatedDate:
    """A date or version number as the policy prints it, and the days that it may mean (see `days_meant`)."""

    kind: DateKind
    text: str
    days: tuple[dt.date, ...]
    sentence: Sentence
    span: Span


_MONTH = rf"(?P<month>{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in _MONTHS)}|sept)\.?"
_FORMS = (
    re.compile(rf"(?<![\d.])(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?(?: of)? {_MONTH},? (?P<year>\d{{4}})(?!\d)", re.I),
    re.compile(rf"\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})(?!\d)", re.I),
    re.compile(rf"\b{_MONTH},? (?P<year>\d{{4}})(?!\d)", re.I),
    re.compile(r"(?<![\d-])(?P<year>\d{4})-(?P<number>\d\d)-(?P<day>\d\d)(?![\d-])"),
    re.compile(
        r"(?<![\d./-])(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4})(?![\d/-]|\.\d)"
    ),
)
_CUES = {
    DateKind.UPDATED: re.compile(
        r"\b(?:updated?|revis(?:ed|ion)|modified|amended|last changed|(?<!be )reviewed|changed on|version)\b", re.I
    ),
    DateKind.EFFECTIVE: re.compile(
        r"\b(?:effective|in force|takes? effect|into (?:effect|force)|(?:applies|valid) (?:from|since)|as of)\b", re.I
    ),
}
_NEXT = re.compile(r"\b(?:next|future)\b[^.]{0,30}$|\b(?:due|again)\b[^.]{0,15}$", re.I)
"""Precedes a date that is still to come."""
_VERSION = re.compile(
    r"\b(?:version|ver\.|v\.?)(?: ?no\.?| number)?:? ?(?P<number>\d{1,3}(?:\.\d{1,3}){0,3})(?![\d/-]|\.\d)", re.I
)
_DIGIT = re.compile(r"\d")
_OF_A_LAW = re.compile(r"\b(?:Acts?|Regulations?|Directives?|laws?|GDPR|CCPA|CPRA)\b")


def dates(policy: PolicyText) -> list[StatedDate]:
    """The policy's own dates and version, in order: when it takes effect, when it was last changed."""
    found: list[StatedDate] = []
    before = ""
    for sentence in policy.sentences:
        text = sentence.text
        if (
            _DIGIT.search(text)
            and len(text) <= 12 * _WORDS_MAX
            and len(text.split()) <= _WORDS_MAX
            and not _OF_A_LAW.search(text)
        ):
            for start, end, kind in sorted(_stated(text, before)):
                days = days_meant(text[start:end])
                found.append(StatedDate(kind, text[start:end], days, sentence, policy.place(sentence, start, end)))
        before = text if len(text) < _NEAR_CHARACTERS else ""
    return found


def days_meant(text: str) -> tuple[dt.date, ...]:
    """The days that a printed date may mean: none for an impossible day and for text that is no date, two if day and
    month are interchangeable, the first of the month if no day is given."""
    for form in _FORMS:
        if match := form.search(text):
            return tuple(dict.fromkeys(_days(match)))
    return ()


def _days(match: re.Match[str]) -> Iterator[dt.date]:
    parts = match.groupdict()
    year = int(parts["year"])
    if "first" in parts:
        one, other = int(parts["first"]), int(parts["second"])
        ways = [(one, other), (other, one)]
    elif "number" in parts:
        ways = [(int(parts["day"]), int(parts["number"]))]
    else:
        month = next(at for at, name in enumerate(_MONTHS, 1) if name.startswith(parts["month"][:3].casefold()))
        ways = [(int(parts.get("day") or 1), month)]
    for day, month in ways:
        with contextlib.suppress(ValueError):
            yield dt.date(year, month, day)


def _stated(text: str, before: str) -> Iterator[tuple[int, int, DateKind]]:
    """The dates in a sentence, each with its position and kind; *before* may be a label such as “Last updated”."""
    reached = 0
    for match in sorted(itertools.chain.from_iterable(form.finditer(text) for form in _FORMS), key=re.Match.start):
        if match.start() >= reached:
            near = f"{before} {text}"[: len(before) + 1 + match.start()][-_NEAR_CHARACTERS:]
            kind = _kind(near) or _kind(text[match.end() :][:_NEAR_CHARACTERS])
            if kind and not _NEXT.search(near):
                yield *match.span(), kind
            reached = match.end()
    for match in _VERSION.finditer(text):
        if not any(form.match(text, match.start("number")) for form in _FORMS):
            yield *match.span("number"), DateKind.VERSION


def _kind(near: str) -> DateKind | None:
    """The kind of the last cue, which is the one next to the date."""
    cues = {kind: max((cue.start() for cue in pattern.finditer(near)), default=-1) for kind, pattern in _CUES.items()}
    kind = max(cues, key=cues.__getitem__)
    return kind if cues[kind] >= 0 else None
