"""Records refused access."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from troth.ledger import DeclaredName, Entry, Pseudonym, Value
from troth.service.core.ledger import record
from troth.service.staff.models import Refusal
from troth.service.staff.rights import StaffRight


def refuse(by: str | None, why: str, *, now: dt.datetime, right: StaffRight | None = None, purpose: str = "") -> None:
    """Record a refusal. *by* is the member's pseudonym; without one there is nobody to record."""
    if by is None:
        return
    fields: dict[str, Value] = {"by": Pseudonym(by), "why": why}
    if right is not None:
        fields["right"] = DeclaredName.of(right)
    if purpose:
        fields["purpose"] = DeclaredName.of(purpose)
    with transaction.atomic():
        record(Entry("access.refused", now, fields))
        Refusal.objects.create(by=by, why=why, purpose=DeclaredName.of(purpose).text if purpose else "", at=now)
