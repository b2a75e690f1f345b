"""kill -9 at any moment of an erasure or an amendment: every chunk is all or nothing, and resuming does the rest once.

A child process carries out a run over forty people in chunks of five and is killed at a random moment. What it left is
compared, chunk by chunk and store by store, with the state before and with the state after an undisturbed run.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from tests.rig.filejournal import FileJournal
from tests.rig.filelog import FileLog
from tests.subjects import world
from tests.subjects.conftest import Company

from troth.ledger import Entry
from troth.protect import Keyring, create_home
from troth.stores import open_store
from troth.subjects import Identity, plan_amendment, resume
from troth.subjects import plan as planning

PEOPLE = 40
CHUNK = 5
TABLES = {
    "shop": ("customer", "address", "orders", "order_item", "invoice"),
    "desk": ("ticket", "message"),
    "newsletter": ("subscriber",),
}
State = dict[tuple[str, int], frozenset[tuple[Any, ...]]]
"""(system, chunk) → its rows, each with its table's name."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SUBJECTS_PER_CHUNK", CHUNK)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty people in three SQLite files, and keys: copied for each trial."""
    folder = tmp_path_factory.mktemp("template")
    for system in world.TABLES:
        world.lay(f"sqlite:///{folder / system}.sqlite", system)
        with closing(sqlite3.connect(folder / f"{system}.sqlite")) as database, database:
            for table in reversed(TABLES[system]):
                database.execute(f"DELETE FROM {table}")
            for person in range(PEOPLE):
                for table, row in _rows(person):
                    if table in TABLES[system]:
                        database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    create_home(folder / "home")
    return folder


def _rows(person: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    mail = f"p{person}@example.org"
    yield "customer", (person, mail, f"Name {person}", None, None, None)
    yield "address", (person, person, f"{person} Example Street")
    yield "orders", ("north", person, person, person, "note")
    yield "order_item", ("north", person, 1, "engraved")
    yield "invoice", (person, person, "billed", 10, "2025-01-31" if person % 2 else "2015-01-31")
    yield "ticket", (person, str(person), "help")
    yield "message", (person, person, None, mail, "hello")
    yield "subscriber", (mail, f"Name {person}")


@pytest.fixture(params=["erase", "amend"])
def action(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_killed_run_is_all_or_nothing_and_is_finished_once(template: Path, tmp_path: Path, action: str) -> None:
    _trials(template, tmp_path, action, trials=8, seed=20261124)


@pytest.mark.soak
def test_two_hundred_killed_runs(template: Path, tmp_path: Path, action: str) -> None:
    seen = _trials(template, tmp_path, action, trials=200, seed=random.SystemRandom().randrange(2**32))
    assert seen["resumed"] >= 20, f"too few kills fell into the run to mean anything: {dict(seen)}"


def _trials(template: Path, folder: Path, action: str, *, trials: int, seed: int) -> Counter[str]:
    chance = random.Random(seed)
    before = _state(template)
    started = time.monotonic()
    shutil.copytree(template, folder / "undisturbed")
    _run_child(folder / "undisturbed", action, kill_after=None)
    lasted = time.monotonic() - started
    after = _state(folder / "undisturbed")
    assert before != after
    seen: Counter[str] = Counter()
    for trial in range(trials):
        place = folder / f"trial{trial}"
        shutil.copytree(template, place)
        _run_child(place, action, kill_after=chance.uniform(0, lasted))
        seen[_check(place, action, before, after, note=f"seed {seed}, trial {trial}")] += 1
        shutil.rmtree(place)
    return seen


def _run_child(folder: Path, action: str, *, kill_after: float | None) -> None:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with ExitStack() as stack:
                _carry_out(_open(folder, stack), action)
            status = 0
        finally:
            os._exit(status)
    if kill_after is not None:
        time.sleep(kill_after)  # the moment is the experiment; no outcome depends on it
        os.kill(child, signal.SIGKILL)
    _, ended = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(ended) in ((0, -signal.SIGKILL) if kill_after is not None else (0,))


def _open(folder: Path, stack: ExitStack) -> Company:
    keyring = Keyring.open(folder / "home")
    log = stack.enter_context(FileLog(folder / "home" / "ledger", keyring.signer("ledger")))
    urls = {system: f"sqlite:///{folder / system}.sqlite" for system in world.TABLES}
    company = Company(world.declaration(), urls, keyring, log, FileJournal(folder / "home" / "runs", log))
    for system, url in urls.items():
        company.stores[system] = open_store(system, url)
        stack.callback(company.stores[system].close)
    return company


def _carry_out(company: Company, action: str) -> None:
    who = [Identity.of(ids=[f"shop.customer={person}"]) for person in range(PEOPLE)]
    if action == "erase":
        company.erase(*who)
        return
    located = company.find(*who, purpose="amend")
    company.carry_out(plan_amendment(company.declaration, located, {"user.name": "Amended"}))


def _check(folder: Path, action: str, before: State, after: State, *, note: str) -> str:
    """What the killed child left is whole, chunk by chunk; what resuming leaves is the undisturbed outcome."""
    for place, rows in _state(folder).items():
        assert rows in (before[place], after[place]), f"{place} is half done ({note})"
    with ExitStack() as stack:
        company = _open(folder, stack)
        runs = list(company.journal.unfinished())
        for run in runs:
            resume(run, company.stores, keyring=company.keyring, journal=company.journal, now=_hours_later)
        assert list(company.journal.unfinished()) == []
        entries = [company.log.entry(index) for index in range(company.log.size)]
        company.log.verify()
    final = _state(folder)
    assert final == (after if entries else before), note
    receipts = [entry for entry in entries if entry.kind != "run.resumed"]
    assert len(entries) - len(receipts) in (0, len(runs)), note
    _check_entries(receipts, action, before, after, note)
    return "resumed" if runs else "finished" if entries else "not begun"


def _hours_later() -> dt.datetime:
    return world.NOW + dt.timedelta(hours=3)


def _check_entries(entries: list[Entry], action: str, before: State, after: State, note: str) -> None:
    """One receipt for each person, and together they say what happened."""
    if not entries:
        return
    assert len({entry.fields["subject"] for entry in entries}) == len(entries) == PEOPLE, note
    assert {entry.fields["rescan"] for entry in entries} == {"clean"}, note
    if action == "erase":
        counts: list[Mapping[str, int]] = [entry.fields["rows"] for entry in entries]  # type: ignore[misc]
        deleted = sum(map(len, before.values())) - sum(map(len, after.values()))
        assert sum(count.get("delete", 0) for count in counts) == deleted, note


def _state(folder: Path) -> State:
    state: dict[tuple[str, int], set[tuple[Any, ...]]] = {
        (system, chunk): set() for system in TABLES for chunk in range(PEOPLE // CHUNK)
    }
    for system, tables in TABLES.items():
        with closing(sqlite3.connect(folder / f"{system}.sqlite")) as database:
            for table in tables:
                for row in database.execute(f"SELECT * FROM {table}"):
                    state[system, _person(table, row) // CHUNK].add((table, *row))
    return {place: frozenset(rows) for place, rows in state.items()}


def _person(table: str, row: tuple[Any, ...]) -> int:
    if table == "subscriber":
        return int(row[0].removeprefix("p").partition("@")[0])
    return int(row[1] if table in ("orders", "order_item") else row[0])
