"""Troth's own database goes away for a moment, under load: every request is carried out by itself, exactly once, and
everybody is told once.

What carries out is what `troth serve` has beside the server: a worker in a process
of their own, begun anew where it ends. PostgreSQL is restarted, also as by a crash, with everything that keeps what was
committed; SQLite is locked by somebody else for a while. Each time people have just asked.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import Error, connection
from tests.rig.databases import as_default
from tests.service.mailing import Sink, read
from tests.service.requests.conftest import FLOWS, Office

from troth.service.cases.content import CaseContent
from troth.service.cases.intake.receive import Intake, receive_all
from troth.service.cases.models import Case, CaseKind, CaseState, Channel
from troth.service.core.jobs.models import Job
from troth.service.core.models import EntryRow, RunRow
from troth.service.mail.models import LetterRow
from troth.service.server import _worker
from troth.testing.servers import Server, running

RIGHTS = ("erase", "erase", "view", "restrict", "object")
ANSWERS = ("fulfilled", "partly", "package", "nothing", "stopped")
ASKED_AT_ONCE = 6
WAIT_S_MAX = 180.0


@pytest.fixture(scope="module")
def durable_server() -> Iterator[Server]:
    """A PostgreSQL of our own that loses nothing that was committed."""
    with running("postgresql", durable=True) as server:
        yield server


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    """As everywhere, on a server that may be restarted."""
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("migrated"), tmp_path, dirs_exist_ok=True)
        url = f"sqlite:///{tmp_path}/troth.sqlite3"
        with django_db_blocker.unblock(), as_default(url):
            yield url
        return
    server: Server = request.getfixturevalue("durable_server")
    with server.database("troth") as url, django_db_blocker.unblock(), as_default(url):
        call_command("migrate", verbosity=0)
        yield url


@pytest.fixture
def sink(office: Office, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """Where e-mail arrives, while what carries requests out is at work."""
    with Sink() as sink:
        for name, value in {
            "TROTH_HOME": office.settings.home,
            "TROTH_DATABASE_URL": database,
            "TROTH_DECLARATION": office.folder / "troth.yaml",
            "TROTH_MAIL_URL": f"smtp://127.0.0.1:{sink.port}",
        }.items():
            monkeypatch.setenv(name, str(value))
        with _worker():
            yield sink


class Crowd:
    """People who ask, each for one thing."""

    def __init__(self, office: Office, seed: int) -> None:
        self._office = office
        self._chance = random.Random(seed)
        self.count = 0

    def ask(self) -> None:
        """A few of them ask, in one transaction."""
        intakes = []
        for number in range(self.count, self.count + ASKED_AT_ONCE):
            mail = f"p{number}@example.org"
            self._office.do(
                f"insert into customer values ({100 + number}, '{mail}', 'Ann', null, 'M1 1AE', null, 'yes');"
                f"insert into login values ({100 + number}, {100 + number}, '192.0.2.1')"
            )
            right = RIGHTS[number % len(RIGHTS)]
            asked = CaseContent(address=mail, identifiers=(("email", mail),))
            intakes.append(Intake(CaseKind.REQUEST, asked, Channel.CENTRE, right=right, tier=3))
        receive_all(intakes, self._office.deployment, now=self._office.now())
        self.count += ASKED_AT_ONCE
        until = time.monotonic() + 10
        while not Job.objects.filter(state=Job.State.RUNNING).exists() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(self._chance.uniform(0.0, 1.0))


def answered(crowd: Crowd) -> bool:
    """Whether everybody has their answer, with the database there or not."""
    with contextlib.suppress(Error):
        return (
            Case.objects.filter(state=CaseState.CLOSED).count() == crowd.count
            and not Job.objects.filter(kind__in=FLOWS).exists()
            and not LetterRow.objects.filter(ended_at=None).exists()
        )
    connection.close()
    return False


def wait_until(is_so: Callable[[], bool], *, s_max: float = WAIT_S_MAX) -> None:
    deadline = time.monotonic() + s_max
    while not is_so():
        if time.monotonic() > deadline:
            stuck = Job.objects.values_list("kind", "state", "step", "reason", "attempts")
            mails = LetterRow.objects.exclude(state="sent").values_list("kind", "state", "reason", "repeated")
            cases = Case.objects.exclude(state=CaseState.CLOSED).values_list("right", "state", "needs", "batch")
            raise AssertionError(f"it does not come to an end: {list(stuck)} {list(mails)} {list(cases)}")
        time.sleep(0.2)


def assert_exactly_once(crowd: Crowd, office: Office, sink: Sink) -> None:
    """Nobody was left out, and nothing was done or said twice."""
    assert not RunRow.objects.filter(finished_at=None).exists()
    assert not Job.objects.filter(kind__in=FLOWS).exists()
    cases = list(Case.objects.all())
    assert len(cases) == crowd.count
    assert {case.receipts.count() for case in cases} == {1}
    assert {case.outcome for case in cases} == {"fulfilled"}
    entries = Counter(bytes(row.content).partition(b'"kind":"')[2].partition(b'"')[0] for row in EntryRow.objects.all())
    erased = [case for case in cases if case.right == "erase"]
    assert entries[b"case.closed"] == len(cases), entries
    assert entries[b"subject.erased"] == len(erased)
    assert office.rows("select count(*) from customer") == [(3 + len(cases) - len(erased),)]
    rows = list(LetterRow.objects.all())
    assert Counter((row.about, row.kind) for row in rows).most_common(1)[0][1] == 1
    assert entries[b"letter.sent"] == len(rows)
    for case in cases:
        kinds = Counter(row.kind for row in rows if row.about == case.about)
        assert kinds["acknowledged"] == 1, case
        assert sum(number for kind, number in kinds.items() if kind.startswith(ANSWERS)) == 1, (case, kinds)
    sent = Counter(read(one.content)["Message-ID"] for one in sink.taken)
    assert sent == Counter(row.message_id for row in rows)
    assert not any(row.repeated for row in rows)


def restarted(office: Office, server: Server, sink: Sink, *, modes: list[str], seed: int) -> None:
    crowd = Crowd(office, seed)
    for mode in modes:
        crowd.ask()
        server.restart(mode)
        connection.close()
    wait_until(lambda: answered(crowd))
    assert_exactly_once(crowd, office, sink)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_everybody_is_answered_once_although_postgresql_is_restarted(
    office: Office, durable_server: Server, sink: Sink
) -> None:
    restarted(office, durable_server, sink, modes=["fast", "immediate", "fast"], seed=20_261_126)


@pytest.mark.soak
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_everybody_is_answered_once_with_50_restarts(
    office: Office, durable_server: Server, sink: Sink, mode: str, seed: int
) -> None:
    restarted(office, durable_server, sink, modes=5 * [mode], seed=seed)  # times five seeds, two modes


@pytest.mark.soak
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_everybody_is_answered_once_after_postgresql_was_away_for_longer_than_a_lease(
    office: Office, durable_server: Server, sink: Sink
) -> None:
    crowd = Crowd(office, 7)
    for _ in range(2):
        crowd.ask()
        connection.close()
        durable_server.run("ALTER DATABASE troth ALLOW_CONNECTIONS false")
        durable_server.cut("troth")
        time.sleep(45)
        durable_server.run("ALTER DATABASE troth ALLOW_CONNECTIONS true")
    wait_until(lambda: answered(crowd))
    assert_exactly_once(crowd, office, sink)


def locked(office: Office, sink: Sink, *, locks_s: list[float], seed: int) -> None:
    crowd = Crowd(office, seed)
    for lock_s in locks_s:
        crowd.ask()
        connection.close()
        with contextlib.closing(sqlite3.connect(office.folder / "troth.sqlite3", timeout=60)) as other:
            other.execute("BEGIN EXCLUSIVE")
            time.sleep(lock_s)
            other.rollback()
    wait_until(lambda: answered(crowd))
    assert_exactly_once(crowd, office, sink)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_everybody_is_answered_once_although_sqlite_is_locked(office: Office, sink: Sink) -> None:
    locked(office, sink, locks_s=[22.0], seed=20_261_126)  # longer than a worker waits


@pytest.mark.soak
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(4))
def test_everybody_is_answered_once_with_20_locks(office: Office, sink: Sink, seed: int) -> None:
    locked(office, sink, locks_s=[2.0, 8.0, 25.0, 45.0, 60.0], seed=seed)  # times four seeds
