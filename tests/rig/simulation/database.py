"""Our own database in memory, with faults at every statement and commit.

A transaction is one step for all others, as on SQLite. Between transactions any other task may go on. A fault kills the
process before or after the statement, ends the connection before it, loses the answer to it, or pauses the process.
"""

from __future__ import annotations

import contextlib
import enum
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.db import OperationalError, connections
from tests.rig.databases import as_default
from tests.rig.simulation.tasks import Killed, Tasks


class Fault(enum.StrEnum):
    KILL_BEFORE = "killed before it"
    KILL_AFTER = "killed after it"
    LOST_BEFORE = "the connection was lost before it"
    LOST_AFTER = "its answer was lost"
    PAUSED = "its process was paused for longer than a lease, before it or after it"


@contextlib.contextmanager
def in_memory(migrated: Path) -> Iterator[Any]:
    """A copy of the *migrated* SQLite file in memory, as Django's ``default``."""
    with as_default("sqlite:////nowhere"):
        connection = connections["default"]
        connection.settings_dict["NAME"] = ":memory:"
        connection.ensure_connection()
        with contextlib.closing(sqlite3.connect(migrated / "troth.sqlite3")) as file:
            file.backup(connection.connection)
        yield connection


class Database:
    """Faults for the statements of one schedule."""

    def __init__(self, connection: Any, tasks: Tasks, rng: random.Random, *, rate: float, until_s: float) -> None:
        self._connection = connection
        self._tasks = tasks
        self._rng = rng
        self.rate = rate
        self._until_s = until_s
        self.away_until = -1.0
        """While the database is restarted, in seconds of the scheduler."""
        self.faults = 0
        self.story: list[str] | None = None
        """Every statement and fault, if it is a list."""
        self.on_commit: Callable[[], None] = lambda: None
        """Called after each commit, before anybody knows of it."""
        self._commit: Callable[[], None] = connection._commit

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        self._connection.execute_wrappers.append(self._statement)
        self._connection._commit = self._committed
        try:
            yield
        finally:
            self._connection._commit = self._commit
            self._connection.execute_wrappers.remove(self._statement)

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        task = self._tasks.current
        if task is None:
            return execute(sql, params, many, context)
        if task.process.is_dead:
            raise Killed
        if self.story is not None:
            self.story.append(f"{self._moment()} {sql} {list(params or ())}")
        if self._connection.in_atomic_block:
            self._refuse_while_away()
            fault = self._fault()
            self._before(fault)
            return execute(sql, params, many, context)
        self._tasks.sleep(0.0)  # others may go on first
        self._refuse_while_away()
        fault = self._fault()
        if fault is Fault.PAUSED:
            self._pause()
            self._refuse_while_away()
        self._before(fault)
        result = execute(sql, params, many, context)
        if fault is not None and sql.startswith("BEGIN"):
            if fault is Fault.PAUSED:
                return result  # others wait for the end of the transaction
            self._connection.connection.rollback()  # as the server does when its client is gone
        self._after(fault)
        if fault is Fault.PAUSED and sql.startswith(("UPDATE", "DELETE")) and "RETURNING" not in sql:
            self._pause()  # while rows are still to be fetched, the statement would hold up everybody
        return result

    def _committed(self) -> None:
        if self._tasks.current is None:
            self._commit()
            self.on_commit()
            return
        fault = self._fault()
        if fault in (Fault.KILL_BEFORE, Fault.LOST_BEFORE):
            self._connection.connection.rollback()  # as the server does when its client is gone
        self._before(fault)
        self._commit()
        self.on_commit()
        self._after(fault)

    def _refuse_while_away(self) -> None:
        assert self._tasks.current is not None, "a task sent the statement"
        if self._tasks.monotonic() < max(self.away_until, self._tasks.current.process.cut_off_until):
            raise OperationalError("the database is restarted")

    def _fault(self) -> Fault | None:
        if self._rng.random() >= self.rate or self._tasks.monotonic() > self._until_s:
            return None
        self.faults += 1
        fault = self._rng.choice(list(Fault))
        if self.story is not None:
            self.story.append(f"{self._moment()} ! {fault}")
        return fault

    def _moment(self) -> str:
        assert self._tasks.current is not None, "a task sent the statement"
        return f"{self._tasks.monotonic():9.2f} {self._tasks.current.process.name}"

    def _before(self, fault: Fault | None) -> None:
        if fault is Fault.KILL_BEFORE:
            self._kill()
        if fault is Fault.LOST_BEFORE:
            self._lose()

    def _after(self, fault: Fault | None) -> None:
        if fault is Fault.KILL_AFTER:
            self._kill()
        if fault is Fault.LOST_AFTER:
            self._lose()

    def _pause(self) -> None:
        task = self._tasks.current
        assert task is not None, "a task sent the statement"
        task.process.frozen_until = self._tasks.monotonic() + self._rng.choice((0.0, 45.0))
        self._tasks.sleep(0.0)

    def _kill(self) -> None:
        assert self._tasks.current is not None, "a task sent the statement"
        self._tasks.current.process.is_dead = True
        raise Killed

    def _lose(self) -> None:
        if self._rng.random() < 0.3:  # a restart, not one connection
            self.away_until = self._tasks.monotonic() + self._rng.uniform(0.5, 20.0)
        raise OperationalError("the connection is lost")
