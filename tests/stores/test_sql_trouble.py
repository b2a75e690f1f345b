"""What goes wrong is told in our words: which table, what to do, and nothing of anybody's data."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.tables import each_row

from troth.stores import (
    AnyOf,
    Match,
    StoreBusy,
    StoreConflict,
    StoreLimits,
    StoreRefused,
    StoreUnreachable,
    UnknownName,
    open_store,
)
from troth.stores.sql import mariadb as mariadb_module
from troth.stores.sql import postgresql as postgresql_module

SECRET = "hunter2-secret"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}@localhost:port/db",
        f"oracle://ann:{SECRET}@localhost/db",
        f"postgresql//ann:{SECRET}",
        f"mariadb://ann:{SECRET}@localhost",
        "sqlite://",
        "",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(StoreRefused) as caught:
        open_store("shop", url)
    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "shop" in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "driver", "extra"), [("postgresql", "psycopg", "postgresql"), ("mariadb", "pymysql", "mariadb")]
)
def test_a_missing_driver_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, scheme: str, driver: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, driver, None)
    monkeypatch.delitem(sys.modules, f"troth.stores.{scheme}", raising=False)
    with pytest.raises(StoreRefused, match=rf"pip install '.\[{extra}\]'"):
        open_store("shop", f"{scheme}://ann:{SECRET}@localhost/db")


def test_a_store_does_not_show_its_url(any_place: Any) -> None:
    store = any_place.open()
    assert any_place.url not in f"{store!r} {store}"
    assert "troth@" not in repr(vars(store))


def test_nothing_is_logged_even_at_debug(any_place: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "psycopg", "pymysql"):
        caplog.set_level(logging.DEBUG, logger=name)
    store = any_place.prepare().open()
    store.read("customer", ["email"], AnyOf((Match(("email",), (("ann@example.org",),)),)))
    with store.writing() as writer:
        writer.amend("customer", ["id"], ["email"], [(1, "anna@example.org")])
    assert "@example.org" not in caplog.text


def test_the_text_of_a_trigger_is_not_repeated(any_place: Any) -> None:
    words = "no change for ann@example.org"
    any_place.run(
        "CREATE TABLE t (id int PRIMARY KEY, email varchar(99))", "INSERT INTO t VALUES (1, 'ann@example.org')"
    )
    if any_place.kind == "sqlite":
        any_place.run(f"CREATE TRIGGER x BEFORE UPDATE ON t BEGIN SELECT RAISE(ABORT, '{words}'); END")
    elif any_place.kind == "mariadb":
        any_place.run(
            f"CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{words}'"
        )
    else:
        any_place.run(
            f"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE '{words}'; END $$",
            "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
        )
    with pytest.raises(StoreConflict) as caught, any_place.open().writing() as writer:
        writer.amend("t", ["id"], ["email"], [(1, "x")])
    assert "ann@example.org" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


@pytest.mark.parametrize(
    ("value", "word"), [(None, "name"), ("x" * 200, ""), ("short", "")], ids=["null", "long", "check"]
)
def test_each_kind_of_constraint_is_a_conflict(any_place: Any, value: str | None, word: str) -> None:
    any_place.run(
        "CREATE TABLE t (id int PRIMARY KEY, name varchar(100) NOT NULL, CHECK (length(name) BETWEEN 6 AND 100))",
        "INSERT INTO t VALUES (1, 'Ann Example')",
    )
    store = any_place.open()
    with pytest.raises(StoreConflict, match=f"shop, table t: .*{word}") as caught, store.writing() as writer:
        writer.amend("t", ["id"], ["name"], [(1, value)])
    assert str(value) not in str(caught.value)
    assert store.read("t", ["name"], None) == [("Ann Example",)]


@pytest.mark.parametrize("value", [2**40, 2**63 - 1, "abc", "1.5", b"x"])
def test_numbers_that_do_not_fit_are_conflicts(any_place: Any, value: Any) -> None:
    if any_place.kind == "sqlite" and isinstance(value, int):
        pytest.skip("SQLite holds any whole number in any column")
    any_place.run("CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 7)")
    with pytest.raises(StoreConflict) as caught, any_place.open().writing() as writer:
        writer.amend("t", ["id"], ["n"], [(1, value)])
    assert str(value) not in str(caught.value)


def test_a_value_with_a_quote_cannot_imitate_the_name_of_a_key() -> None:
    said = "Duplicate entry 'x' for key 'ann@example.org' for key 'email'"
    fault = mariadb_module.MariaDB.fault(object.__new__(mariadb_module.MariaDB), sqlite3.IntegrityError(1062, said))
    assert fault.detail.endswith("email")
    assert "ann" not in fault.detail


@each_row(
    ("said", "comes_back"),
    [
        ("the database system is starting up", True),
        ("the database system is shutting down", True),
        ("the database system is in recovery mode", True),
        ("the database system is not yet accepting connections", True),
        ("sorry, too many clients already", True),
        ("remaining connection slots are reserved for roles with the SUPERUSER attribute", True),
        ('password authentication failed for user "ann"', False),
        ('database "shop" does not exist', False),
    ],
)
def test_a_server_that_will_be_back_is_waited_for(said: str, comes_back: bool) -> None:
    error = psycopg.OperationalError(f"connection to server at 127.0.0.1 failed: FATAL:  {said}")
    fault = postgresql_module.PostgreSQL.fault(object.__new__(postgresql_module.PostgreSQL), error)
    assert fault.retryable == comes_back


def test_a_long_statement_is_stopped(any_place: Any) -> None:
    endless = {
        "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT max(n) AS n FROM s",
        "postgresql": "SELECT pg_sleep(60)::text AS n",
        "mariadb": "SELECT sleep(60) AS n",
    }[any_place.kind]
    any_place.run(f"CREATE VIEW v AS {endless}")
    store = any_place.open(limits=StoreLimits(statement_s=0.5))
    store.describe()
    with pytest.raises(StoreBusy):
        store.read("v", ["n"], None)


def test_a_deadlock_is_busy_and_undoes_all(postgresql_place: Any) -> None:
    store = postgresql_place.prepare().open(limits=StoreLimits(lock_s=20))
    other = postgresql_place.connect()
    other.execute("SET deadlock_timeout = '10s'")
    other.execute("BEGIN")
    other.execute("UPDATE customer SET name = name WHERE id = 2")
    cursor = other.pgconn
    with contextlib.closing(other), pytest.raises(StoreBusy), store.writing() as writer:  # noqa: PT012
        writer.amend("customer", ["id"], ["name"], [(1, "Anna")])
        cursor.send_query(b"UPDATE customer SET name = name WHERE id = 1")
        writer.amend("customer", ["id"], ["name"], [(2, "Benjamin")])
    assert store.read("customer", ["name"], AnyOf((Match(("id",), ((1,), (2,))),))) == [("Ann",), ("Ben",)]


def test_tables_without_transactions_are_not_written_to(mariadb_place: Any) -> None:
    mariadb_place.run("CREATE TABLE old (id int PRIMARY KEY) ENGINE = MyISAM", "INSERT INTO old VALUES (1)")
    store = mariadb_place.open()
    with pytest.raises(StoreRefused, match="MyISAM has no transactions"), store.writing() as writer:
        writer.erase("old", ["id"], [(1,)])
    assert store.count("old", None) == 1


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_database_that_is_not_there_is_refused(kind: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(f"{kind}_server")
    with pytest.raises(StoreRefused, match="database"):
        open_store("shop", server.url("absent")).describe()


def test_reading_creates_no_database_file(tmp_path: Path) -> None:
    path = tmp_path / "absent.db"
    with pytest.raises(StoreUnreachable):
        open_store("shop", f"sqlite:///{path}").describe()
    assert not path.exists()


_DIES_WRITING = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA synchronous = OFF")  # so that the journal counts from the start, and not from the commit on
connection.execute("BEGIN IMMEDIATE")
connection.execute("DELETE FROM t")
os.kill(os.getpid(), 9)
"""


def test_what_a_writer_left_half_done_is_waited_for_or_rolled_back(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.sqlite")) as made:
        made.executescript("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    subprocess.run([sys.executable, "-c", _DIES_WRITING, str(tmp_path / "shop.sqlite")])
    url = f"sqlite:///{tmp_path}/shop.sqlite"
    with contextlib.closing(open_store("shop", url, read_only=True)) as reader, pytest.raises(StoreBusy) as waits:
        reader.read("t", ["id"], None)
    assert waits.value.retryable
    for read_only in (False, True):
        with contextlib.closing(open_store("shop", url, read_only=read_only)) as store:
            assert store.read("t", ["id"], None) == [(1,)]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(StoreRefused, match="not a SQLite database"):
        open_store("shop", f"sqlite:///{path}").describe()


def test_readers_cannot_write_by_any_view_or_function(postgresql_place: Any) -> None:
    postgresql_place.run(
        "CREATE TABLE t (id int)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (1); RETURN 1; END $$",
        "CREATE VIEW v AS SELECT f() AS id",
    )
    store = postgresql_place.open()
    with pytest.raises(StoreRefused):
        store.read("v", ["id"], None)
    assert store.count("t", None) == 0


def test_a_policy_that_hides_rows_is_an_error_not_a_smaller_answer(postgresql_place: Any) -> None:
    role = f"{postgresql_place.database}_clerk"
    postgresql_place.run(
        "CREATE TABLE t (id int)",
        "INSERT INTO t VALUES (1), (2)",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY half ON t USING (id = 1)",
        f"CREATE ROLE {role} LOGIN PASSWORD 'troth'",
        f"GRANT SELECT ON t TO {role}",
    )
    store = open_store("shop", postgresql_place.server.url(postgresql_place.database, user=role))
    try:
        with pytest.raises(StoreRefused, match="BYPASSRLS"):
            store.count("t", None)
    finally:
        store.close()
        postgresql_place.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_schema_that_changed_meanwhile_is_noticed(any_place: Any) -> None:
    any_place.run("CREATE TABLE t (id int PRIMARY KEY, name text)")
    store = any_place.open()
    assert store.count("t", None) == 0
    any_place.run("DROP TABLE t", "CREATE TABLE t (id int PRIMARY KEY)")
    with pytest.raises(UnknownName, match="changed"):
        store.read("t", ["name"], None)
    store.refresh()
    with pytest.raises(UnknownName, match="no column 'name'"):
        store.read("t", ["name"], None)
