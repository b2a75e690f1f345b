"""A few accounts with what belongs to them, in a store of each kind."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from tests.rig.filejournal import FileJournal
from tests.rig.filelog import FileLog
from tests.subjects import world
from tests.subjects.laid import declared

from troth.declaration import Declaration
from troth.ledger import DeclaredName, Entry
from troth.protect import Keyring, create_home
from troth.rows import DataMap, Disposal, DisposalPlan, DisposalResult, carry_out, map_data, plan_disposal, select
from troth.stores import Before, Store, open_store
from troth.stores.files.store import FilesStore, FileTable

NOW = world.NOW
EXPIRED = Before("seen", dt.datetime(2024, 1, 1, tzinfo=dt.UTC))

TABLES: Mapping[str, tuple[str, Sequence[tuple[Any, ...]]]] = {
    "account": (
        "id INTEGER PRIMARY KEY, email VARCHAR(80), seen DATE, referred_by INTEGER REFERENCES account (id)",
        (
            (1, "ann@example.org", "2020-01-31", None),
            (2, "ben@example.org", "2025-01-31", 1),
            (3, "chloe@example.org", None, None),
            (4, "ann@example.org", "2023-12-31", 2),
            (5, "ben@example.org", "2024-01-01", None),
        ),
    ),
    "note": (
        "id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL REFERENCES account (id), text VARCHAR(60), "
        "reply_to INTEGER REFERENCES note (id)",
        (
            (10, 1, "hello", None),
            (11, 1, "more", 10),
            (12, 4, "an answer", 11),
            (13, 4, "new", None),
            (20, 2, "stays", None),
            (21, 5, "also", 20),
        ),
    ),
    "invoice": (
        "id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES account (id), address VARCHAR(60), issued DATE NOT NULL",
        (
            (100, 1, "1 Example Street", "2012-01-31"),
            (101, 1, "1 Example Street", "2025-01-31"),
            (102, 4, None, "2025-01-31"),
            (200, 2, "2 Example Street", "2025-01-31"),
        ),
    ),
}
COLUMNS = {table: [part.split()[0] for part in columns.split(", ")] for table, (columns, _) in TABLES.items()}
_FILLED = [
    f"INSERT INTO {table} VALUES ({', '.join('NULL' if value is None else repr(value) for value in row)})"
    for table, (_, rows) in TABLES.items()
    for row in rows
]
DECLARED: dict[str, Any] = {
    "account": {
        "key": "id",
        "identity": {"email": "email"},
        "fields": {"email": "user.contact.email"},
        "refers_to": {"referred_by": "account.id"},
        "erase": "delete",
    },
    "note": {
        "key": "id",
        "belongs_to": {"account_id": "account.id", "reply_to": "note.id"},
        "fields": {"text": "user.content"},
        "erase": "delete",
    },
    "invoice": {
        "key": "id",
        "belongs_to": {"account_id": "account.id"},
        "fields": {"address": "user.contact.address"},
        "keep": {
            "for": "6 years",
            "from": "issued",
            "because": "tax law",
            "cite": "VATA 1994 Sch 11",
            "meanwhile": {"address": "mask", "account_id": "null"},
        },
        "erase": "delete",
    },
}
PATHS = {name: {**table, "path": f"{name}.csv"} for name, table in DECLARED.items()}


@dataclass
class Place:
    """One store with the tables above, and the steps of a disposal."""

    kind: str
    url: str
    home: Path
    declaration: Declaration = field(default_factory=lambda: declared(**DECLARED))
    opened: list[Store] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.home.exists():
            create_home(self.home)
        self.keyring = Keyring.open(self.home)
        self.log = FileLog(self.home / "ledger", self.keyring.signer("ledger"))
        self.journal = FileJournal(self.home / "runs", self.log)

    def open(self) -> Store:
        if self.kind == "files":
            tables = {name: FileTable(f"{name}.csv", ("id",)) for name in TABLES}
            store: Store = FilesStore("shop", f"files:{self.url}", tables=tables)
        else:
            store = open_store("shop", self.url)
        self.opened.append(store)
        return store

    @cached_property
    def store(self) -> Store:
        """A store that stays open."""
        return self.open()

    def lay(self) -> None:
        """The tables as they are at first."""
        if self.kind == "files":
            for table, (_, rows) in TABLES.items():
                with open(f"{self.url}/{table}.csv", "w", newline="") as file:
                    csv.writer(file).writerows([COLUMNS[table], *rows])
            return
        created = [f"CREATE TABLE {table} ({columns})" for table, (columns, _) in TABLES.items()]
        self.sql(*created, *_FILLED)

    def lay_again(self) -> None:
        """The rows as they were at first, in tables that are there already."""
        if self.kind == "files":
            self.lay()
            return
        cut = ["UPDATE account SET referred_by = NULL", "UPDATE note SET reply_to = NULL"]
        self.sql(*cut, *(f"DELETE FROM {table}" for table in reversed(list(TABLES))), *_FILLED)

    def sql(self, *statements: str) -> None:
        engine = world.engine(self.url)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    def map(self, store: Store) -> DataMap:
        return map_data(self.declaration, {"shop": store.describe()})

    def plans(self, store: Store, disposal: Disposal, **options: Any) -> Iterator[DisposalPlan]:
        for selection in select(self.map(store), {"shop": store}, disposal):
            yield plan_disposal(
                selection, declaration_hash=self.declaration.hash, keyring=self.keyring, now=NOW, **options
            )

    def carry_out(self, store: Store, plan: DisposalPlan, **options: Any) -> DisposalResult:
        return carry_out(
            plan,
            {"shop": store},
            keyring=self.keyring,
            journal=self.journal,
            now=lambda: NOW,
            entries=entries,
            **options,
        )

    def dispose(self, disposal: Disposal, **options: Any) -> list[DisposalResult]:
        store = self.open()
        return [self.carry_out(store, plan) for plan in self.plans(store, disposal, **options)]

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        rows = self.store.read(table, COLUMNS[table], None)
        return sorted(tuple(str(v) if isinstance(v, dt.date) else v for v in row) for row in rows)

    def keys(self) -> dict[str, list[Any]]:
        return {table: [row[0] for row in self.rows(table)] for table in TABLES}

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        return {table: self.rows(table) for table in TABLES}

    def close(self) -> None:
        for store in self.opened:
            store.close()
        self.log.close()


def entries(result: DisposalResult) -> list[Entry]:
    """One entry for each run; its number of rows stands in the name of a fault, as no duty has its own kind yet."""
    return [Entry("demo.fault_planted", NOW, {"fault": DeclaredName(f"rows-{sum(result.deleted.values())}")})]


MakePlace = Callable[[str], Place]


@pytest.fixture
def make_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakePlace]:
    with ExitStack() as stack:

        def make(kind: str) -> Place:
            folder = tmp_path / f"{kind}{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            url = str(folder) if kind == "files" else request.getfixturevalue(f"{kind}_url")
            declaration = declared(**(PATHS if kind == "files" else DECLARED))
            place = Place(kind, url, tmp_path / f"home-{folder.name}", declaration)
            stack.callback(place.close)
            place.lay()
            return place

        yield make


@pytest.fixture(params=["sqlite", "postgresql", "mariadb", "files"])
def place(request: pytest.FixtureRequest, make_place: MakePlace) -> Place:
    """The tables in a store of each kind."""
    return make_place(request.param)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, make_place: MakePlace) -> Place:
    """The tables in each database."""
    return make_place(request.param)


@pytest.fixture
def small(make_place: MakePlace) -> Place:
    """The tables in SQLite, where the engine makes no difference."""
    return make_place("sqlite")
