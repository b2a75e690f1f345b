"""Template filters for figures, dates and states."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from django import template
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext, pgettext, pgettext_lazy

from troth.controls import CheckOutcome, PublishedStatus, Status
from troth.law import Applies
from troth.law.sentences import Counted, Fact, Month, Term, TranslatableSentence, Weekday, count
from troth.policy import Sentence

register = template.Library()

_LEADS = re.compile(r"https?://|mailto:|tel:|/(?!/)|#|[\w.-]+(?:/|$)")
_BAND = re.compile(r"(-?\d+)-(\d+)")
_SIGNS: Mapping[str, str] = {"kept": "✓", "broken": "✕", "stated": "“”", "waived": "–", "unproven": "?", "private": "·"}
STATUSES: Mapping[str, str | Promise] = {
    "kept": pgettext_lazy("promise", "kept"),
    "broken": pgettext_lazy("promise", "broken"),
    "waived": pgettext_lazy("promise", "waived"),
    "stated": pgettext_lazy("promise", "stated"),
    "unproven": pgettext_lazy("promise", "unproven"),
    "private": pgettext_lazy("promise", "private"),
}
"""Titles of statuses."""
_ENDED: Mapping[str, str | Promise] = {
    "pass": gettext_lazy("Passed"),
    "fail": gettext_lazy("Failed"),
    "error": gettext_lazy("Could not be checked"),
    "not_applicable": gettext_lazy("Showed nothing yet"),
}
_SEVERITY: Mapping[str, str | Promise] = {
    "high": gettext_lazy("grave"),
    "medium": gettext_lazy("medium"),
    "low": gettext_lazy("slight"),
    "": gettext_lazy("unknown"),
}
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@register.filter
def thousands(number: float) -> str:
    """``41870`` as ``41,870``, with the language's digit grouping."""
    return number_format(number, force_grouping=True)


@register.filter
def day(date: dt.date) -> str:
    """``1 November 2026``, ``1. November 2026``, ``1er novembre 2026``, depending on the language."""
    return _day(dt.date(date.year, date.month, date.day), get_language())


@functools.lru_cache(maxsize=4_096)
def _day(date: dt.date, language: str | None) -> str:
    """Cached: a page repeats few dates many times."""
    text = date_format(date, "DATE_FORMAT")
    return f"1er{text[1:]}" if date.day == 1 and language == "fr" else text


@register.filter
def clock(at: dt.datetime) -> str:
    """``24 November 2026, 09:41 UTC``."""
    at = at.astimezone(dt.UTC)
    return f"{day(at)}, {at:%H:%M} UTC"


@register.filter
def moment(at: dt.datetime, now: dt.datetime) -> SafeString:
    """``24 November 2026, 09:41 UTC (3 minutes ago)``, in a ``<time>``."""
    at = at.astimezone(dt.UTC)
    return format_html(
        '<time datetime="{}">{}, {} UTC</time> <span class="rel">({})</span>',
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        day(at),
        at.strftime("%H:%M"),
        ago(at, now),
    )


@register.filter
def ago(at: dt.datetime, now: dt.datetime) -> str:
    """Time before (or after) *now*, in the largest unit that fits: ``3 minutes ago``, ``in 2 days``."""
    seconds = (now - at).total_seconds()
    size = abs(seconds)
    if size < _MINUTE:
        return gettext("just now")
    if size < _HOUR:
        text = ngettext("%d minute", "%d minutes", int(size / _MINUTE)) % int(size / _MINUTE)
    elif size < 2 * _DAY:
        text = ngettext("%d hour", "%d hours", int(size / _HOUR)) % int(size / _HOUR)
    else:
        text = ngettext("%d day", "%d days", int(size / _DAY)) % int(size / _DAY)
    return gettext("%s ago") % text if seconds > 0 else gettext("in %s") % text


@register.filter
def label(name: str) -> str:
    """``not_applicable`` as ``not applicable``."""
    return name.replace("_", " ")


@register.filter
def ended(outcome: str) -> str:
    """Outcome of a check, in words that a customer understands."""
    return str(_ENDED[outcome])


@register.filter
def listed(names: Iterable[str]) -> str:
    """``newsletter, shop and tickets``."""
    *most, last = sorted(names) or [gettext("nothing")]
    return gettext("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last} if most else last


@register.filter
def figure_words(figures: Mapping[str, object]) -> list[tuple[str, str]]:
    """Figures as pairs of a label and a text, bands with an en dash: ``("opt outs", "1,000–9,999")``."""
    # “Kept” would stand beside a status of that name.
    return [(gettext("older but held") if name == "kept" else label(name), _figure(it)) for name, it in figures.items()]


@register.filter
def figure_word(figure: object) -> str:
    """A figure as text: a band with an en dash, ``1,000–9,999``."""
    return _figure(figure)


@register.filter
def status_word(status: str) -> str:
    """Status of a promise, in the active language."""
    return str(STATUSES[status])


@register.filter
def verdict_word(verdict: str) -> str:
    """Change of a clause between two policy versions, in the active language."""
    words = {
        "weakened": pgettext("clauses", "Weaker"),
        "gone": pgettext("clauses", "Gone"),
        "new": pgettext("clauses", "New"),
        "strengthened": pgettext("clauses", "Stronger"),
        "reworded": pgettext("clauses", "In other words"),
        "moved": pgettext("clauses", "Elsewhere on the page"),
    }
    return words[verdict]


@register.filter
def status_sign(status: str) -> str:
    """Symbol beside the word, so that colour alone never conveys a status."""
    return _SIGNS[status]


@register.filter
def status_text(shown: PublishedStatus) -> str:
    """Text beside the status of a promise, without a time: the page adds it."""
    passed = sum(check.outcome is CheckOutcome.PASS for check in shown.checks)
    if shown.as_of is not None:
        return gettext("As it was on %s; what came later is not shown yet") % day(shown.as_of.date())
    match shown.status:
        case None:
            return gettext("Its checks are not shown to the public")
        case Status.KEPT if not passed:
            return gettext("Its checks passed")
        case Status.KEPT:
            return ngettext("%d check passed", "%d checks passed", passed) % passed
        case Status.STATED:
            said = gettext("Stated by a named person on %(day)s, not measured: “%(words)s”")
            if shown.by_owner:
                said = gettext("Stated on %(day)s by the person who answers for it, not measured: “%(words)s”")
            return said % {"day": day(shown.said_on) if shown.said_on else "–", "words": shown.says.rstrip(".")}
        case Status.BROKEN | Status.WAIVED:
            failed = next((check for check in shown.checks if check.outcome is CheckOutcome.FAIL), None)
            said = failed.summary if failed else ""
            if shown.until is not None:
                accepted = gettext("A known breach, accepted until %s") % day(shown.until)
                return f"{accepted}: {said.rstrip('.')}" if said else accepted
            return said.rstrip(".") or gettext("A check failed")
        case Status.UNPROVEN:
            if shown.reasons:
                return shown.reasons[0].rstrip(".")
            return gettext(
                "This is not shown to be kept: checks or somebody's word are missing, too old or do not cover all of it"
            )


@register.filter
def figure_at(figures: Mapping[str, object], name: str) -> object:
    """The figure *name*, or 0."""
    return figures.get(name, 0)


@register.filter
def severity_word(severity: str) -> str:
    """Severity of a failed control, in the active language."""
    return str(_SEVERITY[severity])


@register.filter
def told(step: str) -> str:
    """A step of a `troth.law` calculation, in the active language."""
    if not isinstance(step, TranslatableSentence):
        return step
    text = gettext(step.template) % {name: _fact(fact) for name, fact in step.facts.items()}
    return f"{text[:1].upper()}{text[1:]}"


def _fact(fact: Fact) -> str:
    match fact:
        case tuple():
            *most, last = (_fact(each) for each in fact)
            return gettext("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last} if most else last
        case Counted():
            return _counted(fact)
        case Weekday():
            return date_format(fact.on, "l")
        case Month():
            return date_format(fact.on, "YEAR_MONTH_FORMAT")
        case dt.date():
            return day(fact)
        case TranslatableSentence():
            return told(fact)
        case Term():
            return gettext(fact)
        case _:
            return str(fact)


def _counted(fact: Counted) -> str:
    if get_language() in (None, "en"):
        return count(fact.number, fact.thing)
    number = fact.number
    words = {
        "month": ngettext("%(number)d month", "%(number)d months", number),
        "calendar month": ngettext("%(number)d month", "%(number)d months", number),
        "calendar day": ngettext("%(number)d calendar day", "%(number)d calendar days", number),
        "business day": ngettext("%(number)d business day", "%(number)d business days", number),
        "clock hour": ngettext("%(number)d clock hour", "%(number)d clock hours", number),
    }
    return words.get(fact.thing, words["calendar day"]) % {"number": number}


@register.filter
def law_words(law: Applies) -> str:
    """Whether a law applies or may apply, in the active language; the reason in English only."""
    if get_language() in (None, "en"):
        return str(law)
    said = gettext("%(law)s applies (%(cite)s).") if law.is_certain else gettext("%(law)s may apply (%(cite)s).")
    return said % {"law": law.regime.name, "cite": law.citation}


def _figure(value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, int):
        return thousands(value)
    if isinstance(value, float):
        return _measured(value)
    text = str(value)
    band = _BAND.fullmatch(text)
    return f"{thousands(int(band[1]))}–{thousands(int(band[2]))}" if band else text


def _measured(value: float) -> str:
    """Four significant digits, in the language's format."""
    plain = f"{value:.4g}"
    if not re.fullmatch(r"-?\d+(\.\d+)?", plain):
        return plain  # exponent, infinity or NaN
    places = len(plain.partition(".")[2])
    return number_format(float(plain), places, force_grouping=True)


class _Levelled(Protocol):
    @property
    def level(self) -> int: ...


_T = TypeVar("_T", bound=_Levelled)


@register.filter
def at_level(several: Iterable[_T], level: int) -> list[_T]:
    """Sections at *level*."""
    return [one for one in several if one.level == level]


@register.filter
def linked(sentence: Sentence) -> SafeString:
    """A policy sentence as HTML with its links; links to anything but pages, mail and telephones stay text."""
    parts, at = list[SafeString](), 0
    for link in sentence.links:
        if link.start >= at and _LEADS.match(link.href):
            parts.append(escape(sentence.text[at : link.start]))
            parts.append(format_html('<a href="{}">{}</a>', link.href, sentence.text[link.start : link.end]))
            at = link.end
    parts.append(escape(sentence.text[at:]))
    return format_html('<span id="{}">{}</span>', sentence.id, mark_safe("".join(parts)))  # noqa: S308 - all escaped


def sentence(refused: Exception) -> str:
    """An error message as a sentence for a page."""
    text = str(refused)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
