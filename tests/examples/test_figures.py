"""The company's own figures: what they must be in a company as it should be, in any database, and after a fault."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from troth.declaration import Declaration, SqlFigure, load

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
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
    places = example_voice.Places.in_folder(tmp_path, shop=url)
    example_voice.lay_down(places, people=60, seed=1, now=NOW)
    assert set(_sql(declaration)) == {SERIES, ERASED}
    assert _wrong(declaration, places) == set()


_CANARY = (
    "INSERT INTO customer (id, email, name, notice, created_at, active_at)"
    " VALUES (99, 'canary-1@canary.invalid', 'Canary 1', '2026-11-01', '2026-11-20', '2026-11-20')"
)


@pytest.mark.parametrize(
    ("system", "fault", "control"),
    [
        ("shop", "DELETE FROM invoice WHERE id = 2", SERIES),
        ("shop", "UPDATE invoice SET customer_id = NULL WHERE id = 2", ERASED),
        ("shop", "DELETE FROM invoice WHERE id = (SELECT max(id) FROM invoice)", SERIES),
        ("shop", "DELETE FROM invoice WHERE number < 'EV-00000003'", SERIES),
        ("shop", "DELETE FROM invoice", SERIES),
        ("shop", "UPDATE invoice SET number = 'CN-00000004' WHERE number = 'EV-00000004'", SERIES),
        ("shop", "UPDATE invoice SET issued_at = '2026-11-24' WHERE number = 'EV-00000003'", SERIES),
        ("shop", "DELETE FROM customer WHERE id = (SELECT min(customer_id) FROM invoice)", ERASED),
        ("shop", "UPDATE invoice SET customer_id = 987654", ERASED),
    ],
)
def test_each_fault_is_in_one_figure(
    declaration: Declaration, places: Any, system: str, fault: str, control: str
) -> None:
    _do(places, system, fault)
    assert _wrong(declaration, places) == {control}


@pytest.mark.parametrize(
    ("system", "statements"),
    [
        ("shop", "UPDATE invoice SET id = id + 1000 WHERE id > 3"),
        (
            "shop",
            "DELETE FROM orders WHERE id IN (SELECT order_id FROM invoice WHERE id < 4);"
            "UPDATE invoice SET customer_id = NULL, order_id = NULL, billed_email = NULL WHERE id < 4",
        ),
        ("shop", f"{_CANARY};INSERT INTO orders SELECT 99, 99, bill_to, NULL, NULL, 1, placed_at FROM orders LIMIT 1"),
    ],
)
def test_ordinary_business_is_in_no_figure(declaration: Declaration, places: Any, system: str, statements: str) -> None:
    for statement in statements.split(";"):
        _do(places, system, statement)
    assert _wrong(declaration, places) == set()


def test_invoices_that_are_gone_after_six_years_are_no_fault(declaration: Declaration, places: Any) -> None:
    _do(places, "shop", "UPDATE invoice SET issued_at = '2021-06-01'")
    _do(places, "shop", "DELETE FROM invoice WHERE id = 1")
    _do(places, "shop", "DELETE FROM orders WHERE id NOT IN (SELECT order_id FROM invoice)")
    assert _wrong(declaration, places) == set()
    _do(places, "shop", "UPDATE invoice SET issued_at = '2025-06-01'")
    assert _wrong(declaration, places) == {SERIES}


def test_what_the_figures_do_not_see_stands_beside_them(declaration: Declaration, places: Any) -> None:
    newest = "(SELECT order_id FROM invoice WHERE number = (SELECT max(number) FROM invoice))"
    _do(places, "shop", f"DELETE FROM orders WHERE id = {newest}")
    _do(places, "shop", "DELETE FROM invoice WHERE number = (SELECT max(number) FROM invoice)")
    _do(places, "shop", "UPDATE invoice SET billed_email = NULL, customer_id = NULL, billed_name = billed_email")
    assert _wrong(declaration, places) == set()
    assert "newest invoice" in declaration.controls[SERIES].cannot_see
    assert "elsewhere on an invoice" in declaration.controls[ERASED].cannot_see
