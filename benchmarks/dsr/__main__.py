"""View and erase for 1, 100 and 1,000 people, beside hand-written SQL in the same run.

    python -m benchmarks.dsr [--customers 150000] [--url postgresql://…]

Without a URL a throwaway PostgreSQL is started and filled: about a minute for 3.9 million rows; a URL has to name an
empty database. Everything is in process: locate, plan, journal, carrying out, rescan,
receipts and ledger are in the figures for Troth; the floor is one statement a table, without any of these.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from tests.rig.filejournal import FileJournal
from tests.rig.filelog import FileLog

from benchmarks.dsr import floor
from troth.declaration import Declaration, load
from troth.protect import Keyring, create_home
from troth.rows import DataMap, map_data
from troth.stores import Store, open_store
from troth.subjects import Identity, carry_out, locate, plan_erasure, plan_hash, plan_view
from troth.testing.servers import running

HERE = Path(__file__).parent


@dataclass
class Shop:
    """The declared shop, open."""

    declaration: Declaration
    store: Store
    map: DataMap
    keyring: Keyring
    journal: FileJournal
    statements: list[str] = field(default_factory=list)

    def view(self, ids: Sequence[int]) -> int:
        located = locate(self.map, {"shop": self.store}, _people(ids), purpose="view")
        views = plan_view(self.declaration, located)
        return sum(len(table.rows) for view in views for table in view.tables)

    def erase(self, ids: Sequence[int]) -> int:
        located = locate(self.map, {"shop": self.store}, _people(ids), purpose="erase")
        plan = plan_erasure(self.declaration, located, now=_now())
        receipts = carry_out(
            plan,
            {"shop": self.store},
            approved=plan_hash(plan, self.keyring),
            declaration_hash=self.declaration.hash,
            keyring=self.keyring,
            journal=self.journal,
            now=_now,
        )
        assert all(receipt.is_clean for receipt in receipts)
        return sum(line.rows for receipt in receipts for line in receipt.lines if line.strategies != ("keep",))


@dataclass(frozen=True)
class Timing:
    """One job: rows, wall and CPU of this process and of the server's processes, in seconds; statements sent."""

    rows: int
    wall: float
    cpu: float
    server: float
    statements: int


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=150_000)
    options.add_argument("--url", help="an empty PostgreSQL database (default: a throwaway server)")
    given = options.parse_args()
    with contextlib.ExitStack() as stack:
        if given.url is None:
            server = stack.enter_context(running("postgresql", durable=True))
            given.url = stack.enter_context(server.database("shop"))
        _fill(given.url, given.customers)
        shop = _open(given.url, stack)
        connection = stack.enter_context(psycopg.connect(given.url, autocommit=True))
        _compare(shop, connection, given.url)


def _compare(shop: Shop, connection: psycopg.Connection[Any], url: str) -> None:
    def measure(job: Callable[[Sequence[int]], int], ids: Sequence[int]) -> Timing:
        return _measure(lambda: job(ids), shop.statements, url)

    def by_hand(job: Callable[..., int]) -> Callable[[Sequence[int]], int]:
        return lambda ids: job(connection, list(ids))

    print(f"{'job':28} {'rows':>6} {'wall':>10} {'floor':>10} {'ratio':>6} {'cpu':>8} {'server':>8} {'statements':>10}")
    first = 1_001
    for name, ours, theirs, people, repeats in (
        ("view", shop.view, by_hand(floor.view), 1, 41),
        ("view", shop.view, by_hand(floor.view), 100, 5),
        ("view", shop.view, by_hand(floor.view), 1_000, 3),
        ("erase", shop.erase, by_hand(floor.mask), 1, 41),
        ("erase", shop.erase, by_hand(floor.mask), 100, 5),
        ("erase", shop.erase, by_hand(floor.mask), 1_000, 3),
    ):
        pairs = []
        for _ in range(repeats):  # in turns, so that a change in the machine's speed meets both
            pairs.append(
                (
                    measure(ours, range(first, first + people)),
                    measure(theirs, range(first + people, first + 2 * people)),
                )
            )
            first += 2 * people
        mine = sorted((pair[0] for pair in pairs), key=lambda timing: timing.wall)[len(pairs) // 2]
        hand = statistics.median(pair[1].wall for pair in pairs)
        ratio = statistics.median(pair[0].wall / pair[1].wall for pair in pairs)
        print(
            f"{name + f', {people:,} people (median)':28} {mine.rows:6} {mine.wall * 1e3:7.1f} ms {hand * 1e3:7.1f} ms "
            f"{ratio:6.2f} {mine.cpu * 1e3:5.0f} ms {mine.server * 1e3:5.0f} ms {mine.statements:10}",
            flush=True,
        )
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _measure(job: Callable[[], int], statements: list[str], url: str) -> Timing:
    statements.clear()
    wall, cpu, server = time.perf_counter(), time.process_time(), _server_cpu()
    rows = job()
    return Timing(rows, time.perf_counter() - wall, time.process_time() - cpu, _server_cpu() - server, len(statements))


def _server_cpu() -> float:
    """CPU seconds of all PostgreSQL processes of this machine that may be read."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = path.read_text()
            if "(postgres)" in text:
                parts = text.rpartition(")")[2].split()
                ticks += int(parts[11]) + int(parts[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _fill(url: str, customers: int) -> None:
    started = time.monotonic()
    script = (HERE / "schema.sql").read_text().replace(":people", str(customers))
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in script.split(";"):
            if statement.strip():
                connection.execute(statement)
    print(f"{26 * customers:,} rows made in {time.monotonic() - started:.0f} s", flush=True)


def _open(url: str, stack: contextlib.ExitStack) -> Shop:
    home = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "home"
    create_home(home)
    keyring = Keyring.open(home)
    log = stack.enter_context(FileLog(home / "ledger", keyring.signer("ledger")))
    store = open_store("shop", url)
    stack.callback(store.close)
    declaration = load(HERE / "company.yaml")
    map_ = map_data(declaration, {"shop": store.describe()})
    shop = Shop(declaration, store, map_, keyring, FileJournal(home / "runs", log))
    sa.event.listen(sa.Engine, "before_cursor_execute", lambda _c, _k, statement, *_: shop.statements.append(statement))
    return shop


def _people(ids: Sequence[int]) -> list[Identity]:
    return [Identity.of(email=f"c{number}@example.org") for number in ids]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


if __name__ == "__main__":
    main()
