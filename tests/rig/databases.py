"""Databases of ours that are migrated once for all workers of a run, and what each test means by ``default``."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from troth.service.configuration import Settings
from troth.service.core.jobs import held
from troth.service.settings import connection_of
from troth.testing.servers import Server

_JOIN_S_MAX = 3.0


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    """The folder of a migrated SQLite file, to be copied: migrating takes longer than most tests,
    so that the workers of a run share it."""
    with first_in_run(tmp_path_factory, "migrated") as (folder, is_first):
        if is_first:
            url = f"sqlite:///{folder}/troth.sqlite3"
            with django_db_blocker.unblock(), ThreadPoolExecutor(1) as aside:  # a browser keeps a loop in this thread
                aside.submit(_migrate, url).result()
            folder.chmod(0o700)  # as a home has to be
            for file in folder.glob("*.sqlite3"):
                with contextlib.closing(sqlite3.connect(file)) as whole:
                    whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def _migrate(url: str) -> None:
    with as_default(url):
        call_command("migrate", verbosity=0)


@pytest.fixture(scope="session")
def migrated_postgresql(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: Server, django_db_blocker: Any
) -> str:
    """The name of a migrated PostgreSQL database, to be copied. It goes with the server of the run."""
    with first_in_run(tmp_path_factory, "migrated-postgresql") as (folder, is_first):
        file = folder / "name"
        if is_first:
            name = f"m{uuid.uuid4().hex[:12]}"
            postgresql_server.run(f"CREATE DATABASE {name}")
            url = postgresql_server.url(name)
            with django_db_blocker.unblock(), ThreadPoolExecutor(1) as aside:
                aside.submit(_migrate, url).result()
            postgresql_server.cut(name)
            file.write_text(name)
        return file.read_text()


@contextlib.contextmanager
def first_in_run(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder that all workers of a run share, and whether this one is the first there; the others wait for it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        is_first = not lock.read()
        yield folder, is_first
        lock.write("done")


def _join_jobs() -> None:
    """Wait until no thread renews a lease in this database, also on a busy machine."""
    deadline = time.monotonic() + _JOIN_S_MAX
    for thread in threading.enumerate():
        if thread.name == "troth-job":
            thread.join(max(0.0, deadline - time.monotonic()))


@contextlib.contextmanager
def as_default(url: str) -> Iterator[None]:
    """Let ``default`` mean the database at *url*, for this thread and for those that it starts."""
    declared, opened = connections.settings["default"], connections["default"]
    described = connection_of(Settings.read({"TROTH_DATABASE_URL": url}).database)
    connections.settings["default"] = {**declared, **described, "CONN_MAX_AGE": 0}
    del connections["default"]
    try:
        yield
    finally:
        held.end()
        _join_jobs()
        connections["default"].close()
        connections.settings["default"] = declared
        connections["default"] = opened
