"""Small random companies, compared with a naive model of whose row is whose.

The model knows no sets, passes or SQL: it looks at one row at a time, again and again, until nothing new turns up.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.scale import scaled
from tests.subjects.laid import Laid, declared

from troth.protect import create_home
from troth.subjects import WITHHELD, Identity, locate, plan_hash, plan_view
from troth.subjects import plan as planning

PEOPLE = 4
MAILS = [f"p{number}@example.org" for number in range(PEOPLE)]
Row = dict[str, Any]


@dataclass
class Table:
    """One child table. Each link is its column, the parent's name and the parent's key columns."""

    name: str
    links: dict[tuple[str, ...], tuple[str, tuple[str, ...]]]
    mentions: bool
    composite: bool
    refers: bool
    of: str | None
    rows: list[Row] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, ...]:
        return ("a", "b") if self.composite else ("a",)

    @property
    def columns(self) -> list[str]:
        linked = [column for columns in self.links for column in columns]
        return [*self.key, *linked, *(["mail"] if self.mentions else []), *(["ref"] if self.refers else []), "text"]

    def sql(self) -> str:
        keys = [f"FOREIGN KEY ({', '.join(c)}) REFERENCES {p} ({', '.join(to)})" for c, (p, to) in self.links.items()]
        keys += ["FOREIGN KEY (ref) REFERENCES person (id)"] if self.refers else []
        typed = [f"{name} {'TEXT' if name in ('mail', 'text') else 'INTEGER'}" for name in self.columns]
        parts = [*typed, f"PRIMARY KEY ({', '.join(self.key)})", *keys]
        return f"CREATE TABLE {self.name} ({', '.join(parts)})"

    def declared(self) -> dict[str, Any]:
        whole: dict[str, Any] = {
            "belongs_to": {
                ", ".join(c): f"{p}.({', '.join(to)})" if len(to) > 1 else f"{p}.{to[0]}"
                for c, (p, to) in self.links.items()
            },
            "fields": {"text": {"category": "user.content", "of": self.of}},
            "erase": "delete",
        }
        if self.mentions:
            whole["mentions"] = {"email": "mail"}
            whole["fields"]["mail"] = {"category": "user.contact.email", "of": "mail"}
        if self.refers:
            whole["refers_to"] = {"ref": "person.id"}
        return whole


@dataclass
class Company:
    """People, newsletter subscribers (found by the login that a person's row teaches), and child tables."""

    people: list[Row]
    subscribers: list[Row]
    tables: list[Table]

    def rows(self) -> Iterator[tuple[str, Row]]:
        yield from (("person", row) for row in self.people)
        yield from (("subscriber", row) for row in self.subscribers)
        yield from ((table.name, row) for table in self.tables for row in table.rows)

    def table(self, name: str) -> Table | None:
        return next((table for table in self.tables if table.name == name), None)

    def key(self, name: str, row: Row) -> tuple[Any, ...]:
        table = self.table(name)
        return tuple(row[column] for column in (table.key if table else ("id",)))

    def declaration(self) -> Any:
        mail, login = "user.contact.email", "user.account"
        person = {"identity": {"email": "email", "account": {"column": "login", "case": "exact"}}}
        subscriber = {"identity": {"account": {"column": "login", "case": "exact"}}, "erase": "delete"}
        return declared(
            {"people": 9},
            person={**person, "fields": {"email": mail, "login": login}, "erase": "delete"},
            subscriber={**subscriber, "fields": {"login": login}},
            **{table.name: table.declared() for table in self.tables},
        )


# --- the model -----------------------------------------------------------------------------------------------------

Place = tuple[str, tuple[Any, ...]]


def _named(company: Company, name: str, row: Row) -> dict[str, Any]:
    """Link → what it names: a row of another table, or an address."""
    table = company.table(name)
    if table is None:
        return {}
    found: dict[str, Any] = {}
    for columns, (parent, _) in table.links.items():
        value = tuple(row[column] for column in columns)
        if None not in value:
            found[", ".join(columns)] = (parent, value)
    if table.mentions and row["mail"] is not None:
        found["mail"] = row["mail"]
    return found


def owned(company: Company, mail: str) -> set[Place]:
    """Every row that leads to the person with this address."""
    mine: set[Place] = set()
    logins: set[str] = set()
    while True:
        before = len(mine)
        for name, row in company.rows():
            place = (name, company.key(name, row))
            is_person = (name == "person" and row["email"] == mail) or row.get("login") in logins
            if is_person or any(to == mail or to in mine for to in _named(company, name, row).values()):
                mine.add(place)
                logins |= {row["login"]} - {None} if "login" in row else set()
        if len(mine) == before:
            return mine


def shared(company: Company, mine: set[Place], mails: set[str]) -> set[Place]:
    """Those of *mine* that also lead to somebody else, by a link of their own or by the row that they belong to."""
    joint: set[Place] = set()
    while True:
        before = len(joint)
        for name, row in company.rows():
            place = (name, company.key(name, row))
            others = [to for to in _named(company, name, row).values() if to not in mails and to not in mine - joint]
            if place in mine and others:
                joint.add(place)
        if len(joint) == before:
            return joint


def erased(company: Company, mails: set[str]) -> set[tuple[Any, ...]]:
    """All rows as they should be after erasing these people."""
    mine = set().union(*(owned(company, mail) for mail in mails))
    joint = shared(company, mine, mails)
    gone = mine - joint
    left = set()
    for name, row in company.rows():
        place = (name, company.key(name, row))
        if place in gone:
            continue
        row, table = dict(row), company.table(name)
        named = _named(company, name, row) if place in joint else {}
        alone = {link for link, to in named.items() if to in mails or to in gone}
        for link in alone:
            row |= dict.fromkeys(link.split(", "))
        if table is not None and table.of in alone:
            row["text"] = None
        if row.get("ref") is not None and ("person", (row["ref"],)) in gone:
            row["ref"] = None
        left.add((name, *row.values()))
    return left


# --- random companies ----------------------------------------------------------------------------------------------


@st.composite
def companies(draw: st.DrawFn) -> Company:
    logins = draw(st.lists(st.sampled_from(["x", "y", "z", "w", None]), min_size=PEOPLE, max_size=PEOPLE))
    taken: set[str] = set()
    people = []
    for number, mail in enumerate(MAILS):
        login = logins[number] if logins[number] not in taken else None  # two people with one login are one person
        taken |= {login} if login else set()
        people.append({"id": number, "email": mail, "login": login})
    subscribers = [{"id": n, "login": draw(st.sampled_from("xyzwv"))} for n in range(draw(st.integers(0, 3)))]
    company = Company(people, subscribers, [])
    for number in range(draw(st.integers(1, 3))):
        company.tables.append(draw(_table(company, f"t{number}")))
    return company


@st.composite
def _table(draw: st.DrawFn, company: Company, name: str) -> Table:
    composite, mentions, refers = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    keys = {"person": ("id",), **{table.name: table.key for table in company.tables}}
    keys |= {name: ("a", "b") if composite else ("a",)} if draw(st.booleans()) else {}
    parents = draw(st.lists(st.sampled_from(sorted(keys)), unique=True, min_size=0 if mentions else 1, max_size=2))
    links = {tuple(f"{parent}_{column}" for column in keys[parent]): (parent, keys[parent]) for parent in parents}
    if set(parents) == {name} and not mentions:
        links[("person_id",)] = ("person", ("id",))
    names = [", ".join(columns) for columns in links] + (["mail"] if mentions else [])
    table = Table(name, links, mentions, composite, refers, draw(st.sampled_from([None, *names])))
    for number in range(draw(st.integers(0, 5))):
        table.rows.append(draw(_row(company, table, number)))
    return table


@st.composite
def _row(draw: st.DrawFn, company: Company, table: Table, number: int) -> Row:
    row: Row = {"a": number, "b": 7} if table.composite else {"a": number}
    for columns, (parent, to) in table.links.items():
        of = company.table(parent)
        known = company.people if parent == "person" else of.rows if of else [*table.rows, row]
        values = [tuple(one[column] for column in to) for one in known]
        row |= dict(zip(columns, draw(st.sampled_from([(None,) * len(to), *values])), strict=True))
    if table.mentions:
        row["mail"] = draw(st.sampled_from([None, *MAILS, "stranger@example.org"]))
    if table.refers:
        row["ref"] = draw(st.sampled_from([None, *range(PEOPLE)]))
    return {**row, "text": f"text of {table.name} {number}"}


mails = st.lists(st.sampled_from(MAILS), unique=True, min_size=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys") / "home"
    create_home(folder)
    return folder


@contextmanager
def laid(company: Company, home: Path, *, shuffled: int | None = None) -> Iterator[Laid]:
    """The company in a SQLite file, its rows in their order or in another."""
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        path = Path(folder) / "shop.db"
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT, login TEXT)")
            database.execute("CREATE TABLE subscriber (id INTEGER PRIMARY KEY, login TEXT)")
            for table in company.tables:
                database.execute(table.sql())
            rows = list(company.rows())
            if shuffled is not None:
                random.Random(shuffled).shuffle(rows)
            for name, row in rows:
                marks = ", ".join("?" * len(row))
                database.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        one = Laid(f"sqlite:///{path}", home, company.declaration())
        try:
            yield one
        finally:
            one.close()


def contents(company: Company, one: Laid) -> set[tuple[Any, ...]]:
    names = ["person", "subscriber", *(table.name for table in company.tables)]
    with closing(sqlite3.connect(one.url.removeprefix("sqlite:///"))) as database:
        order = {table.name: ", ".join(table.rows[0]) if table.rows else "*" for table in company.tables}
        return {
            (name, *row) for name in names for row in database.execute(f"SELECT {order.get(name, '*')} FROM {name}")
        }


slowly = settings(
    max_examples=scaled(15, 60), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@slowly
@given(company=companies(), who=mails)
def test_exactly_the_rows_of_a_person_are_found(home: Path, company: Company, who: list[str]) -> None:
    with laid(company, home) as one:
        located = locate(one.map(), {"shop": one.store}, [Identity.of(email=mail) for mail in who], purpose="erase")
        for index, mail in enumerate(who):
            found = {
                (place.removeprefix("shop."), row.key)
                for place, rows in located.rows.items()
                for row in rows
                if index in row.subjects
            }
            assert found == owned(company, mail)


@slowly
@given(company=companies(), who=mails, chunk=st.integers(1, 3))
def test_what_is_theirs_goes_and_what_is_others_stays_to_the_byte(
    home: Path, company: Company, who: list[str], chunk: int
) -> None:
    with laid(company, home) as one, pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "SUBJECTS_PER_CHUNK", chunk)
        people = [Identity.of(email=mail) for mail in who]
        receipts = one.erase(*people)
        assert [dict(receipt.residue) for receipt in receipts] == [{}] * len(who)
        assert contents(company, one) == erased(company, set(who))
        assert all(receipt.is_clean for receipt in one.erase(*people))
        assert contents(company, one) == erased(company, set(who))


@slowly
@given(company=companies(), who=mails, order=st.integers(0, 9))
def test_a_plan_does_not_depend_on_the_order_of_rows(home: Path, company: Company, who: list[str], order: int) -> None:
    people = [Identity.of(email=mail) for mail in who]
    with laid(company, home) as one:
        seen = plan_hash(one.plan(*people), one.keyring)
    shuffled = Company(company.people, company.subscribers, company.tables)
    with laid(shuffled, home, shuffled=order) as other:
        assert plan_hash(other.plan(*people), other.keyring) == seen


@slowly
@given(company=companies())
def test_nobody_sees_what_is_about_another_alone(home: Path, company: Company) -> None:
    """All are asked for at once; an address in a view is the viewer's, and a text `of` a mention is by the viewer."""
    with laid(company, home) as one:
        located = locate(one.map(), {"shop": one.store}, [Identity.of(email=mail) for mail in MAILS], purpose="view")
        for mail, view in zip(MAILS, plan_view(one.declaration, located), strict=True):
            for shown in view.tables:
                table = company.table(shown.place.removeprefix("shop."))
                for values in shown.rows:
                    row = dict(zip(shown.columns, values, strict=True))
                    assert not {*row.values()} & {*MAILS, "stranger@example.org"} - {mail}
                    if table is not None and table.of == "mail":
                        by = next(each["mail"] for each in table.rows if each["a"] == row["a"])
                        assert (row["text"] == WITHHELD) == (by not in (None, mail))


_PRINTS_A_HASH = """
import sys
from pathlib import Path
from tests.subjects import world
from troth.protect import Keyring
from troth.stores import open_store
from troth.rows import map_data
from troth.subjects import Identity, locate, plan_erasure, plan_hash

folder = Path(sys.argv[1])
stores = {name: open_store(name, f"sqlite:///{folder / name}.sqlite") for name in world.TABLES}
declaration = world.declaration()
map_ = map_data(declaration, {name: store.describe() for name, store in stores.items()})
who = [Identity.of(email=f"{name}@example.org") for name in ("ann", "ben")]
located = locate(map_, stores, who, purpose="erase")
plan = plan_erasure(declaration, located, now=world.NOW)
print(plan_hash(plan, Keyring.open(folder / "home")), [change.place for change in plan.changes])
"""


def test_a_plan_is_the_same_in_every_process(tmp_path: Path) -> None:
    from tests.subjects import world

    for system in world.TABLES:
        world.lay(f"sqlite:///{tmp_path / system}.sqlite", system)
    create_home(tmp_path / "home")
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", _PRINTS_A_HASH, str(tmp_path)]
    told = [
        subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": root},
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].startswith("dg1:")
