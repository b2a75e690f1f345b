"""The company's own figures: what they must be in a company as it should be, in any database, and after a fault."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from troth.declaration import Declaration, SqlFigure, load

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
CONFIRMED, STOPPED = "ours.newsletter_to_confirmed", "ours.newsletter_stopped_at_once"
SERIES, ERASED = "ours.no_invoice_missing", "ours.no_address_on_invoices_of_the_erased"


@pytest.fixture(scope="module")
def declaration(folder: Path) -> Declaration:
    return load(folder / "troth.yaml")


def _sql(declaration: Declaration) -> dict[str, SqlFigure]:
    return {id_: own.sql for id_, own in declaration.controls.items() if own.sql is not None}


def _wrong(declaration: Declaration, places: Any) -> set[str]:
    """The controls whose figure is not what it must be."""
    return {
        id_ for id_, sql in _sql(declaration).items() if _do(places, sql.system, sql.figure) != 0 and sql.must == "= 0"
    }


def _do(places: Any, system: str, statement: str, **values: Any) -> Any:
    from example_voice.systems import connect  # type: ignore[import-not-found, unused-ignore]

    engine = connect(places.databases[system])
    with engine.begin() as connection:
        done = connection.execute(text(statement), values)
        found = done.scalar() if done.returns_rows else None
    engine.dispose()
    return found


@pytest.mark.parametrize("server", [None, "postgresql_url", "mariadb_url"])
def test_all_is_well_in_a_company_as_it_is_laid_down(
    example_voice: Any, declaration: Declaration, tmp_path: Path, server: str | None, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(server) if server else None
    places = example_voice.Places.in_folder(tmp_path, shop=url, newsletter=url)
    example_voice.lay_down(places, people=60, seed=1, now=NOW)
    assert set(_sql(declaration)) == {CONFIRMED, STOPPED, SERIES, ERASED}
    assert _wrong(declaration, places) == set()


_SENT_TO = "WHERE email IN (SELECT email FROM sending)"


@pytest.mark.parametrize(
    ("system", "fault", "control"),
    [
        ("shop", "DELETE FROM invoice WHERE id = 2", SERIES),
        ("shop", "UPDATE invoice SET customer_id = NULL WHERE id = 2", ERASED),
        ("newsletter", f"UPDATE subscriber SET confirmed_at = '2026-11-24' {_SENT_TO}", CONFIRMED),
        ("newsletter", f"UPDATE subscriber SET stopped_at = confirmed_at {_SENT_TO}", STOPPED),
    ],
)
def test_each_fault_is_in_one_figure(
    declaration: Declaration, places: Any, system: str, fault: str, control: str
) -> None:
    _do(places, system, fault)
    assert _wrong(declaration, places) == {control}


def test_who_stopped_and_came_back_may_be_written_to_again_but_not_in_between(
    declaration: Declaration, places: Any
) -> None:
    subscribed = (
        "INSERT INTO subscriber (token, email, notice, confirmed_at, stopped_at)"
        " VALUES (:token, 'dora@example.org', '2026-11-01', :begun, :ended)"
    )
    sent = "INSERT INTO sending VALUES (:issue, 'dora@example.org', 'delivered', :at)"
    day = dt.timedelta(days=1)
    _do(places, "newsletter", subscribed, token="first", begun=NOW - 90 * day, ended=NOW - 60 * day)
    _do(places, "newsletter", subscribed, token="second", begun=NOW - 30 * day, ended=None)
    for issue, days in ((1, 70), (2, 10)):
        _do(places, "newsletter", sent, issue=issue, at=NOW - days * day)
    assert _wrong(declaration, places) == set()
    _do(places, "newsletter", sent, issue=3, at=NOW - 45 * day)
    assert _wrong(declaration, places) == {STOPPED}
