"""A million sealed fields come under a new key in place, while another process reads them without a failure.

    python -m benchmarks.protect.fields [--rows 1000000] [--on sqlite postgresql mariadb]

The goal is a minute for a million; the exit code says whether it held everywhere, with no failed read. The floor, in
the same run, is one plain UPDATE that writes as many bytes into the same column of the same rows. CPU is that of the
rotating process, without the database's. Each table has an index on its buckets, which rotation checks as it opens the
rows. SQLite writes to a file in WAL mode.
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from troth.protect import Keyring, create_home
from troth.protect.fields.sqlalchemy import Bucket, SealedText, rotate_fields
from troth.testing.servers import share

GOAL_SECONDS = 60
GOAL_ROWS = 1_000_000
BATCH = 10_000
TABLE = sa.Table(
    "customer",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", SealedText("customer", "email")),
    sa.Column("email_bucket", Bucket({"email": "email"}, population=GOAL_ROWS), index=True),
)
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=GOAL_ROWS)
    options.add_argument("--on", nargs="+", choices=DRIVERS, default=list(DRIVERS))
    given = options.parse_args()
    print(f"{given.rows:,} sealed e-mail addresses, each with its bucket")
    print(f"{'':12} {'rotated in':>11} {'CPU':>8} {'fields/s':>9} {'floor':>8} {'ratio':>6} {'reads':>9} {'failed':>7}")
    held = [_on(name, given.rows) for name in given.on]
    print(f"goal: a million in {GOAL_SECONDS} s, no failed read: {'met' if all(held) else 'MISSED'}")
    return 0 if all(held) else 1


def _on(name: str, rows: int) -> bool:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.environ["TROTH_HOME"] = f"{folder}/home"
        create_home(Path(folder, "home"))
        url = stack.enter_context(_database(name, folder))
        engine = _engine(url)
        stack.callback(engine.dispose)
        _fill(engine, rows)
        floor = _floor(engine)
        _fill(engine, rows)
        keyring = Keyring.open(Path(folder, "home"))
        assert keyring.chain is not None
        keyring.chain.rotate("field", now=dt.datetime.now(dt.UTC))
        with _reader(url, rows) as told:
            started, cpu = time.perf_counter(), time.process_time()
            found = rotate_fields(engine, TABLE)
            seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        assert found.changed == rows
        reads, failed = told[0]
    print(
        f"{name:12} {seconds:9.1f} s {cpu:6.1f} s {rows / seconds:9,.0f} {floor:6.1f} s {seconds / floor:6.1f} "
        f"{reads:9,} {failed:7,}",
        flush=True,
    )
    return failed == 0 and reads > 0 and seconds <= GOAL_SECONDS * rows / GOAL_ROWS


@contextmanager
def _database(name: str, folder: str) -> Iterator[str]:
    if name == "sqlite":
        yield f"sqlite:///{folder}/shop.db"
        return
    with share(name, f"fields{os.getpid()}") as server, server.database("fields") as url:
        yield sa.make_url(url).set(drivername=DRIVERS[name]).render_as_string(hide_password=False)


def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA journal_mode = WAL"))
    return engine


def _fill(engine: sa.Engine, rows: int) -> None:
    TABLE.metadata.drop_all(engine)
    TABLE.metadata.create_all(engine)
    with engine.begin() as connection:
        for start in range(1, rows + 1, BATCH):
            some = range(start, min(start + BATCH, rows + 1))
            connection.execute(TABLE.insert(), [{"id": n, "email": _mail(n)} for n in some])


def _mail(number: int) -> str:
    return f"person{number}@example.org"


def _floor(engine: sa.Engine) -> float:
    with engine.connect() as connection:
        (length,) = connection.execute(sa.text("SELECT length(email) FROM customer WHERE id = 1")).one()
    started = time.perf_counter()
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE customer SET email = :bytes"), {"bytes": bytes(length)})
    return time.perf_counter() - started


# --- the reader -------------------------------------------------------------------------------------------------------


@contextmanager
def _reader(url: str, rows: int) -> Iterator[list[tuple[int, int]]]:
    """A process that reads at random; how many reads it made, and how many failed, once it has ended."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_read, args=(url, rows, theirs))
    process.start()
    ours.recv()
    told: list[tuple[int, int]] = []
    yield told
    ours.send("stop")
    told.append(ours.recv())
    process.join()


def _read(url: str, rows: int, pipe: Connection) -> None:
    engine, chance, reads, failed = _engine(url), random.Random(20261124), 0, 0
    wanted = sa.select(TABLE.c.email).where(TABLE.c.id == sa.bindparam("n"))
    pipe.send("ready")
    while not pipe.poll():
        number = chance.randint(1, rows)
        try:
            with engine.connect() as connection:
                value: Any = connection.execute(wanted, {"n": number}).scalar_one()
        except Exception:  # noqa: BLE001 -- whatever it is, the read failed
            value = None
        failed += value != _mail(number)
        reads += 1
    engine.dispose()
    pipe.recv()
    pipe.send((reads, failed))


if __name__ == "__main__":
    sys.exit(main())
