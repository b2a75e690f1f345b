"""A help desk in one SQLite file, whose own code answers for the people in it: for sites without Django."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from troth.hook import Answer, AnswerState, Ask, FileMemory, Hook, Kept
from troth.testing.external_systems import CHLOE, CITE, PEOPLE, REASON, UNTIL

_TABLES = """
CREATE TABLE contact (email TEXT, name TEXT, restricted INTEGER DEFAULT 0);
CREATE TABLE ticket (email TEXT, subject TEXT);
CREATE TABLE invoice (email TEXT);
CREATE TABLE job (ask TEXT PRIMARY KEY, email TEXT, polls INTEGER DEFAULT 0);
CREATE TABLE log (what TEXT);
"""


class Desk:
    """The file, and the `Hook` over it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "desk.sqlite3"
        self.hook = Hook(FileMemory(folder / "memory.sqlite3"))
        self.is_broken = False
        with closing(sqlite3.connect(self.file)) as made:
            made.executescript(_TABLES)
            for email, person in PEOPLE.items():
                made.execute("INSERT INTO contact (email, name) VALUES (?, ?)", (email, person["name"]))
                made.executemany("INSERT INTO ticket VALUES (?, ?)", [(email, text) for text in person["tickets"]])
                made.executemany("INSERT INTO invoice VALUES (?)", [(email,)] * person["invoices"])
            made.commit()
        self._declare()

    def run(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a statement that commits."""
        with closing(sqlite3.connect(self.file)) as opened, opened:
            opened.row_factory = sqlite3.Row
            return [dict(row) for row in opened.execute(statement, values)]

    def _declare(self) -> None:
        hook = self.hook

        @hook.answers("view", "port")
        def view(ask: Ask) -> Answer:
            self._may_break(ask)
            return Answer.found(
                {
                    "contact": self.run("SELECT email, name FROM contact WHERE email = ?", ask.email),
                    "ticket": self.run("SELECT email, subject FROM ticket WHERE email = ?", ask.email),
                    "invoice": self.run("SELECT email FROM invoice WHERE email = ?", ask.email),
                }
            )

        @hook.answers("erase")
        def erase(ask: Ask) -> Answer:
            self._may_break(ask)
            if ask.email == CHLOE:
                self.run("INSERT INTO job (ask, email) VALUES (?, ?)", ask.id, ask.email)
                return Answer(AnswerState.ACCEPTED, retry_after_s=1)
            return self._erased(ask.email)

        @hook.polls("erase")
        def how_far(ask_id: str) -> Answer:
            (job,) = self.run("UPDATE job SET polls = polls + 1 WHERE ask = ? RETURNING email, polls", ask_id)
            return Answer.later(1) if job["polls"] < 2 else self._erased(job["email"])

        @hook.answers("amend")
        def amend(ask: Ask) -> Answer:
            statement = "UPDATE contact SET name = ? WHERE email = ? RETURNING name"
            return Answer.did(amended=self._changed(statement, ask.changes["name"], ask.email))

        @hook.answers("restrict")
        def restrict(ask: Ask) -> Answer:
            statement = "UPDATE contact SET restricted = 1 WHERE email = ? RETURNING name"
            return Answer.did(restricted=self._changed(statement, ask.email))

        @hook.answers("unrestrict")
        def unrestrict(ask: Ask) -> Answer:
            statement = "UPDATE contact SET restricted = 0 WHERE email = ? RETURNING name"
            return Answer.did(unrestricted=self._changed(statement, ask.email))

        @hook.verifies("restrict", "unrestrict")
        def is_restricted(ask: Ask) -> Answer:
            wanted = int(ask.right == "restrict")
            found = self.run("SELECT restricted FROM contact WHERE email = ?", ask.email)
            is_so = all(row["restricted"] == wanted for row in found)
            return Answer(AnswerState.DONE) if is_so else Answer.failed("not_restricted")

    def _may_break(self, ask: Ask) -> None:
        if self.is_broken:
            raise LookupError(f"no row for {ask.email}")

    def _erased(self, email: str | None) -> Answer:
        gone = self._changed("DELETE FROM ticket WHERE email = ? RETURNING email", email)
        gone += len(self.run("DELETE FROM contact WHERE email = ? RETURNING email", email))
        invoices = len(self.run("SELECT email FROM invoice WHERE email = ?", email))
        return Answer.did(erased=gone, kept=[Kept("invoice", invoices, REASON, CITE, UNTIL)])

    def _changed(self, statement: str, *values: Any) -> int:
        found = self.run(statement, *values)
        if found:
            self.run("INSERT INTO log VALUES (?)", statement)
        return len(found)


class DeskPlace:
    """What the contract asks of a place, over the file of a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def holds(self, email: str) -> int:
        tables = ("contact", "ticket", "invoice")
        return sum(len(self.desk.run(f"SELECT 1 FROM {table} WHERE email = ?", email)) for table in tables)

    def name(self, email: str) -> str | None:
        found = self.desk.run("SELECT name FROM contact WHERE email = ?", email)
        return found[0]["name"] if found else None

    def times(self) -> int:
        return len(self.desk.run("SELECT what FROM log"))

    def break_down(self) -> None:
        self.desk.is_broken = True
