"""Status history of promises: what changed, when and why, from the rows that passes leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import F, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from troth.controls import PromiseStatus, Status, shown_late
from troth.declaration import Audience
from troth.service.assurance.models import ChangeRow, PromiseRow

DAYS: Final = 1_000
"""Days of history on a promise's page."""
TREND_DAYS: Final = 90
_DAY = dt.timedelta(days=1)
_WIDTH: Final = 1_000
"""Width of the picture, in its own units."""


def changes_of(name: str, *, since: dt.datetime, until: dt.datetime) -> list[ChangeRow]:
    """Changes of one promise in that period, earliest first, preceded by the last change before it, which holds at its
    start."""
    rows = ChangeRow.objects.filter(promise=name, at__lte=until).select_related("entry").order_by("at", "pk")
    first = rows.filter(at__lt=since).last()
    within = rows.filter(at__gte=since)
    return [first, *within] if first else list(within)


def latest_changes(until: Mapping[str, dt.datetime], most: int, *, since: dt.datetime) -> dict[str, list[ChangeRow]]:
    """Latest changes of several promises, up to *most* each, latest first; none after the promise's time in *until*."""
    numbered = Window(RowNumber(), partition_by=F("promise"), order_by=(F("at").desc(), F("pk").desc()))
    rows = ChangeRow.objects.filter(promise__in=until, at__gte=since).annotate(number=numbered)
    found: dict[str, list[ChangeRow]] = {name: [] for name in until}
    for row in rows.filter(number__lte=most).select_related("entry").order_by("promise", "number"):
        if row.at <= until[row.promise]:
            found[row.promise].append(row)
    return found


def as_seen_by(audience: Audience, statuses: Iterable[PromiseStatus], now: dt.datetime) -> Iterator[PromiseStatus]:
    """The same statuses with what is recorded of them; for those that *audience* sees with a delay, the status at that
    time, if one is recorded."""
    statuses = tuple(statuses)
    known = {
        name: (since, leaf) for name, since, leaf in PromiseRow.objects.values_list("promise", "since", "entry__leaf")
    }
    late = {status.name: then for status in statuses if (then := shown_late(status.promise, audience, now)) is not None}
    earlier = {row.promise: row for then in set(late.values()) for row in _latest_at(then, late)}
    for status in statuses:
        if (row := earlier.get(status.name)) is not None:
            then = late[status.name]
            yield PromiseStatus(status.promise, Status(row.status), since=row.at, leaf=row.entry.leaf, as_of=then)
        else:
            since, leaf = known.get(status.name, (None, None))
            yield replace(status, since=since, leaf=leaf)


def _latest_at(then: dt.datetime, late: Mapping[str, dt.datetime]) -> QuerySet[ChangeRow]:
    """The last change until *then* of each promise that is shown as of that time."""
    names = [name for name, moment in late.items() if moment == then]
    latest = ChangeRow.objects.filter(promise=OuterRef("promise"), at__lte=then).order_by("-at", "-pk").values("pk")[:1]
    rows = ChangeRow.objects.filter(promise__in=names, at__lte=then, pk=Subquery(latest))
    return rows.select_related("entry")


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


def strip(changes: Sequence[ChangeRow], since: dt.datetime, until: dt.datetime) -> tuple[Segment, ...]:
    """Statuses of one promise from *since* to *until*, in order; gaps where unknown."""
    span = (until - since) / _WIDTH
    ends = [*(change.at for change in changes[1:]), until]
    segments = []
    for change, end in zip(changes, ends, strict=False):
        start, stop = (round((max(at, since) - since) / span) for at in (change.at, end))
        if stop > start:
            segments.append(Segment(change.status, start, stop - start))
    return tuple(segments)


def stacked(counts: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    """Pieces of a bar, one after the other: word, size and start of each that is not empty."""
    start = 0
    for word, count in counts:
        if count:
            yield str(word), count, start
        start += count


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
        return stacked(self.counts.items())


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
