"""What the SQL engines tell about themselves: schemas, samples, principals, transport."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from troth.stores import (
    AnyOf,
    Before,
    ColumnKind,
    ForeignKey,
    InsertingWriter,
    Match,
    NetworkSessions,
    StoreConflict,
    StoreRefused,
    TableKind,
    open_store,
)
from troth.stores.sql import mariadb
from troth.testing.servers import PASSWORD, Server, running

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def test_the_default_schema_has_bare_names_and_others_do_not(postgresql_place: Any) -> None:
    postgresql_place.run(
        "CREATE TABLE customer (id int PRIMARY KEY)",
        "CREATE SCHEMA crm",
        'CREATE TABLE crm."lead" (id int PRIMARY KEY, customer_id int REFERENCES customer ON DELETE CASCADE)',
        'CREATE TABLE "crm.lead" (id int)',
    )
    store = postgresql_place.open()
    tables = store.describe().tables
    assert {"customer", "crm.lead", "public.crm.lead"} >= set(tables)
    assert len(tables) == 3
    lead = next(table for table in tables.values() if table.foreign_keys)
    assert lead.foreign_keys == (ForeignKey(("customer_id",), "customer", ("id",), "cascade"),)
    assert store.count(lead.name, None) == 0


def test_partitions_hide_behind_their_table(postgresql_place: Any) -> None:
    postgresql_place.run(
        "CREATE TABLE hit (id bigint, at date, ip inet, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE TABLE hit_2026 PARTITION OF hit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "INSERT INTO hit SELECT n, '2026-02-01', '10.0.0.1' FROM generate_series(1, 500) n",
        "ANALYZE",
    )
    store = postgresql_place.open()
    tables = store.describe().tables
    assert list(tables) == ["hit"]
    assert tables["hit"].key == ("id", "at")
    assert tables["hit"].rows_estimate == 500
    assert len(store.sample("hit", ["id"], rows=10)) == 10


def test_views_are_told_from_tables_and_not_written(any_place: Any) -> None:
    any_place.run("CREATE TABLE t (id int PRIMARY KEY, name text)", "CREATE VIEW v AS SELECT id, name FROM t")
    store = any_place.open()
    tables = store.describe().tables
    assert tables["v"].kind is TableKind.VIEW
    assert [column.name for column in tables["v"].columns] == ["id", "name"]
    with store.writing() as writer, pytest.raises(StoreRefused, match="view"):
        writer.erase("v", ["id"], [(1,)])


def test_a_materialised_view_is_a_copy(postgresql_place: Any) -> None:
    postgresql_place.run("CREATE TABLE t (id int)", "CREATE MATERIALIZED VIEW m AS SELECT id FROM t")
    assert postgresql_place.open().describe().tables["m"].kind is TableKind.MATERIALISED


def test_a_broken_view_spoils_nothing(sqlite_place: Any) -> None:
    sqlite_place.run("CREATE TABLE t (id int)", "CREATE VIEW v AS SELECT id FROM t", "CREATE TABLE u (id int)")
    sqlite_place.run("PRAGMA writable_schema = ON", "DELETE FROM sqlite_schema WHERE name = 't'")
    assert set(sqlite_place.open().describe().tables) == {"u", "v"}


def test_computed_columns_are_said_and_refused(any_place: Any) -> None:
    any_place.run("CREATE TABLE t (id int PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)")
    store = any_place.open()
    assert [column.generated for column in store.describe().tables["t"].columns] == [False, False, True]
    with store.writing() as writer, pytest.raises(StoreRefused, match="computed"):
        writer.amend("t", ["id"], ["twice"], [(1, 2)])


def test_keys_are_found_also_where_none_is_called_primary(any_place: Any) -> None:
    any_place.run("CREATE TABLE t (a int, b varchar(20) NOT NULL, c varchar(20) NOT NULL, UNIQUE (b, c))")
    any_place.run("CREATE TABLE n (a int, UNIQUE (a))", "CREATE INDEX by_a ON t (a)")
    tables = any_place.open().describe().tables
    assert (tables["t"].key, tables["n"].key) == (("b", "c"), ())
    assert tables["t"].is_indexed(["c", "b"])
    assert tables["t"].is_indexed(["a"])
    assert not tables["t"].is_indexed(["c"])


def test_comments_are_read(postgresql_place: Any, mariadb_place: Any) -> None:
    postgresql_place.run(
        "CREATE TABLE t (id int)", "COMMENT ON TABLE t IS 'people'", "COMMENT ON COLUMN t.id IS 'number'"
    )
    mariadb_place.run("CREATE TABLE t (id int COMMENT 'number') COMMENT 'people'")
    for place in (postgresql_place, mariadb_place):
        table = place.open().describe().tables["t"]
        assert (table.comment, table.columns[0].comment) == ("people", "number")


def test_loose_types_of_sqlite_mean_what_was_meant(sqlite_place: Any) -> None:
    sqlite_place.run(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b NVARCHAR(160), c DATETIME, d NUMERIC(10,2), e, f BLOB_TEXT, g UUID)",
        "CREATE TABLE w (k VARCHAR(5) PRIMARY KEY, v TEXT) WITHOUT ROWID",
        "CREATE TABLE child (w VARCHAR(5) REFERENCES W ON DELETE SET NULL)",
    )
    tables = sqlite_place.open().describe().tables
    kinds = [column.kind.value for column in tables["t"].columns]
    assert kinds == ["integer", "text", "datetime", "number", "other", "text", "uuid"]
    assert tables["t"].columns[1].length == 160
    assert (tables["t"].key, tables["w"].key, tables["child"].key) == (("a",), ("k",), ())
    assert tables["child"].foreign_keys == (ForeignKey(("w",), "w", ("k",), "set null"),)


def test_types_of_postgresql_arrive_as_scalars(postgresql_place: Any) -> None:
    postgresql_place.run(
        "CREATE TYPE mood AS ENUM ('happy', 'sad')",
        "CREATE DOMAIN mail AS varchar(80) CHECK (VALUE LIKE '%@%')",
        "CREATE TABLE t (id int PRIMARY KEY, m mood, e mail, tags text[], ip inet, j jsonb, span interval, r int4range,"
        " c char(5), at timestamptz, until date)",
        "INSERT INTO t VALUES (1, 'sad', 'ann@example.org', '{\"a,b\",NULL}', '10.0.0.1', '{\"k\": 1}', '1 day',"
        " '[1,3)', 'ab', '2026-06-01 14:00+02', 'infinity')",
    )
    store = postgresql_place.open()
    names = [column.name for column in store.describe().tables["t"].columns]
    [row] = store.read("t", names, None)
    assert row[1:8] == ("sad", "ann@example.org", '["a,b",null]', "10.0.0.1", '{"k": 1}', "1 day", "[1,3)")
    assert row[8:] == ("ab   ", NOON, "infinity")
    for name, value in zip(names[:5], row[:5], strict=True):
        if name != "ip":
            assert store.count("t", AnyOf((Match((name,), ((value,),)),))) == 1, name
    assert store.count("t", AnyOf((Match(("m",), (("furious",),)),))) == 0
    with store.writing() as writer:
        writer.amend("t", ["id"], ["m", "tags", "ip", "c"], [(1, "happy", '["x", "y\\"z"]', "10.0.0.2", "wxyz")])
    assert store.read("t", ["m", "tags", "ip", "c"], None) == [("happy", '["x","y\\"z"]', "10.0.0.2", "wxyz ")]


def test_types_of_mariadb_arrive_as_scalars(mariadb_place: Any) -> None:
    mariadb_place.run(
        "CREATE TABLE t (id int PRIMARY KEY, m ENUM('happy', 'sad'), j JSON, l VARCHAR(20) CHARACTER SET latin1,"
        " span TIME)",
    )
    mariadb_place.run("INSERT INTO t VALUES (1, 'sad', '{\"k\": 1}', 'Zoé', '-26:00:00')")
    store = mariadb_place.open()
    table = store.describe().tables["t"]
    assert [column.kind.value for column in table.columns[1:4]] == ["other", "json", "text"]
    [row] = store.read("t", ["m", "j", "l", "span"], None)
    assert row == ("sad", '{"k": 1}', "Zoé", "-26:00:00")
    for word, rows in (("Zoé", 1), ("Zoe", 0), ("zoé", 0), ("🦉", 0)):
        assert store.count("t", AnyOf((Match(("l",), ((word,),)),))) == rows
    assert store.count("t", AnyOf((Match(("l",), (("ZOÉ",),), fold=True),))) == 1


@pytest.mark.parametrize(
    ("stored", "is_before"),
    [
        ("'2026-06-01 11:59:59'", True),
        ("'2026-06-01 12:00:01'", False),
        ("'2026-06-01T13:59:59+02:00'", True),
        ("'2026-06-01T11:00:00-02:00'", False),
        ("'2026-05-31'", True),
        ("'2026-06-01'", False),
        (str(int(NOON.timestamp()) - 1), True),
        (str(int(NOON.timestamp()) * 1000 + 1), False),
        ("'next week'", False),
        ("'1234567890'", False),
        ("NULL", False),
    ],
)
def test_text_dates_of_sqlite_are_compared_as_moments(sqlite_place: Any, stored: str, is_before: bool) -> None:
    sqlite_place.run("CREATE TABLE t (at)", f"INSERT INTO t VALUES ({stored})")
    assert sqlite_place.open().count("t", Before("at", NOON)) == is_before


def test_moments_with_and_without_a_zone_are_compared_in_utc(postgresql_place: Any) -> None:
    postgresql_place.run(
        "CREATE TABLE t (z timestamptz, n timestamp, d date, e bigint)",
        "INSERT INTO t VALUES ('2026-06-01 13:59+02', '2026-06-01 11:59', '2026-05-31', 1780315140)",
        "INSERT INTO t VALUES ('2026-06-01 14:00+02', '2026-06-01 12:00', '2026-06-01', 1780315200000)",
    )
    store = postgresql_place.open()
    assert [store.count("t", Before(name, NOON)) for name in "znde"] == [1, 1, 1, 1]


def test_a_zero_date_is_before_nothing(mariadb_place: Any) -> None:
    mariadb_place.run(
        "SET SESSION sql_mode = ''",
        "CREATE TABLE t (at DATETIME)",
        "INSERT INTO t VALUES ('0000-00-00'), ('2020-01-01')",
    )
    assert mariadb_place.open().count("t", Before("at", NOON)) == 1


def test_a_column_without_dates_cannot_be_compared_with_one(postgresql_place: Any) -> None:
    postgresql_place.run("CREATE TABLE t (name text)")
    with pytest.raises(StoreRefused, match="no date"):
        postgresql_place.open().count("t", Before("name", NOON))


def test_hundreds_of_tables_are_described(any_place: Any) -> None:
    many = 100 if any_place.kind == "mariadb" else 300
    any_place.run(*(f"CREATE TABLE t{n} (id int PRIMARY KEY, name varchar(50), at date)" for n in range(many)))
    store = any_place.open()
    assert len(store.describe().tables) == many


def test_a_sample_of_a_large_table_comes_from_all_over(any_place: Any) -> None:
    series = {
        "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION SELECT n + 1 FROM s WHERE n < 20000) SELECT n, 'x' FROM s",
        "postgresql": "SELECT n, repeat('x', 100) FROM generate_series(1, 20000) n",
        "mariadb": "SELECT seq, 'x' FROM seq_1_to_20000",
    }[any_place.kind]
    any_place.run("CREATE TABLE t (id int PRIMARY KEY, name text)", f"INSERT INTO t {series}")
    if any_place.kind == "postgresql":
        any_place.run("ANALYZE")
    ids = [int(str(row[0])) for row in any_place.open().sample("t", ["id"], rows=100)]
    assert len(ids) == len(set(ids)) == 100
    assert max(ids) - min(ids) > 10_000


def test_principals_count_every_way_in(postgresql_place: Any) -> None:
    name = postgresql_place.database
    postgresql_place.run(
        "CREATE TABLE customer (id int, email text)",
        f"CREATE ROLE {name}_group",
        f"GRANT SELECT ON customer TO {name}_group",
        f"CREATE ROLE {name}_ann LOGIN NOINHERIT IN ROLE {name}_group",
        f"CREATE ROLE {name}_ben LOGIN IN ROLE pg_read_all_data",
        f"CREATE ROLE {name}_chloe LOGIN",
        f"GRANT UPDATE (email) ON customer TO {name}_chloe",
        f"CREATE ROLE {name}_none LOGIN",
    )
    try:
        found = {one.name.removeprefix(f"{name}_"): one for one in postgresql_place.open().principals()}
    finally:
        postgresql_place.run(
            f"DROP OWNED BY {name}_group, {name}_chloe",
            f"DROP ROLE {name}_ann, {name}_ben, {name}_chloe, {name}_none, {name}_group",
        )
    assert found["ann"].reads == found["ben"].reads == {"customer"}
    assert "_group" in found["ann"].why
    assert "pg_read_all_data" in found["ben"].why
    assert (found["chloe"].reads, found["chloe"].writes) == (frozenset(), {"customer"})
    assert found["postgres"].why == "superuser"
    assert not found["group"].can_login
    assert "none" not in found


def test_a_grant_to_public_lets_everyone_in(postgresql_place: Any) -> None:
    name = postgresql_place.database
    postgresql_place.run(
        "CREATE TABLE customer (id int)", "GRANT SELECT ON customer TO PUBLIC", f"CREATE ROLE {name}_x LOGIN"
    )
    try:
        found = {one.name: one for one in postgresql_place.open().principals()}
    finally:
        postgresql_place.run(f"DROP ROLE {name}_x")
    assert (found[f"{name}_x"].reads, found[f"{name}_x"].why) == ({"customer"}, "PUBLIC")


def test_accounts_and_roles_of_mariadb_are_counted(mariadb_place: Any) -> None:
    name = mariadb_place.database
    mariadb_place.run(
        "CREATE TABLE customer (id int, email text)",
        f"CREATE ROLE {name}_r",
        f"GRANT SELECT ON {name}.customer TO {name}_r",
        f"CREATE USER {name}_ann@'%' ACCOUNT LOCK",
        f"GRANT {name}_r TO {name}_ann@'%'",
        f"CREATE USER {name}_ben@'%'",
        f"GRANT DELETE ON `t%`.* TO {name}_ben@'%'",
        f"CREATE USER {name}_none@'%'",
    )
    try:
        found = {one.name.removeprefix(f"{name}_"): one for one in mariadb_place.open().principals()}
    finally:
        mariadb_place.run(f"DROP ROLE {name}_r", f"DROP USER {name}_ann@'%', {name}_ben@'%', {name}_none@'%'")
    assert (found["ann@%"].reads, found["ann@%"].can_login) == ({"customer"}, False)
    assert "_r" in found["ann@%"].why
    assert (found["ben@%"].reads, found["ben@%"].writes) == (frozenset(), {"customer"})
    assert found["root@127.0.0.1"].reads == {"customer"}
    assert "none@%" not in found


def test_who_may_open_the_file_reads_sqlite(sqlite_place: Any) -> None:
    sqlite_place.run("CREATE TABLE customer (id int)")
    path = Path(sqlite_place.url.removeprefix("sqlite:///"))
    path.chmod(0o600)
    path.parent.chmod(0o700)
    found = {principal.name: principal for principal in sqlite_place.open().principals()}
    assert (found["root"].reads, found["root"].writes) == ({"customer"}, {"customer"})
    assert "others" not in found


def test_transport_says_how(any_place: Any) -> None:
    transport = any_place.open().transport()
    expected = {"sqlite": (True, "local file"), "postgresql": (False, "not encrypted"), "mariadb": (True, "TLS")}
    encrypted, words = expected[any_place.kind]
    assert (transport.encrypted, words in transport.detail) == (encrypted, True)


@pytest.mark.parametrize("key", ["int", "varchar(20)"])
def test_a_sample_has_the_row_that_was_written_last(any_place: Any, key: str) -> None:
    any_place.run(f"CREATE TABLE t (id {key} PRIMARY KEY)")
    any_place.run(f"INSERT INTO t VALUES {', '.join(f'({number!r})' for number in map(str, range(1000, 1500)))}")
    ids = [int(str(row[0])) for row in any_place.open().sample("t", ["id"], rows=40)]
    assert (len(set(ids)), 1000 in ids, 1499 in ids) == (40, True, True)


def test_mariadb_shows_the_connections_of_all_clients_to_whom_it_may(mariadb_place: Any) -> None:
    server, database = mariadb_place.server, mariadb_place.database
    mariadb_place.run(
        f"CREATE USER {database}@'%' IDENTIFIED BY 'let-me-in'",
        f"GRANT SELECT ON {database}.* TO {database}@'%'",
    )
    clerk = open_store("shop", server.url(database, user=database, password="let-me-in"))
    plain = {"host": "127.0.0.1", "port": server.port, "user": "root", "password": PASSWORD}
    with contextlib.closing(pymysql.connect(**plain, database=database, ssl_disabled=True)):
        hidden = clerk.transport().sessions
        assert hidden is not None
        assert (hidden.seen, hidden.plain) == (1, 0)
        mariadb_place.run(hidden.hidden.partition(": ")[2].replace("...;", f"{database}@'%'"))
        assert clerk.transport().sessions == NetworkSessions(2, 1)
    mariadb_place.run(f"DROP USER {database}@'%'")
    clerk.close()


def test_mariadb_without_its_performance_schema_shows_our_own_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"performance_schema": "OFF", "require_secure_transport": "OFF"}
    monkeypatch.setattr("troth.stores.sql.mariadb.run", lambda *_: settings.items())
    sessions = mariadb._sessions(Any, ours=(1, 0))  # type: ignore[arg-type]
    assert (sessions.seen, sessions.is_required, "performance_schema = ON" in sessions.hidden) == (1, False, True)
    settings["require_secure_transport"] = "ON"
    assert mariadb._sessions(Any, ours=(1, 0)).is_required  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tls_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own that speaks TLS, and plain to those that do not ask for it."""
    with running("postgresql") as server:
        file = tmp_path_factory.mktemp("tls") / "server.pem"
        file.write_bytes(certificate())
        for name in ("server.crt", "server.key"):
            target = Path(server.folder, "data", name)
            target.write_bytes(file.read_bytes())
            target.chmod(0o600)
            shutil.chown(target, Path(server.folder, "data").owner())
        server.run("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
        server.run("CREATE ROLE clerk LOGIN PASSWORD 'let-me-in'", "CREATE DATABASE shop")
        yield server


def certificate() -> bytes:
    """A certificate of this machine, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.sign(key, hashes.SHA256()).public_bytes(pem) + secret


def test_postgresql_shows_the_connections_of_all_clients_to_whom_it_may(tls_postgresql: Server) -> None:
    url = tls_postgresql.url("shop")
    ours = tls_postgresql.url("shop", user="clerk", password="let-me-in")
    clerk, root = open_store("shop", ours), open_store("shop", url)
    assert clerk.transport().detail.startswith("TLSv1")
    assert clerk.transport().sessions == NetworkSessions(1, 0)
    with psycopg.connect(url), psycopg.connect(f"{url}?sslmode=disable"):
        hidden = clerk.transport().sessions
        assert hidden is not None
        assert (hidden.seen, hidden.plain, hidden.hidden[:2]) == (1, 0, "2 ")
        tls_postgresql.run("GRANT pg_read_all_stats TO clerk")
        assert clerk.transport().sessions == NetworkSessions(3, 1)
        tls_postgresql.run("REVOKE pg_read_all_stats FROM clerk")
    clerk.close()
    rules = Path(tls_postgresql.folder, "data", "pg_hba.conf")
    rules.write_text(rules.read_text().replace("host ", "hostssl "))
    shown = root.transport().sessions
    assert shown is not None
    assert (shown.plain, shown.is_required) == (0, True)
    root.close()


def test_a_socket_counts_as_encrypted(postgresql_place: Any) -> None:
    server = postgresql_place.server
    url = f"postgresql://postgres@/{postgresql_place.database}?host={server.folder}&port={server.port}"
    store = open_store("shop", url)
    assert store.transport().detail == "local socket"
    store.close()


def test_bytes_that_are_no_text_are_read_as_bytes(sqlite_place: Any) -> None:
    with sqlite3.connect(os.fspath(sqlite_place.url.removeprefix("sqlite:///"))) as connection:
        connection.execute("CREATE TABLE t (name TEXT)")
        connection.execute("INSERT INTO t VALUES (CAST(x'ff41' AS TEXT))")
    connection.close()
    store = sqlite_place.open()
    assert store.read("t", ["name"], None) == [(b"\xffA",)]
    assert store.describe().tables["t"].columns[0].kind is ColumnKind.TEXT


def test_an_inserted_row_comes_back_with_what_the_store_filled_in(any_place: Any) -> None:
    counter = {"sqlite": "INTEGER", "postgresql": "SERIAL", "mariadb": "INT AUTO_INCREMENT"}[any_place.kind]
    any_place.run(
        f"CREATE TABLE t (id {counter} PRIMARY KEY, name varchar(20) NOT NULL, kind varchar(9) DEFAULT 'new',"
        " note text)"
    )
    store = any_place.open()
    columns = store.describe().tables["t"].columns
    assert [column.name for column in columns if column.filled] == ["id", "kind"]
    with store.writing() as writer:
        assert isinstance(writer, InsertingWriter)
        assert writer.insert("t", {"name": "100% Ann's"}) == {
            "id": 1,
            "name": "100% Ann's",
            "kind": "new",
            "note": None,
        }
    assert store.read("t", ["id", "name"], None) == [(1, "100% Ann's")]
    with store.writing() as writer, pytest.raises(StoreConflict) as raised:
        writer.insert("t", {"kind": "ann@example.org is too long for it", "name": None})
    assert "ann@" not in str(raised.value)
