"""The two faults that the demonstration plants: really there, and really gone afterwards."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import inspect, text

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


def _overdue(example_voice: Any, places: Any) -> int:
    engine = _engine(places, "logins")
    with engine.connect() as connection:
        day = (NOW - dt.timedelta(days=90)).strftime("%Y-%m-%d %H:%M:%S")
        found = connection.scalar(text("SELECT count(*) FROM login WHERE at < :day"), {"day": day})
    engine.dispose()
    return int(found)


def _engine(places: Any, system: str) -> Any:
    from example_voice.systems import connect  # type: ignore[import-not-found, unused-ignore]

    return connect(places.databases[system])


def _desk_columns(places: Any) -> set[str]:
    engine = _engine(places, "desk")
    columns = {column["name"] for column in inspect(engine).get_columns("ticket")}
    engine.dispose()
    return columns


def test_planted_faults_are_there(example_voice: Any, places: Any) -> None:
    assert _overdue(example_voice, places) == 0
    example_voice.plant(places, seed=1, now=NOW)
    assert 0 < _overdue(example_voice, places) <= 7
    assert "date_of_birth" in _desk_columns(places)


def test_planting_twice_plants_once(example_voice: Any, places: Any) -> None:
    example_voice.plant(places, seed=1, now=NOW)
    once = _overdue(example_voice, places)
    example_voice.plant(places, seed=1, now=NOW)
    assert _overdue(example_voice, places) == once


def test_fixed_faults_are_gone(example_voice: Any, places: Any) -> None:
    example_voice.plant(places, seed=1, now=NOW)
    for _ in range(2):
        example_voice.fix(places, now=NOW)
        assert _overdue(example_voice, places) == 0
        assert "date_of_birth" not in _desk_columns(places)


@pytest.mark.parametrize("server", ["postgresql_url", "mariadb_url"])
def test_faults_can_be_planted_in_any_database(
    example_voice: Any, tmp_path: Any, server: str, request: pytest.FixtureRequest
) -> None:
    places = example_voice.Places.in_folder(tmp_path, desk=request.getfixturevalue(server))
    example_voice.lay_down(places, people=12, seed=2, now=NOW)
    example_voice.plant(places, seed=1, now=NOW)
    assert "date_of_birth" in _desk_columns(places)
    example_voice.fix(places, now=NOW)
    assert "date_of_birth" not in _desk_columns(places)
