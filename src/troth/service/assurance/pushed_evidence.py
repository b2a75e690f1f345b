"""Evidence that the company's programs send for its own controls. Each item is kept until the control has run with it,
in the order in which the programs looked, so that a later pass hides no failure. The latest is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from django.db import transaction

from troth.controls import Check, CheckOutcome, Pushed, faults
from troth.declaration import Declaration
from troth.service.assurance.models import PushedRow
from troth.service.assurance.rules import CHECK
from troth.service.configuration import ServiceError
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import hasten
from troth.text import did_you_mean

_WAITING_MAX: Final = 1_000
"""Pending failures per control."""


class EvidenceRefused(ServiceError):
    """Evidence that cannot be accepted; the message says why, and quotes nothing of it."""


class NobodyWaits(EvidenceRefused):
    """No control of that name waits for evidence."""


class NotTheirs(EvidenceRefused):
    """The control accepts evidence of another program only."""


def push(control: str, pushed: Pushed, declaration: Declaration, *, now: dt.datetime) -> bool:
    """Store *pushed* for *control*, and let the next pass run it. False if evidence at least as recent is known:
    duplicates count once, and older evidence changes nothing.

    Raises `EvidenceRefused`.
    """
    own = declaration.controls.get(control)
    if own is None or own.pushed is None:
        waiting = {id_: each for id_, each in declaration.controls.items() if each.pushed is not None}
        raise NobodyWaits(f"no control of that name accepts evidence{did_you_mean(control, waiting)}")
    if own.pushed.by not in (None, pushed.source):
        raise NotTheirs(
            "the control accepts evidence from one program only; the declaration names its token under 'by'"
        )
    if pushed.at > now:
        raise EvidenceRefused("the evidence is dated in the future; correct the clock of the program")
    if pushed.outcome is CheckOutcome.PASS and not pushed.is_complete:
        raise EvidenceRefused("a pass must cover everything: 'tested' must be 1 or more and equal 'population'")
    with transaction.atomic():
        last = PushedRow.objects.select_for_update().filter(control=control).order_by("at").last()
        if last is not None and last.at >= pushed.at:
            return False
        if last is not None and last.judged_at is None and not faults(own, _pushed(last)) + faults(own, pushed):
            row = last  # evidence without faults is replaced by later evidence without faults
        elif PushedRow.objects.filter(control=control, judged_at=None).count() >= _WAITING_MAX:
            raise EvidenceRefused(
                "too much evidence waits for its check; see that a worker runs (troth serve or troth work)"
            )
        else:
            row = PushedRow(control=control)
        row.source, row.outcome, row.at, row.received_at = pushed.source, pushed.outcome.value, pushed.at, now
        row.figures, row.population, row.tested = dict(pushed.figures), pushed.population, pushed.tested
        row.save()
        hasten(CHECK, [control], at=now)
    return True


def pushed_evidence(deployment: Deployment, now: dt.datetime) -> Mapping[str, Pushed]:
    """Evidence for each control's next check: the earliest pending, else the latest."""
    found: dict[str, Pushed] = {}
    for row in PushedRow.objects.filter(judged_at=None).order_by("at"):
        found.setdefault(row.control, _pushed(row))
    for row in PushedRow.objects.exclude(judged_at=None).order_by("-at"):
        found.setdefault(row.control, _pushed(row))
    return found


def note_judged(check: Check, declaration: Declaration) -> bool:
    """Note in the open transaction that the control has run with the evidence behind *check*, and delete older
    evidence. True if more is pending."""
    own = declaration.controls.get(check.control)
    if own is None or own.pushed is None:
        return False
    rows = PushedRow.objects.filter(control=check.control)
    # Senders of more evidence wait here, and then schedule the control again.
    rows.select_for_update().order_by("at").last()
    if check.evidence.period is not None:
        _, looked = check.evidence.period
        rows.filter(at__lte=looked, judged_at=None).update(judged_at=check.at)
        rows.filter(at__lt=looked).exclude(judged_at=None).delete()
    return rows.filter(judged_at=None).exists()


def _pushed(row: PushedRow) -> Pushed:
    return Pushed(row.source, CheckOutcome(row.outcome), row.at, row.figures, row.population, row.tested)
