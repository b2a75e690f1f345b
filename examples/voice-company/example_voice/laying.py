"""Lay the company down: empty tables, then seeded people and everything they left behind, in bulk."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, func, inspect, select

from example_voice import systems
from example_voice.calls import write_calls
from example_voice.people import population
from example_voice.systems import DATABASES, Places, connect
from example_voice.traces import Trace, invoices, traces

_PEOPLE_PER_BATCH = 2_000


class NotEmpty(Exception):
    """There is something already where the company should go."""


@dataclass(frozen=True, slots=True)
class Laid:
    """What `lay_down` made: people, and rows by ``system.table`` (turns of calls are counted as calls)."""

    people: int
    rows: Mapping[str, int]


def lay_down(places: Places, *, people: int, seed: int, now: dt.datetime) -> Laid:
    """Fill *places* with *people*, the same for the same arguments, each database in one transaction.

    *now* is an aware moment: nothing is younger, and nothing is older than the policy allows, with at least five days
    to spare. Raises `NotEmpty`, before anything is written, where one of the tables or calls is there already.
    """
    engines = {name: connect(url) for name, url in places.databases.items()}
    try:
        _refuse_if_there(places)
        folder = places.transcripts / "calls"
        folder.mkdir(parents=True, exist_ok=True)
        rng = random.Random(f"traces {seed}")  # noqa: S311  # made-up orders, no secrets
        numbers = Trace()
        crowd = population(people, seed=seed, now=now)
        with ExitStack() as stack:
            open_ = {name: stack.enter_context(engine.begin()) for name, engine in engines.items()}
            for name, connection in open_.items():
                DATABASES[name].create_all(connection)
            while batch := list(islice(crowd, _PEOPLE_PER_BATCH)):
                for table, rows in traces(batch, rng, numbers, now=now).items():
                    _insert(open_[_home(table)], table, rows)
                numbers.call = write_calls(folder, batch, rng, now=now, first=numbers.call)
            bills = invoices(numbers)
            while some := list(islice(bills, _PEOPLE_PER_BATCH)):
                _insert(open_["shop"], systems.invoice, some)
            for name, connection in open_.items():
                _catch_up(connection, name)
            counted = {f"{_home(t)}.{t.name}": _count(open_[_home(t)], t) for t in _tables()}
    finally:
        for engine in engines.values():
            engine.dispose()
    return Laid(people=people, rows={**counted, "transcripts.calls": numbers.call - 1})


def _refuse_if_there(places: Places) -> None:
    if any(places.transcripts.rglob("*.jsonl")):
        raise NotEmpty(f"{places.transcripts} already holds transcripts; choose an empty folder")
    for name, url in places.databases.items():
        engine = connect(url)
        try:
            there = set(inspect(engine).get_table_names()) & set(DATABASES[name].tables)
        finally:
            engine.dispose()
        if there:
            raise NotEmpty(f"the {name} database already has {', '.join(sorted(there))}; choose an empty one")


def _tables() -> list[Table]:
    return [table for metadata in DATABASES.values() for table in metadata.sorted_tables]


def _home(table: Table) -> str:
    return next(name for name, metadata in DATABASES.items() if table.metadata is metadata)


def _insert(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        names = table.columns.keys()
        connection.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in rows])


def _catch_up(connection: Connection, name: str) -> None:
    """PostgreSQL does not notice numbers that were given by hand: say where its counters go on."""
    if connection.dialect.name != "postgresql":
        return
    for table in DATABASES[name].sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            connection.execute(select(func.setval(sequence, select(func.max(column) + 1).scalar_subquery(), False)))


def _count(connection: Connection, table: Table) -> int:
    return int(connection.scalar(select(func.count()).select_from(table)) or 0)
