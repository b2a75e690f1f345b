"""The journal makes execution exactly-once, although Troth may not create tables in a company's store.

The order is always the same: the run with its sealed plan is durable before any change; for each step, the store
commits and then the step is marked *done*; the run *finishes* in one commit with its ledger entries. So in an
unfinished run, the first step that is not done may have committed, and no later one has begun. A resumed run checks the
rows themselves to find out (`resume_checks`).

The sealed plan holds row keys and identifiers. It is destroyed when the run finishes, so that no copy of erased data
stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from troth.errors import TrothError
from troth.ledger import Entry
from troth.protect import SealingContext


class JournalError(TrothError):
    """The journal cannot be read or written, or a run was used out of order."""


@dataclass(frozen=True, slots=True)
class Run:
    """One plan in execution. *sealed_plan* is encrypted with the deployment's keys."""

    id: str
    """Random and unguessable; safe in logs, because it identifies nobody."""
    action: str
    plan_hash: str
    declaration_hash: str
    begun: dt.datetime
    sealed_plan: bytes


def run_context(run_id: str) -> SealingContext:
    """The sealing context of a run's sealed plan."""
    return SealingContext(domain="rows.run", field=run_id)


class Journal(Protocol):
    """Storage of unfinished runs. Every write is durable when the method returns."""

    def begin(self, run: Run) -> None:
        """Store the run and its sealed plan. Raises `JournalError` if the id is taken."""
        ...

    def done(self, run_id: str, step: str) -> None:
        """Record that the step's store has committed. Idempotent."""
        ...

    def steps(self, run_id: str) -> frozenset[str]:
        """Steps that are done."""
        ...

    def finish(self, run_id: str, entries: Sequence[Entry]) -> None:
        """Commit *entries* to the ledger and delete the run and its sealed plan, atomically and once.

        Finishing a finished run changes nothing; if finishing was interrupted, the first entries stay.
        """
        ...

    def unfinished(self) -> Iterator[Run]:
        """Runs that have begun and not finished, oldest first."""
        ...
