"""The front door: what a flow is written with, and how it is wanted.

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

The body of a flow only decides, and calls the words below in an order that follows from their results alone: a
worker that dies is followed by one that runs the body again from the top, and gets the noted result of every step that
was done. Whatever reads the clock, a row or a store, or changes anything, belongs into a step.

A flow is known by an id and its steps leave ids, counts and codes, never a value: the engine notes them in clear.
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
"""What a step may leave: ids, counts and codes, few of them."""

Body = Callable[[str], None]

_CODE = re.compile(r"[a-z][a-z0-9_.:-]*")
_State = FlowRow.State


class Stopped(ServiceError):
    """Raised in a step or a body: the flow goes no further until somebody has mended *reason*, a code such as
    ``declaration_changed``, and wants it again; then it goes on at the step that it stopped at."""

    def __init__(self, reason: str) -> None:
        assert _CODE.fullmatch(reason), "a reason is a code: anything else may hold a value"
        super().__init__(f"the flow stopped: {reason}")
        self.reason = reason[:CODE_MAX]


# --- what a flow is written with ------------------------------------------------------------------------------------

_flows: dict[str, Body] = {}
_feeders: list[Callable[[], object]] = []


class Carried(Protocol):
    """A flow in a worker's hands: what the words below mean to it."""

    def step(self, name: str, do: Callable[[], Result]) -> Result: ...

    def wait_for_word(self, until: dt.timedelta) -> bool: ...


carrying: ContextVar[Carried | None] = ContextVar("carrying", default=None)
"""The flow that this thread carries."""


def flow(name: str) -> Callable[[Body], Body]:
    """Registers a function of one id as the body of the durable flow *name*. Put it into your duty's ``jobs.py``,
    which workers import."""
    assert _CODE.fullmatch(name), "a flow's name is a code"
    assert len(name) <= NAME_MAX, "a flow's name is short"

    def register(body: Body) -> Body:
        known = _flows.setdefault(name, body)
        assert (known.__module__, known.__qualname__) == (body.__module__, body.__qualname__), f"two flows named {name}"
        _flows[name] = body
        return body

    return register


def feeder(fill: Callable[[], object]) -> Callable[[], object]:
    """Registers a function that every worker calls before it looks for flows, about once a second: there rows become
    flows, in batches. It runs in several workers at once, so it claims what it takes."""
    _feeders.append(fill)
    return fill


def step(name: str, do: Callable[[], Result]) -> Result:
    """The result of *do*, done now or noted before.

    *do* is done at least once: a worker may die between the effect and the note, so it has to be harmless twice.

    An error that waiting may mend (``retryable``, or the machine's own) is no end: the flow is put away, and the step
    is done again later, and later still. `Stopped` stops the flow, any other error fails it.
    """
    assert len(name) <= NAME_MAX, "a step's name is short"
    return _mine().step(name, do)


def wait_for_word(time: dt.timedelta) -> bool:
    """Go on as soon as somebody calls `wake`, True, or after *time*, False. A word that came since the last one was
    heard counts, so look first and wait afterwards: no word is missed in between."""
    return _mine().wait_for_word(time)


def _mine() -> Carried:
    carried = carrying.get()
    assert carried is not None, "steps and waits belong into the body of a flow, and a flow runs in a worker"
    return carried


def flows() -> Mapping[str, Body]:
    """The bodies that are registered, by the names of their flows."""
    return _flows


def feeders() -> Sequence[Callable[[], object]]:
    """What is called before workers look for flows."""
    return _feeders


# --- how it is wanted -----------------------------------------------------------------------------------------------


def want(name: str, *abouts: str, not_before: dt.datetime | None = None) -> None:
    """Let the flow *name* run for each of *abouts*, in the caller's transaction: what is rolled back is not wanted.

    One that is wanted, runs or waits is left alone (`wake` tells it something), one that stopped or failed goes on
    where it was, and one that is done begins anew.
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
    """Let the flows of these names that stopped for one of *reasons* go on where they were, now that it is mended. How
    many; a look costs no lock where there are none."""
    stopped = FlowRow.objects.filter(state=_State.STOPPED, name__in=names, reason__in=reasons)
    if not stopped.exists():
        return 0
    now = _now()
    return stopped.update(state=_State.WANTED, due_at=now, wanted_at=now, changed_at=now, tries=0)


def wake(name: str, about: str) -> None:
    """Send a word to a flow, in the caller's transaction; to one that does not wait, or that is not there, it is
    harmless. Any process may."""
    now = _now()
    FlowRow.objects.filter(name=name, about=about).exclude(state=_State.DONE).update(
        words=F("words") + 1,
        due_at=Case(
            When(Q(state=_State.WAITING, for_word=True), then=Least(F("due_at"), Value(now))), default=F("due_at")
        ),
    )


# --- how it stands --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Health:
    """How work stands. *oldest* is the moment since which a flow could have been taken up and was not."""

    workers: int
    wanted: int
    running: int
    waiting: int
    stopped: int
    failed: int
    oldest: dt.datetime | None

    def is_behind(self, now: dt.datetime, *, by: dt.timedelta = dt.timedelta(minutes=2)) -> bool:
        """Whether a flow is due for longer than *by*, because there are too few workers, or none."""
        return self.oldest is not None and self.oldest < now - by


def health(now: dt.datetime | None = None, *, among: QuerySet[FlowRow] | None = None) -> Health:
    """How work stands at *now*, of all flows or *among* some. Raises Django's ``DatabaseError``."""
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
