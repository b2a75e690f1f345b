"""The line: cases that need nobody any more are put into batches; where the configuration is wrong, it stops.

While it is stopped cases are received and their clocks run. Nothing is lost, and whoever mends the configuration lets
everything go on from where it was.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from troth.declaration import DeclarationErrors, SecretMissing
from troth.errors import TrothError
from troth.service.api import hooks
from troth.service.cases.desk import desk
from troth.service.cases.models import Batch, Case, Kind, Needs, Right, State, Stop
from troth.service.cases.names import names_of_cases, waiting_to_see
from troth.service.company import NoCompany
from troth.service.record.clock import may_end
from troth.service.work.run import Stopped, go_on, want
from troth.stores import StoreRefused, UnknownName
from troth.subjects import MapRefused, PlanRefused, RunInterrupted

BATCH_MAX = 500
"""Cases that are carried out together: as many as share one transaction of a store."""
_WRONG = (NoCompany, DeclarationErrors, SecretMissing, MapRefused, PlanRefused, StoreRefused, UnknownName)
"""What no waiting mends: the configuration is wrong, for every case alike."""
_FLOWS = ("cases.batch", "cases.follow", "cases.lift")


def form_batches() -> int:
    """Put cases that are ready into batches, and want their flows. How many batches. Several workers may do so."""
    at = dt.datetime.now(dt.UTC)
    _let_waiting_go_on(at)
    if _is_stopped(at):
        return 0
    # Whoever stopped the line is on the way to its own stop when somebody starts it again: that flow goes on here.
    go_on(_FLOWS, [_code(wrong.__name__) for wrong in _WRONG])
    if not _ready().exists():
        return 0
    formed = 0
    for right in Right.values:
        most = 1 if right == Right.AMEND else BATCH_MAX
        while _form(right, most, at):
            formed += 1
    return formed


def _ready() -> Any:
    return Case.objects.filter(kind=Kind.REQUEST, state=State.IN_PROGRESS, needs="", batch=None)


def _form(right: str, most: int, at: dt.datetime) -> bool:
    with transaction.atomic():
        rows = list(_ready().select_for_update(skip_locked=True).filter(right=right).order_by("id")[:most])
        each_person_once = {case.subject: case for case in reversed(rows)}
        if not rows:
            return False
        batch = Batch.objects.create(right=right, made_at=at)
        Case.objects.filter(pk__in=[case.pk for case in each_person_once.values()]).update(batch=batch)
        want("cases.batch", str(batch.pk))
        return True


def _let_waiting_go_on(at: dt.datetime) -> None:
    """Cases whose window is over, and those that waited for the answer to a request to see (DPA 2018 s.173), are
    carried out next."""
    waiting = Case.objects.exclude(state=State.CLOSED).filter(state=State.IN_PROGRESS)
    over = waiting.filter(needs=Needs.WINDOW, window_until__lte=at)
    if over.exists() and may_end(at):  # a look without a transaction, which on SQLite would lock everybody out
        over.update(needs="")
    known = names_of_cases(waiting.filter(needs=Needs.ACCESS).values_list("pk", "subject"))
    if ready := known.keys() - waiting_to_see(known):
        waiting.filter(needs=Needs.ACCESS, pk__in=ready).update(needs="")


def _is_stopped(at: dt.datetime) -> bool:
    """Whether the line is stopped for the declaration of now; a new one lets it run again."""
    stop = Stop.objects.filter(cleared_at=None).first()
    if stop is None:
        return False
    try:
        hash_ = desk().declaration.hash
    except TrothError:
        return True
    if stop.declaration == hash_:
        return True
    start_the_line(at)
    return False


def start_the_line(at: dt.datetime) -> None:
    """Go on after the configuration was mended: what had stopped is taken up where it was."""
    with transaction.atomic():
        if Stop.objects.filter(cleared_at=None).update(cleared_at=at):
            stopped = Batch.objects.filter(ended_at=None).values_list("pk", flat=True)
            want("cases.batch", *(str(pk) for pk in stopped))
            go_on(_FLOWS, [_code(wrong.__name__) for wrong in _WRONG])


@contextlib.contextmanager
def line() -> Iterator[None]:
    """Stop the line where the configuration is wrong: cases are received and their clocks run, nothing is lost."""
    try:
        yield
    except _WRONG as wrong:
        _stop(next(kind.__name__ for kind in _WRONG if isinstance(wrong, kind)))
    except RunInterrupted as interrupted:
        if interrupted.retryable:
            raise
        _stop("StoreRefused")


def _code(error: str) -> str:
    """The name of an error as a code."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in error).lstrip("_")


def _stop(error: str) -> None:
    why = _code(error)
    try:
        hash_ = desk().declaration.hash
    except TrothError:
        hash_ = ""
    at = dt.datetime.now(dt.UTC)
    with transaction.atomic():
        _, is_new = Stop.objects.get_or_create(
            declaration=hash_, cleared_at=None, defaults={"why": why[:40], "since": at}
        )
        if is_new:
            hooks.tell("line.stopped", {"why": why[:40]}, now=at)
    raise Stopped(why)
