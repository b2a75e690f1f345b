"""Memory in its own SQLite file, for sites without a Django database."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from troth.hook.answering import Mixed, Remembered
from troth.hook.keeping import CLAIM_S, KEPT_S, check_value, is_settled, without_rows
from troth.hook.values import Answer, Ask, Right
from troth.hook.wire import dump_answer, read_answer

_TABLES = """
CREATE TABLE IF NOT EXISTS asked (
    id TEXT PRIMARY KEY, right_asked TEXT NOT NULL, check_value TEXT NOT NULL, answer BLOB, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nonce (nonce TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS asked_at ON asked (at);
CREATE INDEX IF NOT EXISTS nonce_until ON nonce (until);
"""


class FileMemory:
    """A SQLite file that only its owner may read. Threads and processes of one machine may share it.

    If a process dies while it executes an ask, the ask may be executed again after `CLAIM_S` seconds, because its
    progress is unknown.
    """

    def __init__(self, path: str | Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = Path(path)
        self._clock = clock
        self._lock = threading.Lock()
        self._is_made = False

    def once(self, ask: Ask, act: Callable[[], Answer]) -> Answer:
        held = self._claim(ask)
        if held is not None:
            return held
        try:
            answer = act()
        except BaseException:
            with self._writing() as file:
                file.execute("DELETE FROM asked WHERE id = ? AND answer IS NULL", (ask.id,))
            raise
        self.remember(ask.id, ask.right, answer, check=check_value(ask))
        return answer

    def _claim(self, ask: Ask) -> Answer | None:
        """Claim the ask for execution and return None, or return the answer to give at once. Raises `Mixed`."""
        now, check = self._clock(), check_value(ask)
        with self._writing() as file:
            file.execute("DELETE FROM asked WHERE at < ?", (now - KEPT_S,))
            file.execute("DELETE FROM asked WHERE answer IS NULL AND at < ?", (now - CLAIM_S,))
            found = file.execute("SELECT check_value, answer FROM asked WHERE id = ?", (ask.id,)).fetchone()
            if found is None:
                file.execute("INSERT INTO asked VALUES (?, ?, ?, NULL, ?)", (ask.id, ask.right, check, now))
                return None
            if found[0] != check:
                raise Mixed(ask.id)
            held = Answer.later(5) if found[1] is None else read_answer(found[1])[1]
            if is_settled(held):
                return held
            file.execute("UPDATE asked SET answer = NULL, at = ? WHERE id = ?", (now, ask.id))
            return None

    def recall(self, ask_id: str) -> Remembered | None:
        with self._opened() as file:
            found = file.execute("SELECT right_asked, answer FROM asked WHERE id = ?", (ask_id,)).fetchone()
        if found is None:
            return None
        return Remembered(Right(found[0]), Answer.later(5) if found[1] is None else read_answer(found[1])[1])

    def remember(self, ask_id: str, right: Right, answer: Answer, *, check: str = "") -> None:
        said = dump_answer(ask_id, without_rows(answer))
        with self._writing() as file:
            file.execute(
                "INSERT INTO asked VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET answer = excluded.answer",
                (ask_id, right, check, said, self._clock()),
            )

    def is_new(self, nonce: str, *, until: float) -> bool:
        with self._writing() as file:
            file.execute("DELETE FROM nonce WHERE until < ?", (self._clock(),))
            return file.execute("INSERT OR IGNORE INTO nonce VALUES (?, ?)", (nonce, until)).rowcount == 1

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Context manager: one write transaction, rolled back on an exception."""
        with self._opened() as file:
            file.execute("BEGIN IMMEDIATE")
            yield file
            file.execute("COMMIT")

    def _opened(self) -> contextlib.closing[sqlite3.Connection]:
        """Open a new connection: threads are short-lived, and each call touches only a few rows."""
        if not self._is_made:
            self._make()
        return contextlib.closing(sqlite3.connect(self._path, timeout=30, isolation_level=None))

    def _make(self) -> None:
        with self._lock:
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            with contextlib.closing(sqlite3.connect(self._path, timeout=30)) as file:
                file.execute("PRAGMA journal_mode = WAL")
                file.executescript(_TABLES)
            self._is_made = True
