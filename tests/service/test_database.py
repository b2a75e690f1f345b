"""Which errors of our own database pass by waiting, and which are mistakes of ours."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from django.db import Error, connection, connections, transaction
from tests.rig.databases import as_default

from troth.service.core.models import Timestamp
from troth.service.database import hasty, may_pass
from troth.testing.servers import Server


def met(do: Callable[[], object]) -> Exception:
    try:
        do()
    except Error as error:
        return error
    raise AssertionError("it met nothing")


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_statement_that_is_wrong_does_not_pass(database: str) -> None:
    for wrong in ("SELECT nothing FROM nowhere", "SELEKT 1", "INSERT INTO core_timestamp VALUES (1)"):
        assert not may_pass(met(lambda wrong=wrong: execute(wrong)))  # type: ignore[misc]


def test_a_row_that_is_refused_does_not_pass(database: str) -> None:
    def doubled() -> None:
        with transaction.atomic():
            for _ in range(2):
                Timestamp.objects.create(name="a", at="2026-11-24T09:41Z")

    assert not may_pass(met(doubled))


def test_a_server_that_is_not_there_passes(database: str) -> None:
    with as_default("postgresql://nobody@127.0.0.1:9/troth"):
        assert may_pass(met(lambda: execute("SELECT 1")))


def test_a_locked_file_passes(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows")
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 0.1)
    connection.close()
    with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert may_pass(met(lambda: Timestamp.objects.create(name="a", at="2026-11-24T09:41Z")))


def test_a_connection_that_the_server_ends_passes(database: str, request: pytest.FixtureRequest) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server")
    server: Server = request.getfixturevalue("postgresql_server")
    execute("SELECT 1")
    server.cut(database.rpartition("/")[2])
    assert may_pass(met(lambda: execute("SELECT 1")))
    assert may_pass(met(lambda: execute("SELECT 1")))  # on what is left of it
    connection.close()


@pytest.mark.parametrize("sql", ["SELECT pg_sleep(2)", "LOCK TABLE core_timestamp"])
def test_what_takes_too_long_for_somebody_who_waits_passes(
    database: str, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("limits of PostgreSQL")
    connection.close()
    options = hasty(connections.settings["default"])
    limits = options["options"].replace("lock_timeout=4s", "lock_timeout=100").replace("timeout=30s", "timeout=500")
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", {**options, "options": limits})

    def locked() -> None:
        with transaction.atomic():
            execute(sql)

    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE core_timestamp")
        assert may_pass(met(locked))


def test_errors_of_drivers_and_of_sqlalchemy_are_told_apart_too(tmp_path: Path) -> None:
    assert may_pass(psycopg.errors.DiskFull("no room"))
    assert may_pass(psycopg.errors.AdminShutdown("shutting down"))
    assert may_pass(psycopg.errors.SerializationFailure("again"))
    assert not may_pass(psycopg.errors.UndefinedTable("nowhere"))
    assert not may_pass(ValueError("a value"))
    engine = sqlalchemy.create_engine("postgresql+psycopg://nobody@127.0.0.1:9/troth")
    with pytest.raises(sqlalchemy.exc.OperationalError) as away:
        engine.connect()
    assert may_pass(away.value)
    with sqlalchemy.create_engine(f"sqlite:///{tmp_path}/a").connect() as opened:
        with pytest.raises(sqlalchemy.exc.OperationalError) as wrong:
            opened.execute(sqlalchemy.text("SELECT nothing FROM nowhere"))
        assert not may_pass(wrong.value)
