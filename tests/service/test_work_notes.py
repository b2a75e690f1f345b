"""After a restore the notes of flows may be newer than the rows: then they go, before a step is skipped by them."""

from __future__ import annotations

import datetime as dt
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.service.requests.conftest import Office, office  # noqa: F401 - the fixture

from troth.service.work.models import WorkerRow
from troth.service.work.notes import forget_newer
from troth.service.work.worker import worker

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def notes(office: Office) -> Path:  # noqa: F811
    if office.settings.database.engine != "sqlite":
        pytest.skip("on PostgreSQL the notes lie in the same database and are restored with it")
    file = Path(office.settings.database.name).with_name("work.sqlite3")
    file.write_bytes(b"")
    return file


def leased(until: dt.datetime) -> None:
    WorkerRow.objects.create(executor="a", begun_at=until - MINUTE, lease_until=until)


def test_notes_that_are_newer_than_the_rows_go(office: Office, notes: Path) -> None:  # noqa: F811
    leased(office.now() - 60 * MINUTE)
    notes.with_name("work.sqlite3-wal").write_bytes(b"")
    assert forget_newer(office.settings)
    assert not notes.exists()
    assert not notes.with_name("work.sqlite3-wal").exists()


@pytest.mark.parametrize("lease", [dt.timedelta(seconds=-50), dt.timedelta(seconds=20), None])
def test_notes_of_a_worker_that_died_stay(office: Office, notes: Path, lease: dt.timedelta | None) -> None:  # noqa: F811
    if lease is not None:
        leased(office.now() + lease)
    assert not forget_newer(office.settings)
    assert notes.exists()


def test_a_worker_looks_before_it_begins(office: Office, notes: Path, caplog: Any) -> None:  # noqa: F811
    leased(office.now() - 60 * MINUTE)
    os.utime(notes)
    worker(threading.Event(), settings=office.settings, until_idle=True)
    assert "older than the recorded steps" in caplog.text
