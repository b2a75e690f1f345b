"""Evidence that programs of the company send for its own controls: the latest of each is kept, and asked for soon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from django.db import transaction

from troth.declaration import Declaration
from troth.promises import Outcome, Pushed
from troth.promises.catalogue import nearest
from troth.service.board.models import PushedRow
from troth.service.configuration import ServiceError
from troth.service.record import due

__all__ = ["EvidenceRefused", "NobodyWaits", "push", "pushed_evidence"]

_AHEAD: Final = dt.timedelta(minutes=5)
"""How far the clock of a program may be ahead of ours."""


class EvidenceRefused(ServiceError):
    """Evidence that cannot be taken; the message says why, and repeats nothing of it."""


class NobodyWaits(EvidenceRefused):
    """No control of that name waits for evidence."""


def push(control: str, pushed: Pushed, declaration: Declaration, *, now: dt.datetime) -> bool:
    """Keep *pushed* as the latest evidence of that control, and have the control asked by the next pass. False where
    as late a look is known already: the same evidence sent twice is one, and an older one changes nothing.

    Raises `EvidenceRefused`.
    """
    own = declaration.controls.get(control)
    if own is None or own.pushed is None:
        waiting = {id_: each for id_, each in declaration.controls.items() if each.pushed is not None}
        raise NobodyWaits(f"no control of that name waits for evidence{nearest(control, waiting)}")
    if pushed.at > now + _AHEAD:
        raise EvidenceRefused("the evidence is dated ahead; set the clock of the program right")
    with transaction.atomic():
        row = PushedRow.objects.select_for_update().filter(control=control).first()
        if row is not None and row.at >= pushed.at:
            return False
        row = row or PushedRow(control=control)
        row.source, row.outcome, row.at, row.received_at = pushed.source, pushed.outcome.value, pushed.at, now
        row.figures, row.population, row.tested = dict(pushed.figures), pushed.population, pushed.tested
        row.save()
        due.hasten(f"control:{control}", at=now)
    return True


def pushed_evidence() -> Mapping[str, Pushed]:
    """The latest evidence of each control that any was sent for."""
    return {
        row.control: Pushed(row.source, Outcome(row.outcome), row.at, row.figures, row.population, row.tested)
        for row in PushedRow.objects.all()
    }
