"""Kinds of jobs: how to register one, and how it is run and retried."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from troth.service.configuration import ServiceError
from troth.service.core.jobs.models import KIND_MAX, NORMAL
from troth.service.core.jobs.running import CODE, RunningJob

Handler = Callable[[RunningJob], dt.datetime | None]
"""Runs a job. It may be called again after a crash, so what it does must be idempotent, or a step. A recurring job
returns its next run."""
BatchHandler = Callable[[Sequence[RunningJob]], None]
"""Runs several jobs of one kind; those that it does not end itself are done when it returns."""


class UnknownKind(ServiceError):
    """No kind of job has that name."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Pauses after each failure in a row that may pass: doubled from *first* up to *longest*. *waits* gives them one
    by one instead, and repeats the last."""

    first: dt.timedelta = dt.timedelta(seconds=2)
    longest: dt.timedelta = dt.timedelta(minutes=10)
    waits: Sequence[dt.timedelta] = ()

    def pause(self, attempts: int) -> dt.timedelta:
        """The pause after this many failures in a row, with jitter unless it is given."""
        if self.waits:
            return self.waits[min(attempts, len(self.waits)) - 1]
        doubled = min(self.first * 2.0 ** min(attempts - 1, 20), self.longest)
        return doubled * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load


@dataclass(frozen=True, slots=True)
class Kind:
    """A registered kind of job."""

    name: str
    run: Callable[[Sequence[RunningJob]], Any]
    origin: object = field(compare=False)
    retry: Retry = Retry()
    at_once: int | None = None
    """Most that one worker runs at once, so that slow ones leave threads to others."""
    batch: int = 1
    every: dt.timedelta | None = None
    """Pause between two runs of a recurring job that returns no time for the next."""
    priority: int = NORMAL
    """Of a recurring job; others have that with which they are enqueued."""


_kinds: dict[str, Kind] = {}
_pollers: list[Callable[[dt.datetime], object]] = []


def job(
    name: str,
    *,
    retry: Retry | None = None,
    at_once: int | None = None,
    every: dt.timedelta | None = None,
    priority: int = NORMAL,
) -> Callable[[Handler], Handler]:
    """Register a function as the kind *name*, such as ``mail.send``. With *every* it is a recurring job: every worker
    makes sure that it is scheduled, with *priority*, and it runs again after that pause or at the time that it
    returns."""

    def register(run: Handler) -> Handler:
        def each(jobs: Sequence[RunningJob]) -> dt.datetime | None:
            return run(jobs[0])

        _add(Kind(name, each, run, retry or Retry(), at_once, every=every, priority=priority))
        return run

    return register


def batch_job(
    name: str, *, most: int, retry: Retry | None = None, at_once: int | None = None
) -> Callable[[BatchHandler], BatchHandler]:
    """Register a function that runs up to *most* jobs of the kind *name* together."""

    def register(run: BatchHandler) -> BatchHandler:
        _add(Kind(name, run, run, retry or Retry(), at_once, batch=most))
        return run

    return register


def poller(poll: Callable[[dt.datetime], object]) -> Callable[[dt.datetime], object]:
    """Register a function that every worker calls about once a second: it enqueues jobs for rows that are ready. It
    runs in several workers at once, so it must claim what it takes."""
    _pollers.append(poll)
    return poll


def _add(kind: Kind) -> None:
    assert CODE.fullmatch(kind.name), "a kind's name is a code"
    assert len(kind.name) <= KIND_MAX, "a kind's name is short"
    known = _kinds.get(kind.name)
    assert known is None or _place(known.origin) == _place(kind.origin), f"two kinds named {kind.name}"
    _kinds[kind.name] = kind


def _place(run: Any) -> tuple[str, str]:
    return run.__module__, run.__qualname__


def kinds() -> Mapping[str, Kind]:
    """Registered kinds, by name."""
    return _kinds


def chosen(only: Collection[str]) -> dict[str, Kind]:
    """Registered kinds whose name is one of *only* or begins with one and a dot; all of them if it is empty. Raises
    `UnknownKind` for a name that is of none."""
    for one in only:
        if not any(name == one or name.startswith(f"{one}.") for name in _kinds):
            raise UnknownKind(f"no kind of job is {one!r} or begins with it; there are {', '.join(sorted(_kinds))}")
    return {
        name: kind
        for name, kind in _kinds.items()
        if not only or any(name == one or name.startswith(f"{one}.") for one in only)
    }


def pollers() -> Sequence[Callable[[dt.datetime], object]]:
    """Registered pollers."""
    return _pollers
