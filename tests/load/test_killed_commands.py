"""kill -9 at any moment of ``troth erase`` and ``troth amend``: what they leave is whole, and ``troth keep`` does the
rest once.

The command carries out a run over sixty people in chunks of five and is killed at a random moment, nearly always in
mid-run. What it left is compared, chunk by chunk and store by store, with the state before and with that after an
undisturbed run; what stands in Troth's own database, with what happened.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests import forks
from tests.cli.firm import DECLARATION, POLICY, TROTH

PEOPLE = 60
CHUNK = 5
TABLES = {"shop": ("customer", "invoice"), "desk": ("message",)}
SYSTEM_OF = {table: system for system, tables in TABLES.items() for table in tables}
COMMANDS = {
    "erase": ["erase", "--subjects", "people.csv"],
    "amend": ["amend", "--subjects", "people.csv", "--set", "user.name=Anne", "--set", "desk.message.body=-"],
}
KIND = {"erase": "subject.erased", "amend": "subject.amended"}

_SMALL_CHUNKS = f"""
import os, sys
from troth.subjects import plan
plan.SUBJECTS_PER_CHUNK = {CHUNK}
from troth.service.server import set_up
set_up()
from troth.service.core.journal import DatabaseJournal
honest = DatabaseJournal.begin
def begin(*given):
    honest(*given)
    if sys.argv[1] == "tell":
        os.write(1, b"begun\\n")
DatabaseJournal.begin = begin
from troth.cli import main
main(sys.argv[2:])
"""
"""``troth`` as it is, with chunks that one kill can fall between, which says when its run has begun."""

_MADE = (
    "CREATE TABLE customer (id INTEGER PRIMARY KEY, email VARCHAR(80) UNIQUE, name TEXT, phone TEXT)",
    "CREATE TABLE invoice (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer (id), address TEXT, "
    "issued DATE NOT NULL)",
    "CREATE TABLE message (id INTEGER PRIMARY KEY, customer_id INTEGER, sender TEXT, body TEXT)",
)

State = dict[tuple[str, int], frozenset[tuple[str, ...]]]
"""(system, chunk) → its rows, each with its table's name."""


@dataclass(frozen=True)
class Place:
    """A company of sixty people in *folder*, with its stores there or in the PostgreSQL database at *url*."""

    folder: Path
    url: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        stores = {name.upper(): self.url or f"sqlite:///{self.folder}/{name}.sqlite" for name in TABLES}
        paths = {"TROTH_HOME": str(self.folder / "home"), "TROTH_DECLARATION": str(self.folder / "troth.yaml")}
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
        return {**clean, "COLUMNS": "120", **stores, **paths}

    def lay(self) -> None:
        """Make the files and the tables, and keys."""
        (self.folder / "policy.md").write_text(POLICY, "utf-8")
        (self.folder / "troth.yaml").write_text(DECLARATION, "utf-8")
        with (self.folder / "people.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["id"], *([f"shop.customer={person}"] for person in range(PEOPLE))])
        self._write(_MADE)
        self.fill()
        made = forks.run([TROTH, "keys", "init"], env=self.environment, cwd=self.folder)
        assert made.returncode == 0, made.stderr

    def fill(self) -> None:
        """Put everybody in, and nobody else."""
        self._write([f"DELETE FROM {table}" for table in ("message", "invoice", "customer")])
        self._write(
            f"INSERT INTO {table} VALUES ({', '.join('NULL' if it is None else repr(it) for it in row)})"
            for person in range(PEOPLE)
            for table, row in _rows(person)
        )

    def _write(self, statements: Any) -> None:
        """Statements of both engines; each names the table that says where it belongs."""
        if self.url is not None:
            with psycopg.connect(self.url) as server:
                for statement in statements:
                    server.execute(statement)
            return
        files = {system: sqlite3.connect(self.folder / f"{system}.sqlite") for system in TABLES}
        for statement in statements:
            table = next(table for table in SYSTEM_OF if f" {table}" in statement.partition("(")[0] + " ")
            files[SYSTEM_OF[table]].execute(statement)
        for file in files.values():
            file.commit()
            file.close()

    def state(self) -> State:
        """Everything in the stores, at one moment."""
        found: dict[tuple[str, int], set[tuple[str, ...]]] = {
            (system, chunk): set() for system in TABLES for chunk in range(PEOPLE // CHUNK)
        }
        for table, row in self._everything():
            found[SYSTEM_OF[table], int(row[0]) // CHUNK].add((table, *map(str, row)))
        return {place: frozenset(rows) for place, rows in found.items()}

    def _everything(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        if self.url is not None:
            with psycopg.connect(self.url) as server:
                server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # a killed commit may be on its way
                for table in SYSTEM_OF:
                    yield from ((table, row) for row in server.execute(f"SELECT * FROM {table}".encode()))
            return
        for table, system in SYSTEM_OF.items():
            with closing(sqlite3.connect(self.folder / f"{system}.sqlite")) as file:
                yield from ((table, row) for row in file.execute(f"SELECT * FROM {table}"))

    # --- commands ---------------------------------------------------------------------------------------------------

    def plan(self, action: str) -> str:
        return str(self.troth(*COMMANDS[action], "--json")["plan"])

    def troth(self, *command: str) -> Any:
        """What a command that nobody disturbs prints."""
        asked = [sys.executable, "-c", _SMALL_CHUNKS, "quiet", *command]
        done = forks.run(asked, env=self.environment, cwd=self.folder)
        # Where both systems share a database, each has tables that it does not declare: a promise is broken.
        assert done.returncode in ((0, 1) if command[0] == "keep" else (0,)), done.stderr
        return json.loads(done.stdout)

    def apply(self, action: str, approved: str, *, kill: Kill | None) -> tuple[float, float]:
        """Carry out, and *kill* the process. Returns how long it took until the run began, and from then on."""
        asked = [sys.executable, "-c", _SMALL_CHUNKS, "tell", *COMMANDS[action], "--apply", approved]
        told, tells = os.pipe()
        started = time.monotonic()
        errors = self.folder / "errors"
        with os.fdopen(told, "rb", buffering=0) as said, os.fdopen(tells, "wb") as says, errors.open("wb") as stderr:
            process = forks.start(asked, env=self.environment, cwd=self.folder, stdout=says, stderr=stderr)
            says.close()
            if kill is None or kill.is_in_run:
                assert said.read(6) == b"begun\n"
            begun = time.monotonic()
            if kill is not None:
                time.sleep(kill.after_s)  # the moment is the experiment; no outcome depends on it
                process.kill()
            code = process.wait(60)
        assert code in ((0, -signal.SIGKILL) if kill is not None else (0,)), errors.read_text("utf-8")
        return begun - started, time.monotonic() - begun

    # --- Troth's own database ---------------------------------------------------------------------------------------

    def own(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "home" / "troth.sqlite3", timeout=20)) as file:
            return file.execute(statement).fetchall()

    def entries(self, kind: str) -> list[Mapping[str, Any]]:
        stored = [bytes(content) for (content,) in self.own("SELECT content FROM core_entry ORDER BY id")]
        entries = [json.loads(content.removeprefix(b"troth1 ")) for content in stored]
        return [entry for entry in entries if entry["kind"] == kind]


@dataclass(frozen=True)
class Kill:
    """When to kill: so long after the command was begun, or after its run has begun."""

    after_s: float
    is_in_run: bool


def _rows(person: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    yield "customer", (person, f"p{person}@example.org", f"Name {person}", None)
    yield "invoice", (person, person, f"{person} Example Street", "2025-01-31" if person % 2 else "2015-01-31")
    yield "message", (person, person, f"p{person}@example.org", "hello")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The company before the request, its home migrated: copied for each trial."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else None
    (tmp_path / "template").mkdir()
    place = Place(tmp_path / "template", url)
    place.lay()
    place.plan("erase")
    return place


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_command_that_is_killed_leaves_whole_chunks_and_keep_finishes_it_once(place: Place) -> None:
    _Trials(place, "erase", seed=20261124).run(3)
    _Trials(place, "amend", seed=20261125).run(2)


@pytest.mark.soak
@pytest.mark.parametrize("action", COMMANDS)
def test_two_hundred_killed_commands(place: Place, action: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Two hundred with both commands and both engines."""
    trials = _Trials(place, action, seed=random.SystemRandom().randrange(2**32))
    trials.run(50)
    with capsys.disabled():
        told = ", ".join(f"{count} {what}" for what, count in sorted(trials.seen.items()))
        print(f"\n{action}, {'SQLite' if place.url is None else 'PostgreSQL'}, seed {trials.seed}: {told}")  # noqa: T201
        print(f"steps noted by the resumed when they were killed: {sorted(trials.steps.elements())}")  # noqa: T201
    assert trials.seen["resumed"] >= 12, "too few kills fell into the run to mean anything"


class _Trials:
    """Kills of one command on copies of one place."""

    def __init__(self, template: Place, action: str, seed: int) -> None:
        self.template, self.action, self.seed = template, action, seed
        self.chance = random.Random(seed)
        self.seen: Counter[str] = Counter()
        self.steps: Counter[int] = Counter()
        self.approved = template.plan(action)
        self.before = template.state()
        undisturbed = self._copy(f"{action}-undisturbed")
        self.began_s, self.lasted_s = undisturbed.apply(action, self.approved, kill=None)
        self.after = undisturbed.state()
        self.tombstones = undisturbed.own("SELECT count(*) FROM core_tombstone")
        assert self.before != self.after
        assert len(undisturbed.entries(KIND[action])) == PEOPLE

    def run(self, trials: int) -> None:
        for trial in range(trials):
            place = self._copy(f"trial{trial}")
            is_in_run = self.chance.random() < 0.9
            after_s = self.chance.uniform(0, self.lasted_s if is_in_run else self.began_s)
            place.apply(self.action, self.approved, kill=Kill(after_s, is_in_run))
            self.seen[self._judge(place, f"seed {self.seed}, trial {trial}")] += 1
            shutil.rmtree(place.folder)

    def _copy(self, name: str) -> Place:
        folder = self.template.folder.parent / name
        shutil.copytree(self.template.folder, folder)
        place = Place(folder, self.template.url)
        if place.url is not None:
            place.fill()
        return place

    def _judge(self, place: Place, note: str) -> str:
        """What the killed command left is whole; what `troth keep` leaves is the undisturbed outcome, told once."""
        noted = self._is_whole(place, note)
        has_begun = bool(place.own("SELECT 1 FROM core_run"))
        is_finished = bool(place.own("SELECT 1 FROM core_run WHERE finished_at IS NOT NULL"))
        assert len(place.entries(KIND[self.action])) == PEOPLE * is_finished, f"receipts belong to the end ({note})"

        resumed = place.troth("keep", "--json")["resumed"]
        is_resumed = has_begun and not is_finished
        assert [run["outcome"] for run in resumed] == ["finished"] * is_resumed, note
        assert place.state() == (self.after if has_begun else self.before), note
        self._is_on_record(place, has_begun, is_resumed, note)
        if is_resumed:
            self.steps[noted] += 1
        return "resumed" if is_resumed else "finished" if is_finished else "not begun"

    def _is_whole(self, place: Place, note: str) -> int:
        """Every chunk of every store is as before or as after, and the journal lags by one at most. Returns how many
        steps the journal has noted."""
        noted = {step for (step,) in place.own("SELECT step FROM core_step")}
        done = set()
        for (system, chunk), rows in place.state().items():
            assert rows in (self.before[system, chunk], self.after[system, chunk]), f"half done ({note})"
            if rows == self.after[system, chunk]:
                done.add(f"{chunk}/{system}")
        if not place.own("SELECT 1 FROM core_run WHERE finished_at IS NOT NULL"):
            assert noted <= done, f"noted and not done ({note})"
            assert len(done - noted) <= 1, f"done and not noted ({note})"
        return len(noted)

    def _is_on_record(self, place: Place, has_begun: bool, is_resumed: bool, note: str) -> None:
        """One receipt for each person, together saying what happened; nothing left open, and nothing twice."""
        entries = place.entries(KIND[self.action])
        assert len({entry["subject"] for entry in entries}) == len(entries) == PEOPLE * has_begun, note
        assert {entry["rescan"] for entry in entries} <= {"clean"}, note
        assert len(place.entries("run.resumed")) == is_resumed, note
        assert place.own("SELECT count(*) FROM core_run WHERE finished_at IS NULL") == [(0,)], note
        assert place.own("SELECT count(*) FROM core_step") == [(0,)], note
        if not has_begun:
            return
        assert place.own("SELECT count(*) FROM core_tombstone") == self.tombstones, note
        if self.action == "erase":
            gone = sum(map(len, self.before.values())) - sum(map(len, self.after.values()))
            assert sum(entry["rows"].get("delete", 0) for entry in entries) == gone, note
        else:
            changed = sum(len(rows - self.before[at]) for at, rows in self.after.items())
            assert sum(entry["rows"] for entry in entries) == changed, note
