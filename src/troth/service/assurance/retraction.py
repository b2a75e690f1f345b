"""Retracting checks, and its consequences: the receipt, the control's next run, and what pages show."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from troth.declaration import Promise
from troth.ledger import receipt
from troth.service.assurance.rules import CHECK
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import hasten
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog, sequence
from troth.service.core.models import Retraction
from troth.service.core.retraction import Plan, retract


@dataclass(frozen=True, slots=True)
class Retracted:
    """Retracted checks of a promise's controls. *because* and *leaf* are for internal readers."""

    checks: int
    since: dt.date
    until: dt.date
    because: str = ""
    leaf: int | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """The same as JSON values."""
        told = {"checks": self.checks, "since": self.since.isoformat(), "until": self.until.isoformat()}
        return {**told, "because": self.because or None, "receipt": self.leaf}


def retracted_for(promise: Promise, *, until: dt.datetime, is_inside: bool) -> list[Retracted]:
    """Retractions up to *until* of the promise's controls, latest first."""
    rows = Retraction.objects.filter(control__in=promise.controls, at__lte=until).select_related("entry")
    return [
        Retracted(
            row.checks,
            row.since.astimezone(dt.UTC).date(),
            (row.until - dt.timedelta(days=1)).astimezone(dt.UTC).date(),
            row.reason if is_inside else "",
            row.entry.leaf if is_inside else None,
        )
        for row in rows.order_by("-at", "-pk")
    ]


def retract_checks(deployment: Deployment, plan: Plan, reason: str, *, now: dt.datetime) -> str:
    """Carry out *plan*; returns the receipt of its entry. The control becomes due at once.

    Raises `NothingToRetract`, and `LedgerError` if the entry is recorded but cannot be numbered.
    """
    entry = retract(plan, reason, now=now)
    hasten(CHECK, [plan.control], at=now)
    signer = ledger_signer(deployment.keyring, deployment.declaration.organisation)
    sequence(signer, now=now)
    entry.refresh_from_db()
    assert entry.leaf is not None, "the sequencer numbers all committed entries"
    return receipt(DatabaseLog(signer), entry.leaf, extra=bytes(entry.content))
