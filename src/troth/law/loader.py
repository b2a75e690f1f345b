"""Strict reader of a rule set in TOML: an unknown key, a bad date or two wordings for one day are errors.

Every `BadRuleSet` names the file and the key, and says how to fix it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import re
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from string import Formatter
from types import MappingProxyType
from typing import Any, TypeVar

from troth.law.model import (
    ApplicabilityRule,
    Checked,
    Citation,
    Clock,
    ClockEvent,
    Figure,
    LawError,
    Obligation,
    Regime,
    RegulatedActivity,
    Roll,
    Unit,
)
from troth.law.places import PLACE, WORLD, Membership, Territory
from troth.law.sentences import quoted
from troth.text import did_you_mean

_Value = TypeVar("_Value")
_Word = TypeVar("_Word", bound=enum.StrEnum)

_ID = re.compile(r"[a-z][a-z0-9_]*")
_SLOTS = {"residence", "established", "activity"}
_KINDS: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    Decimal: "a decimal number",
    bool: "true or false",
    dt.date: "a date such as 2026-02-05",
    dt.datetime: "a date with a time",
    list: "a list",
    dict: "a table",
}


class BadRuleSet(LawError):
    """A rule set cannot be read: *file* and *key* say where."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}")
        self.file = file
        self.key = key


# --- one table, key by key ----------------------------------------------------------------------------------------


class _Table:
    """One TOML table. Keys are removed as they are read; an unread key is an error at the end."""

    def __init__(self, values: Mapping[str, Any], *, file: str, path: str = "") -> None:
        self._left = dict(values)
        self._known: list[str] = []
        self._file = file
        self._path = path

    def wrong(self, key: str, problem: str) -> BadRuleSet:
        return BadRuleSet(self._file, self._at(key), problem)

    def end(self) -> None:
        for key in self._left:
            raise self.wrong(key, f"is no known key{did_you_mean(key, self._known)}")

    def has(self, key: str) -> bool:
        self._known.append(key)
        return key in self._left

    def find(self, key: str, kind: type[_Value]) -> _Value | None:
        """The value of *key*, or None if it is omitted."""
        self._known.append(key)
        value = self._left.pop(key, None)
        if value is None:
            return None
        if type(value) is not kind:  # exact type: true is not a number, and a datetime is not a date
            raise self.wrong(key, f"must be {_KINDS[kind]}, not {_KINDS.get(type(value), type(value).__name__)}")
        if value in ("", [], {}):
            raise self.wrong(key, "is empty; leave it out instead")
        return value

    def take(self, key: str, kind: type[_Value], default: _Value | None = None) -> _Value:
        """The value of *key*; without a *default* it is required."""
        value = self.find(key, kind)
        if value is not None:
            return value
        if default is None:
            raise self.wrong(key, "is missing")
        return default

    def name(self, key: str) -> str:
        text = self.take(key, str)
        if not _ID.fullmatch(text):
            raise self.wrong(key, f"{quoted(text)} must be lower-case letters, digits and underscores")
        return text

    def whole(self, key: str, default: int | None = None) -> int:
        number = self.take(key, int, default)
        if number < 1 and number != default:
            raise self.wrong(key, "must be 1 or more")
        return number

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.take(key, list, [])
        if not all(isinstance(value, str) and value for value in values) or len(set(values)) < len(values):
            raise self.wrong(key, "must be a list of different texts")
        return tuple(values)

    def word(self, key: str, words: type[_Word], default: _Word | None = None) -> _Word:
        return self._as_word(key, self.take(key, str, None if default is None else default.value), words)

    def words(self, key: str, words: type[_Word]) -> tuple[_Word, ...]:
        return tuple(self._as_word(key, text, words) for text in self.texts(key))

    def days(self) -> tuple[dt.date | None, dt.date | None]:
        first, last = self.find("applies_from", dt.date), self.find("applies_to", dt.date)
        if first and last and last < first:
            raise self.wrong("applies_to", f"{last} is before applies_from, {first}")
        return first, last

    def figures(self, key: str) -> Mapping[str, Figure]:
        values = self.take(key, dict, {})
        for name, value in values.items():
            if type(value) not in (int, Decimal, str):
                raise self.wrong(f"{key}.{name}", "must be a number or a text")
        return MappingProxyType(values)

    def tables(self, key: str) -> Iterator[_Table]:
        """The tables of an array of tables; each must be read to its last key."""
        for number, values in enumerate(self.take(key, list, []), start=1):
            if not isinstance(values, dict):
                raise self.wrong(key, f"must be written as [[{key}]] tables")
            label = values["id"] if isinstance(values.get("id"), str) else number
            with _whole(values, file=self._file, path=self._at(f"{key} {label}")) as table:
                yield table

    def inner(self, key: str) -> _Table | None:
        values = self.find(key, dict)
        return None if values is None else _Table(values, file=self._file, path=self._at(key))

    def _as_word(self, key: str, text: str, words: type[_Word]) -> _Word:
        known = [word.value for word in words]
        if text not in known:
            raise self.wrong(key, f"{quoted(text)} is none of {', '.join(known)}{did_you_mean(text, known)}")
        return words(text)

    def _at(self, key: str) -> str:
        return ".".join(filter(None, (self._path, key)))


@contextmanager
def _whole(values: Mapping[str, Any], *, file: str, path: str = "") -> Iterator[_Table]:
    """Context manager for a table that must be read to its last key."""
    table = _Table(values, file=file, path=path)
    yield table
    table.end()


def _parse(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise BadRuleSet(file, "", f"is not TOML: {error}") from None


# --- a rule set ---------------------------------------------------------------------------------------------------


def read_regime(text: str, *, file: str, territories: Collection[str] = ()) -> Regime:
    """The regime in *text*. *file* names it in errors and is the regime's id with ``.toml``; *territories* are the
    groups of places that a reach may name.

    Raises `BadRuleSet`.
    """
    with _whole(_parse(text, file), file=file) as table:
        bare = _bare(table, file, {*territories, WORLD})
        holidays = table.take("holidays", str, ""), table.take("holidays_within", str, "")
        reach = tuple(_reach(each, bare.citation.law, territories) for each in table.tables("reach"))
        obligations = tuple(_obligation(each, bare, holidays) for each in table.tables("obligation"))
        _refuse_overlaps(table, obligations)
    return dataclasses.replace(bare, reach=reach, obligations=obligations)


def _bare(table: _Table, file: str, territories: Collection[str]) -> Regime:
    first, last = table.days()
    is_pending = table.take("pending", bool, default=False)
    if is_pending and (first or last):
        raise table.wrong("applies_from", "a pending regime has no dates; they come when `pending` goes")
    if not is_pending and first is None:
        raise table.wrong("applies_from", "is missing; only a pending regime has none")
    regime = Regime(
        id=table.name("id"),
        name=table.take("name", str),
        citation=Citation(table.take("law", str), url=table.take("url", str, "")),
        jurisdiction=_place(table, "jurisdiction", table.take("jurisdiction", str), territories),
        reviewed=table.take("reviewed", dt.date),
        applies_from=first,
        applies_to=last,
        is_pending=is_pending,
        note=table.take("note", str, ""),
    )
    if file != f"{regime.id}.toml":
        raise table.wrong("id", f"the file of {quoted(regime.id)} must be called {regime.id}.toml")
    return regime


def _reach(table: _Table, law: str, territories: Collection[str]) -> ApplicabilityRule:
    first, last = table.days()
    reach = ApplicabilityRule(
        because=table.take("because", str),
        citation=_citation(table, law),
        established=_places(table, "established", territories),
        residence=_places(table, "residence", territories),
        must_serve=table.take("must_serve", bool, default=False),
        activity=table.word("activity", RegulatedActivity) if table.has("activity") else None,
        provided=table.take("provided", str, ""),
        applies_from=first,
        applies_to=last,
    )
    _check_slots(table, reach)
    if not (reach.established or reach.residence or reach.activity):
        raise table.wrong("because", "needs at least one of established, residence, activity beside it")
    return reach


def _places(table: _Table, key: str, territories: Collection[str]) -> tuple[str, ...]:
    return tuple(_place(table, key, place, territories) for place in table.texts(key))


def _place(table: _Table, key: str, place: str, territories: Collection[str]) -> str:
    if place in territories or PLACE.fullmatch(place):
        return place
    known = did_you_mean(place, territories)
    raise table.wrong(key, f"{quoted(place)} is no place (GB, US-CA) and no territory{known}")


def _check_slots(table: _Table, reach: ApplicabilityRule) -> None:
    try:
        slots = {name for _, name, _, _ in Formatter().parse(reach.because) if name is not None}
    except ValueError as error:
        raise table.wrong("because", f"has unbalanced braces: {error}") from None
    for slot in sorted(slots):
        if slot not in _SLOTS:
            raise table.wrong("because", f"{{{slot}}} is none of {', '.join(sorted(_SLOTS))}")
        if not getattr(reach, slot):
            raise table.wrong("because", f"{{{slot}}} stands in the words, but the reach has no {slot}")


def _obligation(table: _Table, regime: Regime, holidays: tuple[str, str]) -> Obligation:
    first, last = table.days()
    if regime.is_pending and (first or last):
        raise table.wrong("applies_from", "an obligation of a pending regime has no dates")
    clock = table.inner("clock")
    obligation = Obligation(
        id=f"{regime.id}.{table.name('id')}",
        what=table.take("what", str),
        citation=_citation(table, regime.citation.law),
        jurisdiction=table.take("jurisdiction", str, regime.jurisdiction),
        checked=table.word("checked", Checked),
        applies_from=first or regime.applies_from,
        applies_to=last or regime.applies_to,
        clock=None if clock is None else _clock(clock, holidays),
        figures=table.figures("figures"),
        note=table.take("note", str, ""),
    )
    _refuse_outside(table, obligation, regime)
    return obligation


def _citation(table: _Table, law: str) -> Citation:
    return Citation(table.take("law", str, law), table.take("cite", str), table.take("url", str, ""))


def _clock(table: _Table, holidays: tuple[str, str]) -> Clock:
    values: dict[str, Any] = {
        "number": table.whole("number"),
        "unit": table.word("unit", Unit),
        "starts": table.words("starts", ClockEvent),
        "roll": table.word("roll", Roll, Roll.NONE),
        "extension": table.whole("extension", 0),
        "pausable": table.take("pausable", bool, default=False),
        "holidays": table.take("holidays", str, holidays[0]),
        "holidays_within": table.take("holidays_within", str, holidays[1]),
    }
    table.end()
    try:
        return Clock(**values)
    except LawError as error:
        raise table.wrong("", str(error)) from None


def _refuse_outside(table: _Table, obligation: Obligation, regime: Regime) -> None:
    """An obligation's dates are within those of its regime."""
    first, last = obligation.applies_from, obligation.applies_to or dt.date.max
    if first is None or regime.applies_from is None:
        return
    if first < regime.applies_from:
        raise table.wrong("applies_from", f"{first} is before the regime's own, {regime.applies_from}")
    if last < first:
        raise table.wrong("applies_to", f"{last} is before applies_from, {first}")
    if regime.applies_to is not None and last > regime.applies_to:
        raise table.wrong("applies_to", f"{last} is after the regime's own, {regime.applies_to}")


def _refuse_overlaps(table: _Table, obligations: Collection[Obligation]) -> None:
    """An obligation has at most one wording on any day."""
    wordings: defaultdict[str, list[Obligation]] = defaultdict(list)
    for each in obligations:
        wordings[each.id].append(each)
    for name, versions in wordings.items():
        versions.sort(key=lambda each: each.applies_from or dt.date.min)
        for earlier, later in pairwise(versions):
            if later.applies_from is None or later.applies_from <= (earlier.applies_to or dt.date.max):
                problem = f"has two wordings on {later.applies_from or 'every day'}; end the earlier one before it"
                raise table.wrong(f"obligation {name.partition('.')[2]}", problem)


# --- places -------------------------------------------------------------------------------------------------------


def read_places(text: str, *, file: str) -> tuple[Mapping[str, str], Mapping[str, Territory]]:
    """The names of places, and the territories with their dated membership. Raises `BadRuleSet`."""
    with _whole(_parse(text, file), file=file) as table:
        names = table.take("names", dict)
        if not all(isinstance(name, str) for name in names.values()):
            raise table.wrong("names", "must all be texts")
        territories = {each.id: each for each in map(_territory, table.tables("territory"))}
    return MappingProxyType(names), MappingProxyType(territories)


def _territory(table: _Table) -> Territory:
    return Territory(
        id=table.take("id", str),
        name=table.take("name", str),
        members=tuple(_membership(each) for each in table.tables("members")),
    )


def _membership(table: _Table) -> Membership:
    first, last = table.days()
    return Membership(frozenset(_places(table, "places", ())), first, last)
