"""Receipt lines in words: what was done where, and what had to stay and why."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop

from troth.declaration import Declaration
from troth.service.cases.labels import declared_words, system_words, table_words
from troth.service.cases.models import Right
from troth.subjects import IN_ROWS_OF_OTHERS


@dataclass(frozen=True, slots=True)
class ReceiptSentence:
    """Something that was done or had to stay: place, number of rows, and reason."""

    system: str
    table: str
    text: str
    rows: int
    because: str = ""
    cite: str = ""
    until: dt.date | None = None
    is_in_part: bool = False
    """True if a part was changed and the rest kept."""

    @property
    def place(self) -> str:
        return f"{self.system}: {self.table}" if self.table else self.system

    @property
    def what(self) -> str:
        """The action and its reason, without the place."""
        return f"{self.text}: {self.because}" if self.because else self.text

    @property
    def why_it_stays(self) -> str:
        """The reason for keeping, preceded by the action on the rest, if any."""
        return self.what if self.is_in_part else self.because or self.text


def whole(lines: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Lines of the person's rows of which nothing stays. References cleared in other people's rows are excluded,
    because only staff may know of them."""
    return [line for line in lines if "keep" not in _what(line) and not str(line["words"]).endswith(IN_ROWS_OF_OTHERS)]


def kept(lines: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Lines of rows of which something stays: all of it, or the unchanged part. Together with `whole` these are all
    lines about the person's rows, and each row is counted in exactly one of the two."""
    return [line for line in lines if "keep" in _what(line)]


def _what(line: Mapping[str, Any]) -> list[str]:
    return str(line["what"]).split(",")


def _is_in_part(line: Mapping[str, Any]) -> bool:
    return "keep" in _what(line) and len(_what(line)) > 1


def done(line: Mapping[str, Any], right: str, declaration: Declaration) -> ReceiptSentence:
    """Convert one line to a sentence in the active language."""
    place = str(line["place"])
    system, _, table = place.partition(".")
    words = str(line["words"])
    _, named, because = words.partition(": ")  # the columns precede it
    if line["what"] == "keep" and (not named or words == _declared_reason(place, declaration)):
        because = words
    because = line.get("because") or because
    until = line.get("until")
    return ReceiptSentence(
        system=system_words(declaration, system),
        table=table_words(declaration, place) if table else "",
        text=_strategy(line, right),
        rows=line["rows"],
        because=_reason(because, place, declaration),
        cite=line.get("cite") or "",
        until=dt.date.fromisoformat(until) if until else None,
        is_in_part=_is_in_part(line),
    )


_GENERIC = (
    gettext_noop("the row is also about someone else"),
    gettext_noop("no category of it is personal data"),
    gettext_noop("it has parts that our record of systems does not list, and they are as they were"),
)
"""Reasons from `troth.subjects.plan`; others are the company's own words."""
_HELD = re.compile(r"a legal hold applies \((.+)\)")


def _reason(because: str, place: str, declaration: Declaration) -> str:
    """Reason for keeping rows, in the active language."""
    if because in _GENERIC:
        return gettext(because)
    if held := _HELD.fullmatch(because):
        return gettext("we have to keep it for an open matter (%(matter)s)") % {"matter": held[1]}
    return next((declared_words(one) for one in _declared_reasons(place, declaration) if one == because), because)


def _declared_reasons(place: str, declaration: Declaration) -> list[str]:
    """Declared reasons for keeping rows of that place, or fields of them."""
    table = declaration.table_at(place)
    fixed = [use.fixed for use in table.fields.values() if use.fixed] if table else []
    return [_declared_reason(place, declaration), *fixed]


def _declared_reason(place: str, declaration: Declaration) -> str:
    table = declaration.table_at(place)
    return table.keep.because if table and table.keep else ""


def _strategy(line: Mapping[str, Any], right: str) -> str:
    """Text for the action on the rows of one line."""
    amended = {
        Right.RESTRICT: gettext("marked as restricted"),
        Right.OBJECT: gettext("marked: this use has to stop"),
        Right.WITHDRAW: gettext("marked: this use has to stop"),
    }
    words = {
        "amend": amended.get(Right(right), gettext("corrected")) if right else "",
        "delete": gettext("deleted"),
        "null": gettext("emptied"),
        "mask": gettext("overwritten"),
        "pseudonymise": gettext("the name taken out"),
        "keep": gettext("kept"),
        "view": gettext("put into your file"),
    }
    parts = _what(line)
    is_in_part = _is_in_part(line)
    known = [words[what] for what in parts if what in words and not (is_in_part and what == "keep")]
    text = gettext("%(one)s and %(other)s") % {"one": ", ".join(known[:-1]), "other": known[-1]} if known[1:] else ""
    text = text or (known[0] if known else str(line["words"]))
    return capfirst(gettext("%(done)s in part, the rest kept") % {"done": text} if is_in_part else text)


def joined(lines: Iterable[ReceiptSentence]) -> list[ReceiptSentence]:
    """Merge lines that differ only in their number of rows."""
    sums: dict[ReceiptSentence, int] = {}
    for line in lines:
        alike = replace(line, rows=0)
        sums[alike] = sums.get(alike, 0) + line.rows
    return [replace(line, rows=rows) for line, rows in sums.items()]
