"""Retracting checks and what follows from it at once: the receipt, and the control's next run."""

from __future__ import annotations

import datetime as dt

from troth.ledger import receipt
from troth.service.board.keep import Office
from troth.service.keys import ledger_signer
from troth.service.record import due
from troth.service.record.ledger import DatabaseLog, sequence
from troth.service.record.retraction import Plan, retract

__all__ = ["retract_checks"]


def retract_checks(office: Office, plan: Plan, reason: str, *, now: dt.datetime) -> str:
    """Carry out *plan*; the receipt of its entry. The control is due at once.

    Raises `NothingToRetract`, and `LedgerError` where the entry is recorded and cannot be numbered.
    """
    entry = retract(plan, reason, now=now)
    due.hasten(f"control:{plan.control}", at=now)
    signer = ledger_signer(office.keyring, office.company.declaration.organisation)
    sequence(signer, now=now)
    entry.refresh_from_db()
    assert entry.leaf is not None, "the sequencer numbers everything that has committed"
    return receipt(DatabaseLog(signer), entry.leaf, extra=bytes(entry.content))
