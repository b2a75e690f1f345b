"""The generator: the same company for the same seed, with the people that make privacy hard."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect
from tests.scale import scaled

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


def _rows(places: Any, system: str, query: str) -> list[Any]:
    with closing(sqlite3.connect(places.databases[system].removeprefix("sqlite:///"))) as connection:
        return connection.execute(query).fetchall()


def _population(count: int, seed: int) -> list[Any]:
    return list(import_module("example_voice.people").population(count, seed=seed, now=NOW))


def _everything(places: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for system in places.databases:
        for (table,) in _rows(places, system, "SELECT name FROM sqlite_master WHERE type = 'table'"):
            found[f"{system}.{table}"] = _rows(places, system, f'SELECT * FROM "{table}"')
    found["turns"] = [path.read_text() for path in sorted(places.transcripts.rglob("*.jsonl"))]
    return found


def test_the_same_seed_gives_the_same_company(example_voice: Any, tmp_path: Path, laid: Any) -> None:
    again = example_voice.Places.in_folder(tmp_path)
    example_voice.lay_down(again, people=60, seed=1, now=NOW)
    assert _everything(again) == _everything(laid)


def test_another_seed_gives_another_company(example_voice: Any, tmp_path: Path, laid: Any) -> None:
    other = example_voice.Places.in_folder(tmp_path)
    example_voice.lay_down(other, people=60, seed=3, now=NOW)
    assert _everything(other) != _everything(laid)


@settings(max_examples=scaled(10, 40), deadline=None)
@given(count=st.integers(0, 400), seed=st.integers(0, 2**32))
def test_no_two_people_share_an_address_to_write_to(count: int, seed: int) -> None:
    people = _population(count, seed)
    assert len(people) == count
    assert len({person.email.lower() for person in people}) == count
    assert all(person.email.endswith("@example.org") for person in people)


@settings(max_examples=scaled(5, 20), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_only_a_family_shares_a_telephone(seed: int) -> None:
    homes: dict[str, set[Any]] = {}
    for person in _population(600, seed):
        if person.phone:
            homes.setdefault(person.phone, set()).add(person.home)
    assert all(len(sharing) == 1 for sharing in homes.values())


def test_numbers_reserved_for_fiction_run_out_before_strangers_share_one() -> None:
    people = _population(60_000, 1)
    homes = {(person.phone, person.home) for person in people if person.phone}
    assert len({phone for phone, _ in homes}) == len(homes)
    assert people[-1].phone is None


def test_every_number_is_well_formed_and_set_aside() -> None:
    words = import_module("example_voice.words")
    reserved = re.compile(
        r"\+44(7700900|2079460|11[345678]4960|1[2-6]14960|1914980|2920180|1632960)\d{3}|\+1\d{3}55501\d\d"
    )
    numbers = [*words.uk_mobiles(), *words.uk_landlines(), *words.californian_phones()]
    assert len(numbers) == len(set(numbers))
    assert all(reserved.fullmatch(number) for number in numbers)
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(number)) for number in numbers)


def test_the_people_who_make_it_hard_are_there() -> None:
    ann, ben, chloe, ben_again, namesake, *_ = people = _population(300, 1)
    assert ann.home == ben.home
    assert ann.phone == ben.phone
    assert ben.name == ben_again.name
    assert ben.home == ben_again.home
    assert chloe.name == namesake.name
    assert chloe.home != namesake.home
    assert len({person.places for person in people}) == 6, "some people are known to some systems only"


@pytest.mark.parametrize("system", ["shop", "logins"])
def test_declared_foreign_keys_hold(laid: Any, system: str) -> None:
    assert _rows(laid, system, "PRAGMA foreign_key_check") == []


def test_the_desk_declares_no_foreign_keys_and_keeps_them_anyway(laid: Any) -> None:
    engine = create_engine(laid.databases["desk"])
    assert [inspect(engine).get_foreign_keys(table) for table in ("ticket", "message", "attachment")] == [[], [], []]
    engine.dispose()
    assert _rows(laid, "desk", "SELECT 1 FROM message WHERE ticket_id NOT IN (SELECT id FROM ticket)") == []
    assert _rows(laid, "desk", "SELECT 1 FROM message WHERE reply_to NOT IN (SELECT id FROM message)") == []


def test_people_write_in_the_tickets_of_others(example_voice: Any, tmp_path: Path) -> None:
    places = example_voice.Places.in_folder(tmp_path)
    example_voice.lay_down(places, people=200, seed=1, now=NOW)
    foreign = "author_email IS NOT NULL AND lower(author_email) <> lower(opened_by_email)"
    assert _rows(places, "desk", f"SELECT 1 FROM message JOIN ticket ON ticket.id = ticket_id WHERE {foreign}")


def test_an_order_belongs_to_its_customer_and_adds_up(laid: Any) -> None:
    query = """SELECT orders.total_pence, invoice.net_pence + invoice.vat_pence, sum(quantity * unit_pence)
        FROM orders JOIN invoice ON invoice.order_id = orders.id AND invoice.customer_id = orders.customer_id
        JOIN order_item ON order_item.order_id = orders.id GROUP BY orders.id"""
    bills = _rows(laid, "shop", query)
    assert len(bills) == _rows(laid, "shop", "SELECT count(*) FROM orders")[0][0] > 0
    assert all(total == billed == net * 12 // 10 for total, billed, net in bills)


def test_the_portal_knows_only_customers(laid: Any) -> None:
    customers = dict(_rows(laid, "shop", "SELECT id, email FROM customer"))
    accounts: Sequence[tuple[int, str]] = _rows(laid, "logins", "SELECT customer_ref, email FROM account")
    assert accounts
    assert all(customers[customer] == email for customer, email in accounts)


def test_an_account_was_last_seen_at_its_last_sign_in(laid: Any) -> None:
    seen = dict(_rows(laid, "logins", "SELECT id, seen_at FROM account"))
    signed_in = "SELECT account_id, at FROM login WHERE outcome = 'ok' UNION SELECT account_id, started_at FROM session"
    latest: dict[int, str] = {}
    for account, at in _rows(laid, "logins", signed_in):
        latest[account] = max(at, latest.get(account, at))
    assert latest
    assert {account: seen[account] for account in latest} == latest


def test_cards_are_tokens_and_four_digits(laid: Any) -> None:
    cards = _rows(laid, "shop", "SELECT token, last4 FROM payment_method")
    assert all(re.fullmatch(r"tok_[0-9a-f]{32}", token) and re.fullmatch(r"\d{4}", last4) for token, last4 in cards)


def test_nothing_is_older_than_the_policy_allows(example_voice: Any, laid: Any, folder: Path) -> None:
    from troth.declaration import load

    in_five_days = NOW.date() + dt.timedelta(days=5)
    for name, rule in load(folder / "troth.yaml").retention.items():
        system, table = rule.table.split(".")
        if system == "transcripts":
            oldest = min(turn["at"] for turn in _turns(laid))
        else:
            oldest = _rows(laid, system, f'SELECT min("{rule.from_}") FROM "{table}"')[0][0] or NOW.isoformat()
        assert dt.date.fromisoformat(oldest[:10]) > rule.for_.before(in_five_days), name


def _turns(places: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for path in places.transcripts.rglob("*.jsonl") for line in path.read_text().splitlines()]


def test_a_call_is_a_run_of_turns_of_a_customer(laid: Any) -> None:
    customers = {number for (number,) in _rows(laid, "shop", "SELECT id FROM customer")}
    turns = _turns(laid)
    assert len(Counter((turn["call"], turn["turn"]) for turn in turns)) == len(turns) > 50
    assert {turn["customer_id"] for turn in turns} <= customers
    assert {turn["speaker"] for turn in turns} == {"agent", "caller"}
    assert any("@example.org" in turn["text"] for turn in turns)


def test_cards_read_aloud_are_test_numbers(example_voice: Any, tmp_path: Path) -> None:
    places = example_voice.Places.in_folder(tmp_path)
    example_voice.lay_down(places, people=400, seed=1, now=NOW)
    said = {found[0] for turn in _turns(places) if (found := re.search(r"\d{4}[ \d]{10,}\d", turn["text"]))}
    assert said
    assert said <= set(import_module("example_voice.calls")._TEST_CARDS)


def test_a_company_is_not_laid_over_another(example_voice: Any, places: Any) -> None:
    before = _everything(places)
    with pytest.raises(example_voice.NotEmpty, match="choose an empty"):
        example_voice.lay_down(places, people=3, seed=1, now=NOW)
    assert _everything(places) == before


@pytest.mark.parametrize("server", ["postgresql_url", "mariadb_url"])
def test_the_same_people_live_in_another_database(
    example_voice: Any, tmp_path: Path, laid: Any, server: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(server)
    places = example_voice.Places.in_folder(tmp_path, shop=url)
    example_voice.lay_down(places, people=60, seed=1, now=NOW)
    systems = import_module("example_voice.systems")
    engine = systems.connect(url)
    with engine.connect() as connection:
        there = connection.execute(systems.customer.select().order_by(systems.customer.c.id)).all()
    engine.dispose()
    here = _rows(laid, "shop", "SELECT * FROM customer ORDER BY id")
    assert [row[:7] for row in there] == [row[:7] for row in here]


@pytest.mark.parametrize("server", ["postgresql_url", "mariadb_url"])
def test_the_website_goes_on_counting_where_the_generator_stopped(
    example_voice: Any, tmp_path: Path, server: str, request: pytest.FixtureRequest
) -> None:
    places = example_voice.Places.in_folder(tmp_path, shop=request.getfixturevalue(server))
    example_voice.lay_down(places, people=30, seed=1, now=NOW)
    records = import_module("example_voice.web.records").Records(places.databases)
    values = dict.fromkeys(("street", "town", "postcode", "note", "phone"), "x") | {"country": "GB", "name": "Dora"}
    first, second = (records.order({**values, "email": "d@example.org"}, {"review": 1}, now=NOW) for _ in range(2))
    records.close()
    assert second == first + 1
