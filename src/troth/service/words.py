"""Figures, dates and states in words, for templates."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

__all__ = ["ago", "day", "figure_words", "label", "listed", "moment", "register", "thousands"]

register = template.Library()

_BAND = re.compile(r"(-?\d+)-(\d+)")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@register.filter
def thousands(number: float) -> str:
    """``41870`` as ``41,870``."""
    return f"{number:,}"


@register.filter
def day(date: dt.date) -> str:
    """``1 November 2026``."""
    return f"{date.day} {date:%B %Y}"


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
    """How long before (or after) *now*, in the largest unit that fits: ``3 minutes ago``, ``in 2 days``."""
    seconds = (now - at).total_seconds()
    size = abs(seconds)
    if size < _MINUTE:
        return gettext("just now")
    if size < _HOUR:
        text = _count(size / _MINUTE, "minute", "minutes")
    elif size < 2 * _DAY:
        text = _count(size / _HOUR, "hour", "hours")
    else:
        text = _count(size / _DAY, "day", "days")
    return gettext("%s ago") % text if seconds > 0 else gettext("in %s") % text


@register.filter
def label(name: str) -> str:
    """``not_applicable`` as ``not applicable``."""
    return name.replace("_", " ")


@register.filter
def listed(names: Iterable[str]) -> str:
    """``newsletter, shop and tickets``."""
    *most, last = sorted(names) or [gettext("nothing")]
    return gettext("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last} if most else last


@register.filter
def figure_words(figures: Mapping[str, object]) -> list[tuple[str, str]]:
    """Figures as pairs of a label and a text, bands with an en dash: ``("opt outs", "1,000–9,999")``."""
    return [(label(name), _figure(value)) for name, value in figures.items()]


def _figure(value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, int):
        return thousands(value)
    if isinstance(value, float):
        return f"{value:,.4g}"
    text = str(value)
    band = _BAND.fullmatch(text)
    return f"{int(band[1]):,}–{int(band[2]):,}" if band else text


def _count(amount: float, one: str, many: str) -> str:
    whole = int(amount)
    return f"{whole} {ngettext(one, many, whole)}"
