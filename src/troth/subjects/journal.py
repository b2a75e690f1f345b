"""What the journal of a run also does for the people whose rows are changed: tombstones, keys and receipts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Protocol

from troth.ledger import Entry
from troth.rows import Journal
from troth.subjects.operations import Gone
from troth.subjects.receipt import Receipt


class SubjectJournal(Journal, Protocol):
    """A `troth.rows.Journal` that also follows the people of a run."""

    def finish(
        self, run_id: str, entries: Sequence[Entry], gone: Sequence[Gone] = (), receipts: Sequence[Receipt] = ()
    ) -> None:
        """As `troth.rows.Journal.finish`. *receipts* are those of the finished subjects, with entries among
        *entries*; a journal may keep them.

        In that commit, a journal with tombstones sets one for each identifier that is *gone*, and a journal with
        subjects' keys destroys the keys of the erased subjects and of these identifiers.
        """
        ...

    def final_after(self, subjects: Sequence[str], gone: Sequence[Gone], now: dt.datetime) -> Mapping[str, dt.date]:
        """For each of an erasure's *subjects* (keyed references) whose keys `finish` destroys: the day after which no
        backup can restore data under these keys. A key may belong to any identifier that is *gone*."""
        ...
