"""Lines of receipts in words: where something was done, what, and what had to stay and why."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop

from troth.declaration import Declaration
from troth.service.cases.models import Right
from troth.service.cases.package.words import declared_words, system_words, table_words

__all__ = ["Done", "done", "joined"]


@dataclass(frozen=True, slots=True)
class Done:
    """Something that was done or had to stay: where, how much, and for which reason."""

    system: str
    table: str
    text: str
    rows: int
    because: str = ""
    cite: str = ""
    until: dt.date | None = None

    @property
    def place(self) -> str:
        return f"{self.system}: {self.table}" if self.table else self.system

    @property
    def what(self) -> str:
        """What was done, and why: the same for many places."""
        return f"{self.text}: {self.because}" if self.because else self.text


def done(line: Mapping[str, Any], right: str, declaration: Declaration) -> Done:
    """One line in the language of now."""
    place = str(line["place"])
    system, _, table = place.partition(".")
    words = str(line["words"])
    _, named, because = words.partition(": ")  # before it stand the columns
    if line["what"] == "keep" and (not named or words == _declared_reason(place, declaration)):
        because = words
    until = line.get("until")
    return Done(
        system=system_words(declaration, system),
        table=table_words(declaration, place) if table else "",
        text=_strategy(line, right),
        rows=line["rows"],
        because=_reason(because, place, declaration),
        cite=line.get("cite") or "",
        until=dt.date.fromisoformat(until) if until else None,
    )


_GENERIC = (
    gettext_noop("the row is also about someone else"),
    gettext_noop("no category of it is personal data"),
)
"""Reasons of `troth.subjects.plan`; the others are the company's own words."""
_HELD = re.compile(r"a legal hold stands \((.+)\)")


def _reason(because: str, place: str, declaration: Declaration) -> str:
    """Why rows stayed, in the language of now."""
    if because in _GENERIC:
        return gettext(because)
    if held := _HELD.fullmatch(because):
        return gettext("we have to keep it for an open matter (%(matter)s)") % {"matter": held[1]}
    declared = _declared_reason(place, declaration)
    return declared_words(declared) if declared == because else because


def _declared_reason(place: str, declaration: Declaration) -> str:
    system, _, name = place.partition(".")
    known = declaration.systems.get(system)
    table = known.tables.get(name) if known else None
    return table.keep.because if table and table.keep else ""


def _strategy(line: Mapping[str, Any], right: str) -> str:
    """What was done with the rows of one line."""
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
    known = [words[what] for what in str(line["what"]).split(",") if what in words]
    text = gettext("%(one)s and %(other)s") % {"one": ", ".join(known[:-1]), "other": known[-1]} if known[1:] else ""
    return capfirst(text or (known[0] if known else str(line["words"])))


def joined(lines: Iterable[Done]) -> list[Done]:
    """The lines with those put together that differ in their number of rows alone."""
    sums: dict[Done, int] = {}
    for line in lines:
        alike = replace(line, rows=0)
        sums[alike] = sums.get(alike, 0) + line.rows
    return [replace(line, rows=rows) for line, rows in sums.items()]
