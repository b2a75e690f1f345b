"""Status history of promises: what changed, when and why, from the rows that passes leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import F, OuterRef, Subquery, Window
from django.db.models.functions import RowNumber

from troth.controls import Earlier, Figure, Status, shown_late
from troth.declaration import Audience, Declaration
from troth.service.assurance.models import ChangeRow, PromiseRow
from troth.service.assurance.rules import promise_name

DAYS: Final = 1_000
"""Days of history on a promise's page."""
TREND_DAYS: Final = 90
_DAY = dt.timedelta(days=1)
_WIDTH: Final = 1_000
"""Width of the picture, in its own units."""


@dataclass(frozen=True, slots=True)
class KnownStatus:
    """Recorded status of a promise: since when, and the leaf of its entry."""

    since: dt.datetime
    leaf: int | None


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A change of a promise to *status*. *summary* and *figures* are those of the deciding check."""

    at: dt.datetime
    before: Status | None
    status: Status
    cause: str
    control: str
    summary: str
    figures: Mapping[str, Figure]
    leaf: int | None


_COLUMNS = ("promise", "at", "before", "status", "cause", "control", "summary", "figures", "entry__leaf")


def _change(row: tuple[str, dt.datetime, str, str, str, str, str, Mapping[str, Figure], int | None]) -> StatusChange:
    _, at, before, status, cause, control, summary, figures, leaf = row
    return StatusChange(at, Status(before) if before else None, Status(status), cause, control, summary, figures, leaf)


def changes_of(name: str, *, since: dt.datetime, until: dt.datetime) -> list[StatusChange]:
    """Changes of one promise in that period, earliest first, preceded by the last change before it, which holds at its
    start."""
    rows = ChangeRow.objects.filter(promise=name, at__lte=until).order_by("at", "pk")
    first = rows.filter(at__lt=since).values_list(*_COLUMNS).last()
    within = rows.filter(at__gte=since).values_list(*_COLUMNS)
    return [_change(row) for row in ([first, *within] if first else within)]


def latest_changes(until: Mapping[str, dt.datetime], most: int, *, since: dt.datetime) -> dict[str, list[StatusChange]]:
    """Latest changes of several promises, up to *most* each, latest first; none after the promise's time in *until*."""
    numbered = Window(RowNumber(), partition_by=F("promise"), order_by=(F("at").desc(), F("pk").desc()))
    rows = ChangeRow.objects.filter(promise__in=until, at__gte=since).annotate(number=numbered)
    found: dict[str, list[StatusChange]] = {name: [] for name in until}
    for row in rows.filter(number__lte=most).order_by("promise", "number").values_list(*_COLUMNS):
        if row[1] <= until[row[0]]:
            found[row[0]].append(_change(row))
    return found


def known(
    declaration: Declaration, audience: Audience, now: dt.datetime
) -> tuple[dict[str, KnownStatus], dict[str, Earlier]]:
    """Since when each promise has its status, by name, and the earlier status of those that *audience* sees with a
    delay."""
    rows = PromiseRow.objects.values_list("promise", "since", "entry__leaf")
    since = {name: KnownStatus(at, leaf) for name, at, leaf in rows}
    late = {
        promise_name(promise): then
        for promise in declaration.promises
        if (then := shown_late(promise, audience, now)) is not None
    }
    earlier = {name: Earlier(then, None) for name, then in late.items()}
    for then in set(late.values()):
        names = [name for name, moment in late.items() if moment == then]
        for name, at, status, leaf in _standing_at(names, then):
            since[name], earlier[name] = KnownStatus(at, leaf), Earlier(then, Status(status))
    return since, earlier


def _standing_at(names: Collection[str], then: dt.datetime) -> Iterator[tuple[str, dt.datetime, str, int | None]]:
    latest = ChangeRow.objects.filter(promise=OuterRef("promise"), at__lte=then).order_by("-at", "-pk").values("pk")[:1]
    rows = ChangeRow.objects.filter(promise__in=names, at__lte=then, pk=Subquery(latest))
    return iter(rows.values_list("promise", "at", "status", "entry__leaf"))


_HEIGHTS: Mapping[str, int] = {"kept": 40, "stated": 52, "waived": 64, "unproven": 76, "broken": 100}


# --- pictures -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """A period in one status, in units of the picture. Worse is higher, so that colour never stands alone."""

    word: str
    start: int
    width: int

    @property
    def height(self) -> int:
        return _HEIGHTS[self.word]

    @property
    def top(self) -> int:
        return 100 - self.height


def strip(changes: Sequence[StatusChange], since: dt.datetime, until: dt.datetime) -> tuple[Segment, ...]:
    """Statuses of one promise from *since* to *until*, in order; gaps where unknown."""
    span = (until - since) / _WIDTH
    ends = [*(change.at for change in changes[1:]), until]
    segments = []
    for change, end in zip(changes, ends, strict=False):
        start, stop = (round((max(at, since) - since) / span) for at in (change.at, end))
        if stop > start:
            segments.append(Segment(change.status.value, start, stop - start))
    return tuple(segments)


@dataclass(frozen=True, slots=True)
class HistoryColumn:
    """Consecutive days with equal counts per status: first day, number of days, and the stacked pieces from the bottom
    up."""

    day: dt.date
    days: int
    start: int
    counts: Mapping[Status, int]

    @property
    def pieces(self) -> Iterator[tuple[str, int, int]]:
        """Word, height and distance from the bottom."""
        ground = 0
        for status, count in self.counts.items():
            if count:
                yield status.value, count, ground
            ground += count


@dataclass(frozen=True, slots=True)
class Trend:
    """Number of *promises* in each status on each of the last days. Equal days share one column."""

    promises: int
    days: int
    columns: tuple[HistoryColumn, ...]


def trend(now_known: Mapping[str, Status], now: dt.datetime) -> Trend:
    """Trend of the last `TREND_DAYS` for the promises given with their present status, in one statement."""
    today = now.astimezone(dt.UTC).date()
    begins = dt.datetime.combine(today - (TREND_DAYS - 1) * _DAY, dt.time(), dt.UTC)
    turns = {status: [0] * (TREND_DAYS + 1) for status in Status}  # difference of each day to the one before
    rows = ChangeRow.objects.filter(promise__in=now_known, at__gte=begins, at__lte=now)
    open_until = dict.fromkeys(now_known, TREND_DAYS)
    current: dict[str, str] = {name: status.value for name, status in now_known.items()}
    for name, at, before, status in rows.order_by("-at", "-pk").values_list("promise", "at", "before", "status"):
        start = (at - begins).days
        _add(turns[Status(status)], start, open_until[name])
        open_until[name] = start
        current[name] = before
    for name, status in current.items():
        if status:
            _add(turns[Status(status)], 0, open_until[name])
    return Trend(len(now_known), TREND_DAYS, tuple(_columns(turns, begins.date())))


def _add(turns: list[int], start: int, end: int) -> None:
    turns[start] += 1
    turns[end] -= 1


def _columns(turns: Mapping[Status, list[int]], first: dt.date) -> Iterator[HistoryColumn]:
    counts, begun = dict.fromkeys(turns, 0), 0
    for number in range(TREND_DAYS):
        if number and any(several[number] for several in turns.values()):
            yield HistoryColumn(first + begun * _DAY, number - begun, begun, dict(counts))
            begun = number
        for status, several in turns.items():
            counts[status] += several[number]
    yield HistoryColumn(first + begun * _DAY, TREND_DAYS - begun, begun, dict(counts))
