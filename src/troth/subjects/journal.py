"""The journal: what makes carrying out exactly once, although no table of ours may stand in a company's store.

The order is always the same: the run with its sealed plan is durable before anything is touched; step by step, the
store commits and then the step is *done*; the run *finishes* together with its ledger entries. So of an unfinished run
the first step that is not done may have committed, and no later one has been begun. Whoever takes the run up looks at
the rows themselves to tell (`resuming`).

The sealed plan holds row keys and identifiers. It is destroyed when the run finishes: no copy of what was erased stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from troth.errors import TrothError
from troth.ledger import Entry
from troth.subjects.operations import Gone
from troth.subjects.receipt import Receipt


class JournalError(TrothError):
    """The journal cannot be read or written, or a run was used out of order."""


@dataclass(frozen=True, slots=True)
class Run:
    """One plan being carried out. *sealed_plan* is ciphertext under the deployment's keys."""

    id: str
    """Random, unguessable, safe in logs: it names no one."""
    action: str
    plan_hash: str
    declaration_hash: str
    begun: dt.datetime
    sealed_plan: bytes


class Journal(Protocol):
    """Where runs are kept while they are unfinished. Every method is durable when it returns."""

    def begin(self, run: Run) -> None:
        """Keep the run and its sealed plan. Raises `JournalError` when the id is taken."""
        ...

    def done(self, run_id: str, step: str) -> None:
        """The step's store has committed. Harmless twice."""
        ...

    def steps(self, run_id: str) -> frozenset[str]:
        """The steps that are done."""
        ...

    def finish(
        self, run_id: str, entries: Sequence[Entry], gone: Sequence[Gone] = (), receipts: Sequence[Receipt] = ()
    ) -> None:
        """Commit *entries* to the ledger and forget the run and its sealed plan: both or neither, once.

        *receipts* are those of the subjects that were finished, for a journal that hands them on with the same commit.
        A journal that keeps tombstones sets one for each identifier that is *gone*, and one that keeps subjects' keys
        destroys those of the erased and of these identifiers, with the same commit. Finishing a run that is finished
        already changes nothing; one that was interrupted in finishing keeps its first entries.
        """
        ...

    def final_after(self, subjects: Sequence[str], gone: Sequence[Gone], now: dt.datetime) -> Mapping[str, dt.date]:
        """For those of an erasure's *subjects* (keyed references) whose own keys the finish destroys, the day after
        which no backup brings back what hangs on them. A key may be under any identifier that is *gone*."""
        ...

    def unfinished(self) -> Iterator[Run]:
        """Runs that have begun and not finished, the oldest first."""
        ...
