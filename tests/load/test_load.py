"""Full load: a thousand people in one run, a person with a hundred thousand rows. Figures are printed; what is asserted
is that every row is right, and that memory stays within bounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from benchmarks import dsr
from psycopg import sql
from tests.rig.filejournal import FileJournal
from tests.rig.filelog import FileLog

from troth.declaration import Declaration, load
from troth.protect import Keyring, create_home

pytestmark = pytest.mark.soak

ROOT = Path(__file__).parents[2]
MADE = Path(dsr.__file__).parent
CUSTOMERS = 3_000
ERASED = 1_000
ROWS = 100_000
MEMORY_MB_MAX = 120
"""Of a run over a thousand people, with everything that the library needs."""

Rows = dict[int, dict[str, Any]]


@dataclass(frozen=True)
class Shop:
    """The shop of the benchmark, with fewer customers."""

    url: str
    folder: Path
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def declaration(self) -> Declaration:
        return load(self.folder / "troth.yaml")

    def run(self, job: str, *arguments: str) -> str:
        """Run a job of `tests.load.jobs`, keep its figures, and return what it printed."""
        environment = {**os.environ, "SHOP_DATABASE_URL": self.url, "TROTH_HOME": str(self.home)}
        asked = [sys.executable, "-m", "tests.load.jobs", job, *arguments]
        done = subprocess.run(asked, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self.figures.update(json.loads(done.stderr.splitlines()[-1]))
        return done.stdout

    def rows(self, table: str) -> Rows:
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
            names = [column.name for column in cursor.description or ()]
            return {row[0]: dict(zip(names, row, strict=True)) for row in cursor}


@pytest.fixture
def shop(postgresql_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], request: Any) -> Iterator[Shop]:
    script = (MADE / "schema.sql").read_text("utf-8").replace(":people", str(CUSTOMERS))
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        for statement in filter(str.strip, script.split(";")):
            connection.execute(statement)
    limits = f"limits: {{rows: {10 * ROWS}}}\n"
    (tmp_path / "troth.yaml").write_text((MADE / "company.yaml").read_text("utf-8") + limits, "utf-8")
    (tmp_path / "policy.md").write_text("# Privacy\n", "utf-8")
    create_home(tmp_path / "home")
    shop = Shop(postgresql_url, tmp_path)
    yield shop
    with capsys.disabled():
        told = ", ".join(f"{name} {value:,}" for name, value in shop.figures.items())
        print(f"\n{request.node.name}: {told}")  # noqa: T201 - figures are what it is run for


def test_a_thousand_people_are_erased_in_one_run(shop: Shop) -> None:
    declared = shop.declaration.systems["shop"].tables
    before = {table: shop.rows(table) for table in declared}
    receipts = shop.run("erase", str(shop.folder / "troth.yaml"), shop.url, str(shop.home), str(ERASED)).split()
    after = {table: shop.rows(table) for table in declared}

    assert len(set(receipts)) == ERASED
    masked = 0
    for table, rows in before.items():
        owner = _owners(before, table)
        fields = declared[table].fields.keys()
        for key, row in rows.items():
            now = after[table].pop(key)
            is_erased = 1 <= owner(row) <= ERASED
            changed = {name for name, value in row.items() if now[name] != value}
            assert changed == ({name for name in fields if row[name] is not None} if is_erased else set())
            masked += is_erased
        assert after[table] == {}, f"{table} has rows that nobody wrote"
    _is_on_record(shop, receipts)
    shop.figures["rows"] = masked
    assert shop.figures["peak_mb"] <= MEMORY_MB_MAX


def _owners(tables: dict[str, Rows], table: str) -> Callable[[dict[str, Any]], int]:
    """Whose a row of *table* is."""
    return {
        "customer": lambda row: row["id"],
        "order_item": lambda row: tables["orders"][row["order_id"]]["customer_id"],
        "payment": lambda row: tables["orders"][row["order_id"]]["customer_id"],
        "message": lambda row: tables["ticket"][row["ticket_id"]]["customer_id"],
        "subscriber": lambda row: int(row["email"].removeprefix("c").partition("@")[0]),
    }.get(table, lambda row: row["customer_id"])


def _is_on_record(shop: Shop, receipts: list[str]) -> None:
    """One entry for each receipt in a sound ledger, and nothing left to be taken up."""
    with FileLog(shop.home / "ledger", Keyring.open(shop.home).signer("ledger")) as log:
        entries = [log.entry(index) for index in range(log.size)]
        log.verify()
        assert list(FileJournal(shop.home / "runs", log).unfinished()) == []
    assert sorted(str(entry.fields["subject"]) for entry in entries) == sorted(receipts)
    assert {(entry.kind, entry.fields["rescan"]) for entry in entries} == {("subject.erased", "clean")}


def test_a_person_with_a_hundred_thousand_rows_sees_them_all(shop: Shop) -> None:
    with psycopg.connect(shop.url) as connection:
        connection.execute(
            "INSERT INTO login SELECT 1000000 + g, 7, '203.0.113.' || g % 251, 'Browser ' || g, now() "
            f"FROM generate_series(1, {ROWS}) g"
        )
    document = shop.run("command", "view", "-d", str(shop.folder / "troth.yaml"), "--email", "c7@example.org", "--json")
    [view] = json.loads(document)
    seen = {row["id"]: (row["ip"], row["browser"]) for row in view["tables"]["shop.login"]["rows"]}
    theirs = {key: (row["ip"], row["browser"]) for key, row in shop.rows("login").items() if row["customer_id"] == 7}
    assert len(theirs) > ROWS
    assert seen == theirs
    shop.figures.update(rows=len(seen), bytes=len(document))
