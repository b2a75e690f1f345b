"""Rules about dates: impossible dates, ambiguous dates, and the age of the policy."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from troth.policy.extraction import DateKind, dates, days_meant
from troth.policy.lint.context import LintContext
from troth.policy.lint.date_formats import Written, written_dates
from troth.policy.lint.model import Hit, LintSeverity
from troth.policy.lint.prose import Occurrence, any_word, hit_at, occurrences, phrase, straight, table
from troth.policy.lint.rules import fires_when
from troth.policy.phrases import plain
from troth.policy.text import Block, PolicyText, Sentence

_CUE = any_word("dates.cue", re.I, after=r"\.?[^.]{0,12}$")
_ITSELF = re.compile(
    r"\b(?:this|our|the|these|present) (?:[\w-]{1,20} ){0,2}"
    r"(?:policy|notice|statement|declaration|page|text|document|rules)\b"
    r"[^.]{0,60}\b(?:appl\w+|govern\w*|valid|since|online|live|written|wrote|agreed|current|in use|goes? back|took over"
    r"|read through|gone through|went through|drew up|have been|stands?)\b"
    r"(?![^.]{0,60}\b(?:before|collected|bought|until)\b)",
    re.I,
)
"""A sentence about the policy itself: “This page has been online since 1 March 2021”."""
_PLACE = re.compile(r"^[^\W\d_][\w.'-]{1,30}(?: [^\W\d_][\w.'-]{1,30}){0,2}, (?:the )?$")
"""As in letters, a place before the date: “Utrecht, 1 March 2021”."""
_REVIEW_DUE = re.compile(
    r"\b(?:(?:next|due for) (?:review|revision|update)|review(?:ed)?(?: is| again)? (?:due|by|date))\b[^.]{0,25}$", re.I
)
_SEASON = re.compile(
    r"\b(?:updated?|changed?|revised?|reviewed|written|amended|modified|edited|reworked|effective|issued|published"
    r"|rewritten|rewrote|looked (?:at|over|through)|checked|refreshed|overhauled|approved|adopted|agreed|drawn up"
    r"|version|dates? (?:from|back to)|in force|valid)\b"
    r"[^.]{0,30}?"
    r"\b(?P<season>(?:(?:early|mid|late|the (?:start|beginning|middle|end) of)[ -])?"
    r"(?:spring|summer|autumn|fall|winter|christmas|easter)(?: term| half-term)?(?: of)?,? 20\d\d"
    r"|(?:early|mid|late|the (?:start|beginning|middle|end) of|Q[1-4]|(?:first|second|third|last) (?:half|quarter) of"
    r"|(?:school|academic|financial) year)[ -]20\d\d)\b",
    re.I,
)
_YEAR_ONLY = any_word("dates.changed", re.I, after=r"[:,]?(?: in)? (?P<season>20\d\d)\b(?![-/.]\d)(?=[\s.,;:)*_]|$)")
_EDITION = re.compile(
    r"(?:\b(?:privacy|data protection|our|this) (?:policy|notice|statement|declaration)[ ,:(-]{1,3})"
    r"(?P<season>20\d\d)\b(?![-/.]\d)",
    re.I,
)
"""The year of an edition: no exact date is expected there, and it limits the policy's age."""
_OF_LAW = re.compile(r"\b(?:Acts?|Regulations?|Directives?|laws?|GDPR|CCPA|CPRA)\b")
_WORDS_MAX = 20
_BESIDE = 30
"""A law named within this many characters after a date makes it the law's date."""
_GAP = re.compile(
    r"\[(?:insert |add )?(?:the |effective )?date[^\[\]]{0,30}\]"
    r"|\b(?:DD|MM|00)(?P<mark>[/.-])(?:DD|MM|00|XX)(?P=mark)(?:YYYY|YY|0000|00|20XX)\b"
    r"|\b(?:DD|D|00|_+) (?:MM|Month|_+) (?:YYYY|20XX|_+)(?!\w)|<date>|\b(?:19|20)(?:XX|__|\?\?)(?!\w)",
    re.I,
)
_NO_DAY = re.compile(
    r"\bthirty[- ]first(?: day)? of (?:February|April|June|September|November)\b|\bthirtieth(?: day)? of February\b"
    r"|\b(?:February|April|June|September|November) (?:the )?thirty[- ]first\b|\bFebruary (?:the )?thirtieth\b",
    re.I,
)
_EDGE_BLOCKS = 4
"""How many blocks from the start or end a date on its own is taken for the policy's date."""


def own_date(looked: LintContext) -> Written | None:
    """The latest date that the policy gives for itself: when it took effect or was last changed."""
    return max((date for date, _ in _own_dates(looked)), key=_day_of, default=None)


def change_date(looked: LintContext) -> Written | None:
    """The latest date on which the policy says that it was changed; else its latest own date, or the season."""
    changed = [date for date, kind in _own_dates(looked) if kind is DateKind.UPDATED]
    return max(changed, key=_day_of, default=None) or own_date(looked) or _season(looked)


def _day_of(date: Written) -> dt.date:
    return date.day or dt.date.min


def _own_dates(looked: LintContext) -> Iterator[tuple[Written, DateKind]]:
    stated = {(one.sentence.id, one.span.start): one.kind for one in dates(looked.policy)}
    for date in written_dates(looked):
        kind = _kind(date, looked.policy, stated)
        if date.day is not None and kind is not None:
            yield date, kind


def _kind(date: Written, policy: PolicyText, stated: Mapping[tuple[str, int], DateKind]) -> DateKind | None:
    """What the date says about the policy: according to the words next to it, or because it stands alone at the start
    or end."""
    before, after = straight(date.sentence.text)[: date.start], straight(date.sentence.text)[date.end :]
    if kind := stated.get((date.sentence.id, policy.place(date.sentence, date.start, date.end).start)):
        return kind
    if _REVIEW_DUE.search(before):
        return None
    of_law = _OF_LAW.search(before + after[:_BESIDE])
    if _CUE.search(before) and not of_law and len(before.split()) <= _WORDS_MAX:
        return DateKind.UPDATED
    if _ITSELF.search(before + after) and not of_law and len((before + after).split()) <= _WORDS_MAX:
        return DateKind.VERSION
    before = _PLACE.sub("", before)
    is_alone = not (before + after).strip(" .:|()*_") and _is_at_edge(date.sentence, policy.blocks)
    return DateKind.VERSION if is_alone else None


def _is_at_edge(sentence: Sentence, blocks: tuple[Block, ...]) -> bool:
    edge = (*blocks[:_EDGE_BLOCKS], *blocks[-_EDGE_BLOCKS:])
    return any(sentence is one for block in edge for one in block.sentences)


# --- the rules -------------------------------------------------------------------------------------------------------


@fires_when("S.date.invalid")
def invalid(looked: LintContext) -> Iterator[Hit]:
    """Every date that is impossible, ambiguous or incomplete."""
    for date in written_dates(looked):
        if date.wrong:
            yield hit_at(date.sentence, date.start, date.end, replacement=date.replacement, why=date.wrong)
    for sentence, found in occurrences(looked, _GAP):
        yield hit_at(sentence, found.start(), found.end(), why="The date is still to be filled in")
    for sentence, found in occurrences(looked, _NO_DAY):
        yield hit_at(sentence, found.start(), found.end(), why="The month has no such day")
    for sentence, found in (*occurrences(looked, _SEASON), *_years_alone(looked)):
        yield hit_at(sentence, *found.span("season"), why=f"{found['season']} is no date")
    for date, why in (*_to_come(looked), *_due_before(looked), *_in_another_order(looked), *_long_before(looked)):
        yield hit_at(date.sentence, date.start, date.end, why=why)


def _years_alone(looked: LintContext) -> Iterator[Occurrence]:
    """Years without a day that are given as the date of a change of the policy, in sentences that name no law."""
    for sentence, found in occurrences(looked, _YEAR_ONLY):
        is_short = len(sentence.text.split()) <= _WORDS_MAX
        if is_short and not _OF_LAW.search(sentence.text):
            yield sentence, found


def _to_come(looked: LintContext) -> Iterator[tuple[Written, str]]:
    """Dates of the last change that are in the future."""
    for date, kind in _own_dates(looked):
        if kind is DateKind.UPDATED and not date.wrong and _first_day(date) > looked.as_of and not _is_due(date):
            yield date, f"{date.text} is still to come, and nothing was changed on it"


def _due_before(looked: LintContext) -> Iterator[tuple[Written, str]]:
    """Dates of the next review that are before the policy's own date."""
    issued = max((_first_day(date) for date, _ in _own_dates(looked) if not _is_due(date)), default=None)
    for date in written_dates(looked) if issued else ():
        if _is_due(date) and not date.wrong and date.day is not None and issued is not None and date.day < issued:
            yield date, f"The next review, {date.text}, comes before the last"


def _long_before(looked: LintContext) -> Iterator[tuple[Written, str]]:
    """The date of the last change, if the policy took effect more than a year later."""
    own = [(date, kind) for date, kind in _own_dates(looked) if not date.wrong]
    counts = max((date for date, kind in own if kind is DateKind.EFFECTIVE), key=_day_of, default=None)
    changed = max((date for date, kind in own if kind is DateKind.UPDATED), key=_day_of, default=None)
    if counts is None or changed is None or _is_due(changed):
        return
    is_former = _FORMER.search(straight(changed.sentence.text)[: changed.start])
    if _day_of(counts) - _day_of(changed) > _YEAR and not is_former:
        yield changed, f"The last change, {changed.text}, is more than a year older than the policy, {counts.text}"


_YEAR = dt.timedelta(days=366)
_FORMER = any_word("dates.former", re.I, after=r"\b[^.]{0,40}$")


def _in_another_order(looked: LintContext) -> Iterator[tuple[Written, str]]:
    """The first numeric date that has day and month in a different order than the one before."""
    numbered = [(date, _NUMBERED.match(date.text)) for date in written_dates(looked)]
    sure = [
        (date, int(found[1]) > 12) for date, found in numbered if found and (int(found[1]) > 12) != (int(found[2]) > 12)
    ]
    for (before, is_day_first), (date, other) in itertools.pairwise(sure):
        if is_day_first != other:
            yield date, f"{date.text} has day and month in another order than {before.text}"
            return


_NUMBERED = re.compile(r"(\d{1,2})/(\d{1,2})/\d")


def _first_day(date: Written) -> dt.date:
    return min(days_meant(date.text), default=_day_of(date))


def _is_due(date: Written) -> bool:
    return _REVIEW_DUE.search(straight(date.sentence.text)[: date.start]) is not None


@fires_when("S.stale")
def stale(looked: LintContext) -> Iterator[Hit]:
    """A policy last reviewed twelve months ago or more is a warning; from 24 months on, an error."""
    date = own_date(looked) or _season(looked)
    if date is None or date.day is None:
        return
    months = (looked.as_of.year - date.day.year) * 12 + looked.as_of.month - date.day.month
    months -= looked.as_of.day <= date.day.day  # a month counts only after its last day
    if months >= 12:
        hit = hit_at(date.sentence, date.start, date.end, months=months)
        yield hit if months < 24 else _grave(hit)


def _season(looked: LintContext) -> Written | None:
    """The season in which the policy was last changed, as its last possible day."""
    told = (*occurrences(looked, _SEASON), *_years_alone(looked), *occurrences(looked, _EDITION))
    found = [(sentence, one) for sentence, one in told if not _OF_LAW.search(sentence.text)]
    is_north = looked.home.region != "other"
    days = [Written(one, *at.span("season"), _last_day(at["season"], is_north=is_north)) for one, at in found]
    return max(days, key=_day_of, default=None)


def _last_day(season: str, *, is_north: bool) -> dt.date:
    """The day by which that season is certainly over."""
    ends = {"spring": (6, 21), "summer": (9, 23)} if is_north else {}
    month, day = next((end for name, end in ends.items() if name in season.lower()), (12, 31))
    return dt.date(int(season[-4:]), month, day)


def _grave(hit: Hit) -> Hit:
    return Hit(hit.sentence, hit.quote, at=hit.at, says=hit.says, severity=LintSeverity.ERROR)


@fires_when("S.predates")
def predates(looked: LintContext) -> Iterator[Hit]:
    """A policy that is older than laws that apply to it: one finding for all of them. Without a date, every sentence
    that names a law that has been replaced."""
    laws = [law for law in table("laws.toml")["newer"] if law["since"] <= looked.as_of]
    date = change_date(looked)
    if date is not None and date.day is not None:
        since = [law for law in laws if law["since"] > date.day]
        newer = [law["name"] for law in since if _answers_to(law, looked.words, looked.home.region)]
        if newer:
            yield hit_at(date.sentence, date.start, date.end, laws="; ".join(newer))
        return
    for sentence in looked.policy.sentences:
        for law in laws:
            if law.get("replaced") and _answers_to(law, plain(sentence.text), ""):
                yield Hit(sentence, says=(("laws", law["name"]),))


def _answers_to(law: Mapping[str, Any], words: str, region: str) -> bool:
    return region in law.get("homes", ()) or any(phrase(text).found_in(words) for text in law["phrases"])


@fires_when("S.product.sunset")
def sunset(looked: LintContext) -> Iterator[Hit]:
    """Every sentence that mentions something that no longer exists, once for each such thing."""
    read = [(sentence, plain(sentence.text)) for sentence in looked.policy.sentences]
    rows = {
        name: row for name, row in table("names.toml").items() if not set(row.get("told_by", ())) & set(looked.regimes)
    }
    for name, row in rows.items():
        phrases = [one for text in row["phrases"] if (one := phrase(text)).found_in(looked.words)]
        for sentence, words in read:
            is_spelled = any(word in sentence.text for word in row.get("words", ()))
            is_spoken = is_spelled or any(phrase.found_in(words) for phrase in phrases)
            if is_spoken and not _KNOWS.search(sentence.text):
                says = (("name", name), ("day", f"{row['since']:%-d %B %Y}"), ("instead", row["instead"]))
                yield Hit(sentence, says=says, since=row["since"])


_KNOWS = any_word("dates.knows", re.I)
