"""Rows that would never get too old: the sentences on periods notice a date that was pushed ahead, or is not there."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from troth.controls import Check, run
from troth.declaration import Declaration, load
from troth.stores import open_stores

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
AHEAD = ("2026-11-26 00:00:00", "2099-01-01 00:00:00.000000")
TABLES = ("logins.login", "logins.session", "desk.ticket", "desk.message", "shop.invoice")


@pytest.fixture
def declaration(folder: Path, places: Any) -> Declaration:
    return load(folder / "troth.yaml", environ=places.environment())


@pytest.fixture
def check(declaration: Declaration, places: Any) -> Callable[[], Check]:
    def made() -> Check:
        stores = open_stores(declaration, places.environment(), read_only=True)
        return run("retention.nothing_overdue", {"declaration": declaration, "stores": stores, "now": NOW})

    return made


@pytest.mark.parametrize("value", [None, "", *AHEAD])
@pytest.mark.parametrize("place", TABLES)
def test_a_row_that_would_never_get_too_old_is_a_fault(
    declaration: Declaration, places: Any, check: Callable[[], Check], place: str, value: str | None
) -> None:
    system, _, table = place.partition(".")
    [rule] = [rule for rule in declaration.retention.values() if rule.table == place]
    _write(places, system, table, rule.from_, value)
    assert [(it.place, "future" in it.message) for it in check().findings] == [(place, value in AHEAD)]


@pytest.mark.parametrize("value", ["without", None, "", *AHEAD, "2099-01-01T00:00:00Z"])
def test_a_transcript_that_would_never_get_too_old_is_a_fault(
    places: Any, check: Callable[[], Check], value: str | None
) -> None:
    assert check().outcome == "pass"
    path = next(places.transcripts.rglob("*.jsonl"))
    first, *others = path.read_text().splitlines()
    turn = json.loads(first) | {"at": value}
    if value == "without":
        del turn["at"]
    path.write_text("\n".join([json.dumps(turn), *others]) + "\n")
    made = check()
    assert made.outcome in {"fail", "error"}
    assert {it.place for it in made.findings} == {"transcripts.calls"} or "transcripts" in made.summary


def _write(places: Any, system: str, table: str, column: str, value: str | None) -> None:
    """Write *value* into one row, in a table that allows an empty date."""
    from example_voice.systems import connect  # type: ignore[import-not-found, unused-ignore]

    engine = connect(places.databases[system])
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE copy_2 AS SELECT * FROM {table}"))
        connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text(f"ALTER TABLE copy_2 RENAME TO {table}"))
        changed = f"UPDATE {table} SET {column} = :value WHERE rowid = (SELECT min(rowid) FROM {table})"
        connection.execute(text(changed), {"value": value})
    engine.dispose()
