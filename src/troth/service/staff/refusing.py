"""What was refused to whom, on record."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from troth.ledger import Entry, Name, Pseudonym, Value
from troth.service.record.ledger import record
from troth.service.staff.models import Refusal
from troth.service.staff.rights import Right


def refuse(by: str | None, why: str, *, now: dt.datetime, right: Right | None = None, purpose: str = "") -> None:
    """Put a refusal on record. *by* is the member's pseudonym; somebody without one is nobody here, and no entry."""
    if by is None:
        return
    fields: dict[str, Value] = {"by": Pseudonym(by), "why": why}
    if right is not None:
        fields["right"] = Name.of(right.value)
    if purpose:
        fields["purpose"] = Name.of(purpose)
    with transaction.atomic():
        record(Entry("access.refused", now, fields))
        Refusal.objects.create(by=by, why=why, purpose=Name.of(purpose).text if purpose else "", at=now)
