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
_CANARY = (
    "INSERT INTO customer (id, email, name, notice, created_at, active_at)"
    " VALUES (99, 'canary-1@canary.invalid', 'Canary 1', '2026-11-01', '2026-11-20', '2026-11-20')"
)
_A_MINUTE_BEFORE = (
    "(SELECT strftime('%Y-%m-%dT%H:%M', min(sent_at), '-1 minute') FROM sending WHERE sending.email = subscriber.email)"
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
        ("newsletter", f"UPDATE subscriber SET confirmed_at = '2026-11-24T01:00:00' {_SENT_TO}", CONFIRMED),
        ("newsletter", f"UPDATE subscriber SET confirmed_at = '01/11/2026' {_SENT_TO}", CONFIRMED),
        ("newsletter", f"UPDATE subscriber SET confirmed_at = '2026-11-24' {_SENT_TO}", CONFIRMED),
        ("newsletter", f"UPDATE subscriber SET stopped_at = confirmed_at {_SENT_TO}", STOPPED),
        ("newsletter", f"UPDATE subscriber SET stopped_at = confirmed_at, email = upper(email) {_SENT_TO}", STOPPED),
        ("newsletter", f"UPDATE subscriber SET stopped_at = confirmed_at, email = ' ' || email {_SENT_TO}", STOPPED),
        ("newsletter", f"UPDATE subscriber SET stopped_at = '01/11/2026' {_SENT_TO}", STOPPED),
        ("newsletter", f"UPDATE subscriber SET stopped_at = {_A_MINUTE_BEFORE} {_SENT_TO}", STOPPED),
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
        ("newsletter", "UPDATE sending SET email = upper(email), sent_at = replace(sent_at, ' ', 'T')"),
        ("newsletter", "UPDATE subscriber SET confirmed_at = replace(confirmed_at, ' ', 'T'), email = upper(email)"),
        ("newsletter", "UPDATE subscriber SET stopped_at = '2026-11-24T11:00Z' WHERE stopped_at IS NULL"),
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


def test_an_old_list_does_not_bring_back_who_stopped(declaration: Declaration, places: Any) -> None:
    stopped = "INSERT INTO subscriber (token, email, notice, confirmed_at, stopped_at) VALUES (:t, :e, :n, :at, :to)"
    sent = "INSERT INTO sending VALUES (1, 'dora@example.org', 'delivered', :at)"
    begun, day = NOW - dt.timedelta(days=90), dt.timedelta(days=1)
    for token, ended in (("first", NOW - 60 * day), ("imported", None)):
        _do(places, "newsletter", stopped, t=token, e="dora@example.org", n="2026-11-01", at=begun, to=ended)
    assert _wrong(declaration, places) == set()
    _do(places, "newsletter", sent, at=NOW - 10 * day)
    assert _wrong(declaration, places) == {STOPPED}


@pytest.mark.parametrize(("months", "wrong"), [(11, set()), (3, {CONFIRMED})])
def test_an_address_that_lapsed_is_no_fault_and_one_that_never_confirmed_is(
    declaration: Declaration, places: Any, months: int, wrong: set[str]
) -> None:
    """A subscription is deleted two years after its confirmation, the record of its issues a year after each."""
    sent = "INSERT INTO sending VALUES (:issue, 'dora@example.org', 'delivered', :at)"
    now = dt.datetime.now(dt.UTC)
    for issue, days in ((1, 31 * months), (2, 20)):
        _do(places, "newsletter", sent, issue=issue, at=now - dt.timedelta(days=days))
    assert _wrong(declaration, places) == wrong
