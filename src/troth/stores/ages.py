"""Ages of rows under retention rules: past their period, kept by law or hold, with a date in the future, or without a
readable one.

A start in the future is a fault unless the rule says ``ahead: not_begun``. Its row never gets past its period, so that
anybody could keep rows for ever by dating them ahead, and a wrong clock does it by accident. We do not guess from a
column's name whether it may lie ahead, as the end of a contract does: the rule says it, as it says what an empty start
means. Tomorrow's date is no fault, because clocks and time zones differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from typing import Final

from troth.controls import ControlFinding, Portion
from troth.declaration import Keep, Retention, Table
from troth.stores.contract import Before, NotBefore, Scalar, Store, StoreError, Undated
from troth.text import counted

DISPOSAL_TAKES: Final = dt.timedelta(days=1)
"""Rows are past their period from a day after its last day: a job that deletes once a day has that time."""
KEPT_ROWS_MAX: Final = 100_000
"""Rows past their period that are read one by one when another date may keep them."""


@dataclass(frozen=True, slots=True)
class Ages:
    """Row counts of one or more rules: all, those past their period, and those of them that the law or a hold keeps.
    The age of the others is unknown: their period has *not begun*, it starts in the future although the rule does not
    allow that (*ahead*), the start column has *nothing*, or something *unreadable*."""

    rows: int = 0
    past: int = 0
    kept: int = 0
    not_begun: int = 0
    nothing: int = 0
    unreadable: int = 0
    ahead: int = 0

    @classmethod
    def of(cls, store: Store, table: str, rule: Retention, declared: Table | None, today: dt.date) -> Ages:
        """The counts of one rule's *table* in *store*. Raises `StoreError`."""
        disposed = today - DISPOSAL_TAKES
        expired = past_period(rule, disposed)
        rows, past, undated = store.count(table, None), store.count(table, expired), Undated(rule.from_)
        undatable = store.count(table, undated)
        nothing = min(undatable, store.count(table, Undated(rule.from_, empty=True))) if undatable else 0
        keep = declared.keep if declared else None
        kept = _kept(store, table, expired, past, keep, disposed) if keep and past else 0
        ahead = store.count(table, NotBefore(rule.from_, _midnight(today + dt.timedelta(days=2))))
        not_begun = (nothing if rule.empty else 0) + (ahead if rule.ahead else 0)
        unclear = (0 if rule.empty else nothing, undatable - nothing, 0 if rule.ahead else ahead)
        found = cls(rows, past, kept, not_begun, *unclear)
        return found.held() if keep and keep.for_ is None else found

    @classmethod
    def together(cls, several: Iterable[Ages]) -> Ages:
        """The sum of *several*."""
        return cls(*map(sum, zip(*(astuple(it) for it in several), strict=True)))

    @property
    def overdue(self) -> int:
        return self.past - self.kept

    @property
    def excluded(self) -> int:
        return self.kept + self.not_begun + self.undated + self.ahead

    @property
    def undated(self) -> int:
        return self.nothing + self.unreadable

    def held(self) -> Ages:
        """The same counts with every row kept, however old."""
        kept = self.past + self.undated + self.ahead
        return Ages(self.rows, kept, kept, self.not_begun)

    def figures(self) -> dict[str, int]:
        told = {"rows": self.rows, "overdue": self.overdue, "kept": self.kept}
        rare = {"not begun": self.not_begun, "without a date": self.undated, "in the future": self.ahead}
        return {**told, **{name: count for name, count in rare.items() if count}}

    def portion(self, rule: Retention) -> Portion:
        """These figures as those of the rule's table, with what is compared there."""
        return Portion(rule.table, self.figures(), self.rows, self.excluded, f"{rule.for_} from {rule.from_}")

    def __str__(self) -> str:
        rare = f", {self.not_begun} not begun" if self.not_begun else ""
        rare += f", {self.undated} without a valid date" if self.undated else ""
        rare += f", {self.ahead} with a date in the future" if self.ahead else ""
        return f"{self.overdue} past their period, {self.kept} kept by law or hold{rare}"

    def faults(self, rule: Retention) -> Iterator[ControlFinding]:
        """Findings about these rows, each with its fix."""
        if self.overdue:
            its = "is past its" if self.overdue == 1 else "are past their"
            said = f"{counted(self.overdue, 'row')} {its} {rule.for_}"
            yield ControlFinding(rule.table, said, "run the disposal that is due, or record a legal hold")
        if self.nothing:
            said = f"{counted(self.nothing, 'row')} with an empty {rule.from_}, {_nobody_can_tell(rule)}"
            fix = f"write the date there; if an empty {rule.from_} means that the period has not begun, add"
            yield ControlFinding(rule.table, said, f"{fix} 'empty: not_begun' to the rule")
        if self.unreadable:
            said = f"{counted(self.unreadable, 'row')} whose {rule.from_} is not a date, {_nobody_can_tell(rule)}"
            yield ControlFinding(rule.table, said, "write the date there, as 2026-11-27 or as seconds since 1970")
        if self.ahead:
            said = (
                f"{counted(self.ahead, 'row')} whose {rule.from_} is in the future, so they are never past their period"
            )
            fix = f"correct the date; if {rule.from_} may lie ahead, as the end of a contract does, add"
            yield ControlFinding(rule.table, said, f"{fix} 'ahead: not_begun' to the rule")


def past_period(rule: Retention, today: dt.date) -> Before:
    """The rows whose period is over."""
    return Before(rule.from_, _end(rule, today))


def _nobody_can_tell(rule: Retention) -> str:
    return f"so it is unknown whether they are past their {rule.for_}"


def _end(rule: Retention | Keep, today: dt.date) -> dt.datetime:
    """The earliest time still within the period, which lasts to the end of its last day."""
    assert rule.for_ is not None
    latest = rule.for_.before(today - dt.timedelta(days=1))
    return _midnight(latest + dt.timedelta(days=1))


def _midnight(day: dt.date) -> dt.datetime:
    """The beginning of that day."""
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


def _kept(store: Store, table: str, expired: Before, past: int, keep: Keep, today: dt.date) -> int:
    """The number of rows past their period that the law still keeps. Raises `StoreError` above the limit."""
    if keep.for_ is None:
        return past
    until = _end(keep, today)
    if keep.from_ is None or keep.from_ == expired.column:
        return past - store.count(table, Before(expired.column, min(until, expired.moment)))
    rows = store.read(table, [keep.from_], expired, limit=KEPT_ROWS_MAX + 1)
    if len(rows) > KEPT_ROWS_MAX:
        message = f"{table} has more than {KEPT_ROWS_MAX:,} rows past their period; dispose of some first"
        raise StoreError(message, store=store.name)
    return sum(not _is_before(value, until) for (value,) in rows)


def _is_before(value: Scalar, moment: dt.datetime) -> bool:
    """Compares like `Before`; a row without the date is not kept by it."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return True
    if isinstance(value, dt.datetime):
        return (value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value) < moment
    return not isinstance(value, dt.date) or value < moment.date()
