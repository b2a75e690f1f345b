"""A process that dies between any two of its durable writes: stores and a journal that count them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from troth.ledger import Entry
from troth.rows import Journal, Run
from troth.stores import Store, Writer


class Died(BaseException):
    """The process dies here. Nothing may catch it."""


class Life:
    """Ends after that many *moments*, if it is limited: before a commit, and before and after each journal entry."""

    def __init__(self, moments: int | None = None) -> None:
        self._moments = moments
        self.passed = 0

    def pass_moment(self) -> None:
        if self.passed == self._moments:
            raise Died
        self.passed += 1

    def store(self, store: Store) -> Any:
        """*store*, in which the process may die before a commit."""
        return _MortalStore(store, self)

    def journal(self, journal: Journal) -> Any:
        """*journal*, in which the process may die before and after each write."""
        return _MortalJournal(journal, self)


class _MortalStore:
    def __init__(self, store: Store, life: Life) -> None:
        self._store, self._life = store, life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        with self._store.writing() as writer:
            yield writer
            self._life.pass_moment()


class _MortalJournal:
    def __init__(self, journal: Journal, life: Life) -> None:
        self._journal, self._life = journal, life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def begin(self, run: Run) -> None:
        self._life.pass_moment()
        self._journal.begin(run)
        self._life.pass_moment()

    def done(self, run_id: str, step: str) -> None:
        self._life.pass_moment()
        self._journal.done(run_id, step)
        self._life.pass_moment()

    def finish(self, run_id: str, entries: Sequence[Entry]) -> None:
        self._life.pass_moment()
        self._journal.finish(run_id, entries)
        self._life.pass_moment()
