"""Each test that asks for `database` runs twice: on a fresh SQLite file, and on a fresh PostgreSQL database."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command
from django.db import connections
from tests.service import team

from troth.service.configuration import Settings
from troth.service.settings import connection_of
from troth.service.staff.rights import Right, Role
from troth.service.work.engine import prepare
from troth.testing.servers import Server

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Django's own hash of a password, with one round instead of a million."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1)
        yield


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    """The URL of a migrated database, which Django's ``default`` means while the test runs."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql_server")
        copied = server.database(f"t{uuid.uuid4().hex[:12]}", like=request.getfixturevalue("migrated_postgresql"))
        with copied as url, django_db_blocker.unblock(), as_default(url):
            yield url
        return
    shutil.copy(request.getfixturevalue("migrated"), tmp_path / "troth.sqlite3")
    url = f"sqlite:///{tmp_path}/troth.sqlite3"
    with django_db_blocker.unblock(), as_default(url):
        yield url


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    """A migrated SQLite file, to be copied: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("migrated") / "troth.sqlite3"
    with django_db_blocker.unblock(), as_default(f"sqlite:///{file}"):
        call_command("migrate", verbosity=0)
    with contextlib.closing(sqlite3.connect(file)) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: Server, django_db_blocker: Any) -> Iterator[str]:
    """The name of a migrated PostgreSQL database, to be copied."""
    name = f"m{uuid.uuid4().hex[:12]}"
    with postgresql_server.database(name) as url:
        with django_db_blocker.unblock(), as_default(url):
            call_command("migrate", verbosity=0)
            prepare(Settings.read({"TROTH_DATABASE_URL": url}))
        postgresql_server.cut(name)
        yield name


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
        connections["default"].close()
        connections.settings["default"] = declared
        connections["default"] = opened


class TestSigner:
    """An Ed25519 key for one test."""

    __test__ = False
    name = "example.org/troth"

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


@pytest.fixture
def signer() -> TestSigner:
    return TestSigner()


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(database: str) -> Iterator[Start]:
    """Starts one of `processes` on the test's database; whatever is left at the end is killed."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.service.processes", *arguments]
        environment = {**os.environ, "TROTH_DATABASE_URL": database}
        begun.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=ROOT))
        return begun[-1]

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def office(database: str, tmp_path: Path, settings: Any) -> Path:
    """A small company with keys, in a folder of its own, which the service serves while the test runs. A fixture that
    sets ``settings.TROTH`` itself takes its place."""
    settings.TROTH = team.lay(tmp_path)
    return tmp_path


@pytest.fixture
def staff_member(database: str) -> Callable[..., team.StaffClient]:
    """``staff_member(Right.CASES_HANDLE, …)``: a browser in which somebody with these rights has signed in, second
    factor and all; ``.member`` is who. The company of ``settings.TROTH`` needs keys: see `office`."""
    count = iter(range(1, 1_000))

    def member(
        *rights: Right, roles: Sequence[Role] = (), signed: bool = True, factor: bool = True
    ) -> team.StaffClient:
        who = team.new_member(f"ann{next(count)}@example.org", *rights, roles=roles, signed=signed)
        return team.signed_in_client(who, factor=factor)

    return member
