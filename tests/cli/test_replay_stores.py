"""``troth replay`` on every kind of store, on many rows, and killed in the middle."""

from __future__ import annotations

import csv
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests import forks
from tests.cli.firm import Answer, Firm, lay
from tests.scale import scaled

pytestmark = pytest.mark.sampled

SINCE = "2026-01-01T00:00Z"
DECLARATION = """\
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
systems:
  shop:
    store: STORE
    tables:
      customer:
        PATHcustomer.csv
        key: id
        identity: {email: email}
        fields: {email: user.contact.email, name: user.name}
        erase: delete
      note:
        PATHnote.csv
        key: id
        belongs_to: {customer_id: customer.id}
        mentions: {email: author}
        fields: {author: {category: user.contact.email, of: author}, body: {category: user.content, of: author}}
        erase: {author: mask, body: mask}
"""
NOTES = """
purposes:
  order: {use: essential.service, basis: contract, data: [user]}
promises: []
"""
CUSTOMERS = [(n, f"p{n}@example.org", f"Person {n}") for n in range(1, 21)]
WRITTEN = [(n, n, f"p{n}@example.org", "hello") for n in range(1, 21)] + [(99, 19, "p1@example.org", "to nineteen")]
ERASED = range(1, 6)

metadata = sa.MetaData()
customer = sa.Table(
    "customer",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(80), index=True),
    sa.Column("name", sa.String(80)),
)
note = sa.Table(
    "note",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.Integer, index=True),
    sa.Column("author", sa.String(80), index=True),
    sa.Column("body", sa.String(80)),
)


@dataclass
class Shop:
    """The shop in one kind of store."""

    firm: Firm
    restore: Callable[[], None]
    emails: Callable[[], list[str]]
    authors: Callable[[], list[str]]

    def replay(self, *options: str) -> Answer:
        return self.firm.troth("replay", "--system", "shop", "--restored-from", SINCE, "--json", *options)


def declared(firm: Firm, store: str, *, files: bool = False) -> None:
    text = DECLARATION.replace("STORE", store).replace("PATH", "path: " if files else "# ")
    firm.declaration.write_text(text + NOTES, encoding="utf-8")


def _in_database(firm: Firm, url: str) -> Shop:
    scheme, _, rest = url.partition("://")
    driver = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}.get(scheme, scheme)
    engine = sa.create_engine(f"{driver}://{rest}", poolclass=sa.NullPool)
    metadata.create_all(engine)

    def restore() -> None:
        with engine.begin() as database:
            for table, rows in ((note, WRITTEN), (customer, CUSTOMERS)):
                database.execute(table.delete())
                database.execute(table.insert(), [dict(zip(table.columns.keys(), row, strict=True)) for row in rows])

    def column(table: sa.Table, name: str) -> list[str]:
        with engine.connect() as database:
            return [row[0] for row in database.execute(sa.select(table.c[name]).order_by(table.c.id))]

    declared(firm, "${SHOP}")
    return Shop(firm, restore, lambda: column(customer, "email"), lambda: column(note, "author"))


def _in_files(firm: Firm) -> Shop:
    folder = firm.folder / "files"
    folder.mkdir()

    def restore() -> None:
        for table, rows in ((customer, CUSTOMERS), (note, WRITTEN)):
            with (folder / f"{table.name}.csv").open("w", newline="") as file:
                csv.writer(file).writerows([table.columns.keys(), *rows])

    def column(table: str, name: str) -> list[str]:
        with (folder / f"{table}.csv").open(newline="") as file:
            return [row[name] for row in csv.DictReader(file)]

    declared(firm, "files:files", files=True)
    return Shop(firm, restore, lambda: column("customer", "email"), lambda: column("note", "author"))


@pytest.fixture(params=["sqlite", "postgresql", "mariadb", "files"])
def shop(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Shop:
    kind = request.param
    url = request.getfixturevalue(f"{kind}_url") if kind in ("postgresql", "mariadb") else f"sqlite:///{tmp_path}/s.db"
    lay(tmp_path)
    shutil.copytree(home, tmp_path / "home")
    firm = Firm(tmp_path, {"SHOP": url})
    made = _in_files(firm) if kind == "files" else _in_database(firm, url)
    made.restore()
    return made


def erase_some(shop: Shop) -> None:
    people = shop.firm.folder / "people.csv"
    people.write_text("\n".join(["email", *(f"p{n}@example.org" for n in ERASED)]))
    who = ("erase", "--subjects", str(people))
    plan = shop.firm.troth(*who, "--json").document["plan"]
    assert shop.firm.troth(*who, "--apply", plan).code == 0


def test_the_erased_are_erased_again_in_every_kind_of_store(shop: Shop) -> None:
    erase_some(shop)
    emails, authors = shop.emails(), shop.authors()
    shop.restore()
    assert len(shop.emails()) == len(CUSTOMERS)

    seen = shop.replay()
    assert (seen.document["found"], seen.document["shared"], seen.document["reviews"]) == ({"shop": 5}, {}, [])
    assert seen.document["places"] == {"shop.customer.email": 5, "shop.note.author": 6}
    done = shop.replay("--apply", seen.document["plan"]["plan"])
    [outcome] = done.document["outcomes"]
    assert (outcome["erased"], outcome["left"]) == ({"shop": 5}, {"shop": 0})
    assert (shop.emails(), shop.authors()) == (emails, authors)


# --- killed ----------------------------------------------------------------------------------------------------------

_KILLED = """
import os, signal, sys
from troth.subjects import plan
plan.SUBJECTS_PER_CHUNK = 2
from troth.service.server import set_up
set_up()
from troth.service.core import replay
from troth.service.core.journal import DatabaseJournal

def dying(owner, name, *, after, times=1):
    real, left = getattr(owner, name), [times]
    def run(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(owner, name, run)

points = {
    "remembered": lambda: dying(replay, "_begun", after=True),
    "begun": lambda: dying(DatabaseJournal, "begin", after=True),
    "committed": lambda: dying(DatabaseJournal, "done", after=False, times=2),
    "done": lambda: dying(DatabaseJournal, "done", after=True, times=2),
    "finishing": lambda: dying(DatabaseJournal, "finish", after=False),
    "finished": lambda: dying(DatabaseJournal, "finish", after=True),
    "recorded": lambda: dying(replay, "_conclude", after=True),
}
points[sys.argv[1]]()
from troth.cli import main
main(sys.argv[2:])
"""


@pytest.fixture
def brought_back(home: Path, tmp_path: Path) -> Shop:
    """Five people are erased from a shop on SQLite, and a backup has brought them back."""
    lay(tmp_path)
    shutil.copytree(home, tmp_path / "home")
    made = _in_database(Firm(tmp_path, {"SHOP": f"sqlite:///{tmp_path}/s.db"}), f"sqlite:///{tmp_path}/s.db")
    made.restore()
    erase_some(made)
    made.restore()
    return made


@pytest.mark.few(4)
@pytest.mark.parametrize("point", ["remembered", "begun", "committed", "done", "finishing", "finished", "recorded"])
def test_killed_and_repeated_it_is_done_once(brought_back: Shop, point: str) -> None:
    firm = brought_back.firm
    plan = brought_back.replay().document["plan"]["plan"]
    command = ["replay", "--system", "shop", "--restored-from", SINCE, "--apply", plan]
    killed = forks.run(
        [sys.executable, "-c", _KILLED, point, *command],
        env={**_clean(), **firm.environment},
        cwd=firm.folder,
    )
    assert killed.returncode == -9

    again = brought_back.replay()
    if point == "remembered":  # nothing was begun: the plan stands
        assert brought_back.replay("--apply", again.document["plan"]["plan"]).document["applied"]
    assert brought_back.emails() == [f"p{n}@example.org" for n in range(6, 21)]
    counts = [(entry["found"], entry["erased"], entry["left"]) for entry in firm.entries("erasure.replayed")]
    assert sum(erased for _, erased, _ in counts) == 5
    assert counts[-1] in {(5, 5, 0), (0, 0, 0)}
    assert len(firm.entries("subject.erased")) == 10
    assert brought_back.replay().document["outcomes"] == []


def _clean() -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}


# --- many rows -------------------------------------------------------------------------------------------------------


@pytest.mark.scaled
def test_a_hundred_thousand_rows_are_read_in_seconds(brought_back: Shop) -> None:
    more = scaled(20_000, 100_000)
    with closing(sqlite3.connect(brought_back.firm.folder / "s.db")) as shop, shop:
        shop.executemany(
            "INSERT INTO customer VALUES (?, ?, ?)",
            ((n, f"q{n}@example.org", "Many") for n in range(1_000, 1_000 + more)),
        )
    begun = time.monotonic()
    seen = brought_back.replay()
    took_s = time.monotonic() - begun
    assert (seen.document["rows"], seen.document["found"]) == (more + 41, {"shop": 5})
    assert took_s < 30
