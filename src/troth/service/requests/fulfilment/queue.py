"""Batches cases that are ready for automatic processing; halts while the configuration is invalid.

During a halt, cases are still received and their clocks run. Nothing is lost, and after the configuration is fixed,
processing resumes where it was.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet

from troth.declaration import DeclarationErrors, SecretMissing
from troth.errors import TrothError
from troth.rows import MapRefused, PlanRefused, RunInterrupted
from troth.service.api import webhooks
from troth.service.cases.aliases import names_of_cases
from troth.service.cases.models import Case, CaseBatch, CaseKind, CaseState, Right, WaitReason
from troth.service.core.clock import may_end
from troth.service.core.deployment import NoDeployment, current
from troth.service.core.jobs.queue import enqueue, resume_stopped
from troth.service.core.jobs.running import Stopped
from troth.service.requests.fulfilment.holds import waiting_to_see
from troth.service.requests.models import ProcessingHalt
from troth.stores import StoreRefused, UnknownName

BATCH_MAX = 100
"""Maximum number of cases per batch. With 500 the same requests take no less time, with 50 an eighth more."""
_WRONG = (NoDeployment, DeclarationErrors, SecretMissing, MapRefused, PlanRefused, StoreRefused, UnknownName)
"""Errors that a retry does not fix: the configuration is wrong for all cases."""
_KINDS = ("requests.batch", "requests.follow", "requests.ask", "requests.lift")


def form_batches() -> int:
    """Put ready cases into batches, and enqueue their jobs. Returns the number of batches. Safe in several workers."""
    at = dt.datetime.now(dt.UTC)
    _let_waiting_go_on(at)
    if _is_stopped(at):
        return 0
    # A job that caused the halt may stop only after the halt was ended: such jobs are resumed here.
    resume_stopped(_KINDS, [_code(wrong.__name__) for wrong in _WRONG])
    formed = 0
    for right in ready().values_list("right", flat=True).distinct().order_by("right"):  # without a transaction
        most = 1 if right == Right.AMEND else BATCH_MAX
        while _form(right, most, at):
            formed += 1
    return formed


def ready() -> QuerySet[Case]:
    """Cases that can be processed, and are in no batch yet."""
    return Case.objects.filter(kind=CaseKind.REQUEST, state=CaseState.IN_PROGRESS, needs="", batch=None)


def _form(right: str, most: int, at: dt.datetime) -> bool:
    with transaction.atomic():
        rows = list(ready().select_for_update(skip_locked=True).filter(right=right).order_by("id")[:most])
        each_person_once = {case.subject: case for case in reversed(rows)}
        if not rows:
            return False
        batch = CaseBatch.objects.create(right=right, made_at=at)
        Case.objects.filter(pk__in=[case.pk for case in each_person_once.values()]).update(batch=batch)
        enqueue("requests.batch", str(batch.pk))
        return True


def _let_waiting_go_on(at: dt.datetime) -> None:
    """Release cases whose cooling-off period is over, and those that waited for the answer to an access request (DPA
    2018 s.173)."""
    waiting = Case.objects.exclude(state=CaseState.CLOSED).filter(state=CaseState.IN_PROGRESS)
    if not waiting.filter(needs__in=[WaitReason.WINDOW, WaitReason.ACCESS]).exists():
        return
    over = waiting.filter(needs=WaitReason.WINDOW, window_until__lte=at)
    if over.exists() and may_end(at):  # checked without a transaction, which would lock SQLite
        over.update(needs="")
    known = names_of_cases(waiting.filter(needs=WaitReason.ACCESS).values_list("pk", "subject"))
    if ready := known.keys() - waiting_to_see(known):
        waiting.filter(needs=WaitReason.ACCESS, pk__in=ready).update(needs="")


def _is_stopped(at: dt.datetime) -> bool:
    """True if processing is halted for the current declaration; a changed declaration ends the halt."""
    stop = ProcessingHalt.objects.filter(cleared_at=None).first()
    if stop is None:
        return False
    if _declaration_hash() in {"", stop.declaration}:
        return True
    end_halt(at)
    return False


def _declaration_hash() -> str:
    """The current declaration's hash, empty if it cannot be read."""
    try:
        return current().without_own.declaration.hash
    except TrothError:
        return ""


def end_halt(at: dt.datetime) -> None:
    """End the halt after the configuration was fixed, and resume stopped jobs where they were."""
    with transaction.atomic():
        if ProcessingHalt.objects.filter(cleared_at=None).update(cleared_at=at):
            resume_stopped(_KINDS, [_code(wrong.__name__) for wrong in _WRONG])


@contextlib.contextmanager
def process_queue() -> Iterator[None]:
    """Context manager: halt processing on configuration errors. Cases are still received, and nothing is lost."""
    try:
        yield
    except _WRONG as wrong:
        _stop(next(kind.__name__ for kind in _WRONG if isinstance(wrong, kind)))
    except RunInterrupted as interrupted:
        if interrupted.retryable:
            raise
        _stop("StoreRefused")


def _code(error: str) -> str:
    """Convert an error's class name to a code."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in error).lstrip("_")


def _stop(error: str) -> None:
    why, hash_ = _code(error), _declaration_hash()
    at = dt.datetime.now(dt.UTC)
    with transaction.atomic():
        _, is_new = ProcessingHalt.objects.get_or_create(
            declaration=hash_, cleared_at=None, defaults={"why": why[:40], "since": at}
        )
        if is_new:
            webhooks.tell("line.stopped", {"why": why[:40]}, now=at)
    raise Stopped(why)
