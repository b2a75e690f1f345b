"""Public interface: how to write a flow and how to request it.

    @flow("fulfil")
    def fulfil(case_id: str) -> None:
        step("locate", lambda: locate(case_id))
        while not step("approved", lambda: is_approved(case_id)):
            wait_for_word(timedelta(days=3))
        step("erase", lambda: erase(case_id))
        step("close", lambda: close(case_id))

    with transaction.atomic():
        case.save()
        want("fulfil", case.reference)

The body of a flow only decides, and calls the functions below in an order that follows from their results alone: after
a worker dies, another one runs the body again from the top and gets the recorded result of every finished step.
Whatever reads the clock, a row or a store, or changes anything, belongs in a step.

A flow is known by an id, and its steps leave ids, counts and codes, never a value: the engine stores them in clear.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from django.db import transaction
from django.db.models import Case, Count, F, Min, Q, QuerySet, Value, When
from django.db.models.functions import Least

from troth.service.configuration import ServiceError
from troth.service.work.models import ABOUT_MAX, CODE_MAX, NAME_MAX, FlowRow, WorkerRow

Result = None | bool | int | str | Sequence["Result"] | Mapping[str, "Result"]
"""Result of a step: few ids, counts and codes."""

Body = Callable[[str], None]

_CODE = re.compile(r"[a-z][a-z0-9_.:-]*")
_State = FlowRow.State


class Stopped(ServiceError):
    """Raised in a step or a body: the flow stops until somebody has fixed *reason*, a code such as
    ``declaration_changed``, and requests it again; it then resumes at the step where it stopped."""

    def __init__(self, reason: str) -> None:
        assert _CODE.fullmatch(reason), "a reason is a code: anything else may hold a value"
        super().__init__(f"the flow stopped: {reason}")
        self.reason = reason[:CODE_MAX]


# --- writing a flow -------------------------------------------------------------------------------------------------

_flows: dict[str, Body] = {}
_feeders: list[Callable[[], object]] = []


class Carried(Protocol):
    """A running flow: what the functions below call."""

    def step(self, name: str, do: Callable[[], Result]) -> Result: ...

    def wait_for_word(self, until: dt.timedelta) -> bool: ...


carrying: ContextVar[Carried | None] = ContextVar("carrying", default=None)
"""The flow that this thread runs."""


def flow(name: str) -> Callable[[Body], Body]:
    """Register a function of one id as the body of the durable flow *name*. Place it in the duty's ``jobs.py``, which
    workers import."""
    assert _CODE.fullmatch(name), "a flow's name is a code"
    assert len(name) <= NAME_MAX, "a flow's name is short"

    def register(body: Body) -> Body:
        known = _flows.setdefault(name, body)
        assert (known.__module__, known.__qualname__) == (body.__module__, body.__qualname__), f"two flows named {name}"
        _flows[name] = body
        return body

    return register


def feeder(fill: Callable[[], object]) -> Callable[[], object]:
    """Register a function that every worker calls before it looks for flows, about once a second: it turns rows into
    flows, in batches. It runs in several workers at once, so it must claim what it takes."""
    _feeders.append(fill)
    return fill


def step(name: str, do: Callable[[], Result]) -> Result:
    """Result of *do*, done now or recorded before.

    *do* runs at least once: a worker may die between the effect and the record, so *do* must be idempotent.

    A transient error (``retryable``, or the machine's own) suspends the flow; the step is retried with growing pauses.
    `Stopped` stops the flow, any other error fails it.
    """
    assert len(name) <= NAME_MAX, "a step's name is short"
    return _mine().step(name, do)


def wait_for_word(time: dt.timedelta) -> bool:
    """Return True as soon as somebody calls `wake`, or False after *time*. A word sent since the last one was received
    counts, so check first and wait afterwards: no word is missed in between."""
    return _mine().wait_for_word(time)


def _mine() -> Carried:
    carried = carrying.get()
    assert carried is not None, "steps and waits work only in the body of a flow that a worker runs"
    return carried


def flows() -> Mapping[str, Body]:
    """Registered flow bodies, by name."""
    return _flows


def feeders() -> Sequence[Callable[[], object]]:
    """Registered feeders."""
    return _feeders


# --- requesting a flow ----------------------------------------------------------------------------------------------


def want(name: str, *abouts: str, not_before: dt.datetime | None = None) -> None:
    """Request the flow *name* for each of *abouts*, in the caller's transaction: a rollback cancels the request.

    A flow that is requested, running or waiting is left alone (use `wake` to signal it), a stopped or failed one
    resumes where it was, and a finished one starts anew.
    """
    assert all(about and len(about) <= ABOUT_MAX for about in abouts), "an id is short"
    now = _now()
    due = not_before or now
    fresh = [
        FlowRow(name=name, about=about, state=_State.WANTED, due_at=due, wanted_at=now, changed_at=now)
        for about in sorted(set(abouts))
    ]
    with transaction.atomic():
        FlowRow.objects.bulk_create(fresh, ignore_conflicts=True)
        again = FlowRow.objects.filter(name=name, about__in=set(abouts))
        common = {"state": _State.WANTED, "due_at": due, "wanted_at": now, "changed_at": now, "tries": 0}
        again.filter(state__in=[_State.STOPPED, _State.FAILED]).update(**common)
        again.filter(state=_State.DONE).update(
            **common, round=F("round") + 1, takings=0, words=0, ended_at=None, step="", reason=""
        )
        again.filter(state=_State.WANTED, due_at__gt=due).update(due_at=due)


def go_on(names: Sequence[str], reasons: Sequence[str]) -> int:
    """Resume flows of these names that stopped for one of *reasons*, now fixed. Returns how many; takes no lock if
    there are none."""
    stopped = FlowRow.objects.filter(state=_State.STOPPED, name__in=names, reason__in=reasons)
    if not stopped.exists():
        return 0
    now = _now()
    return stopped.update(state=_State.WANTED, due_at=now, wanted_at=now, changed_at=now, tries=0)


def wake(name: str, about: str) -> None:
    """Send a word to a flow, in the caller's transaction; harmless if the flow does not wait or does not exist.
    Callable from any process."""
    now = _now()
    FlowRow.objects.filter(name=name, about=about).exclude(state=_State.DONE).update(
        words=F("words") + 1,
        due_at=Case(
            When(Q(state=_State.WAITING, for_word=True), then=Least(F("due_at"), Value(now))), default=F("due_at")
        ),
    )


# --- health ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Health:
    """State of the work queue. *oldest* is the time since which a flow has been due and unclaimed."""

    workers: int
    wanted: int
    running: int
    waiting: int
    stopped: int
    failed: int
    oldest: dt.datetime | None

    def is_behind(self, now: dt.datetime, *, by: dt.timedelta = dt.timedelta(minutes=2)) -> bool:
        """True if a flow is overdue by more than *by*, because there are too few workers or none."""
        return self.oldest is not None and self.oldest < now - by


def health(now: dt.datetime | None = None, *, among: QuerySet[FlowRow] | None = None) -> Health:
    """State of the work queue at *now*, of all flows or *among* some. Raises Django's ``DatabaseError``."""
    now, flows = now or _now(), FlowRow.objects.all() if among is None else among
    rows = flows.exclude(state=_State.DONE).values_list("state").annotate(Count("pk"))
    count = dict(rows)
    oldest = flows.filter(due_at__lte=now).aggregate(Min("due_at"))["due_at__min"]
    return Health(
        workers=WorkerRow.objects.filter(lease_until__gt=now).count(),
        oldest=oldest,
        **{state.value: count.get(state.value, 0) for state in _State if state is not _State.DONE},
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
