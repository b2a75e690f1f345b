"""How detection answers its control: it passes in a good world, and its mutation turns it red."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
import string
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import troth.detect.controls  # noqa: F401 - registers the answer
from troth.controls import Check, CheckOutcome, catalogue, run
from troth.declaration import Declaration
from troth.detect import Detector, Finding, Unscanned
from troth.stores import open_store

CONTROL = "detect.no_undeclared_personal_data"
SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT, notes TEXT, colour TEXT, diary TEXT);
CREATE TABLE track (id INTEGER PRIMARY KEY, name TEXT, price NUMERIC);
INSERT INTO customer VALUES (1, 'ann@example.org', 'likes tea', 'red', 'met ben@example.org'),
  (2, 'ben@example.org', 'x', 'blue', NULL);
INSERT INTO track VALUES (1, 'Let There Be Rock', 0.99), (2, 'Jagged Little Pill', 0.99);
"""


@pytest.fixture
def company() -> dict[str, Any]:
    customer = {
        "identity": {"email": "email"},
        "fields": {
            "email": "user.contact.email",
            "notes": "user.content",
            "diary": {"category": "user.content", "free_text": True},
        },
        "ignore": ["colour"],
    }
    return {
        "troth": 1,
        "organisation": {"name": "E", "country": "GB", "address": "a", "email": "privacy@example.org"},
        "policy": {"file": "policy.md", "effective": "2026-01-01"},
        "systems": {"shop": {"store": "sqlite:///shop.db", "tables": {"customer": customer}}},
    }


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(SHOP)
    return tmp_path / "shop.db"


@pytest.fixture
def ask(company: dict[str, Any], shop: Path) -> Callable[[], Check]:
    def made() -> Check:
        stores = {"shop": open_store("shop", f"sqlite:///{shop}", read_only=True)}
        now = dt.datetime(2026, 3, 31, tzinfo=dt.UTC)
        return run(CONTROL, {"declaration": Declaration.model_validate(company), "stores": stores, "now": now})

    return made


def _sql(shop: Path, *statements: str) -> None:
    with closing(sqlite3.connect(shop)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("column", ["notes", "colour"])
def test_phone_numbers_in_notes_are_found(ask: Callable[[], Check], shop: Path, column: str) -> None:
    assert ask().outcome is CheckOutcome.PASS

    _sql(shop, f"UPDATE customer SET {column} = 'ring 020 7946 0958 or +44 20 7946 0123' WHERE id = 1")
    check = ask()

    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == [f"shop.customer.{column}"]
    assert "user.contact.phone_number" in check.findings[0].message
    assert "7946" not in repr(check)


def test_free_text_may_hold_anything_that_does_no_such_harm(ask: Callable[[], Check], shop: Path) -> None:
    assert ask().outcome is CheckOutcome.PASS  # the diary names an e-mail address
    _sql(shop, "UPDATE customer SET diary = 'Ben, born 3 May 1987, 020 7946 0958, 1 Inkpot Passage, has asthma'")
    assert ask().outcome is CheckOutcome.PASS


@pytest.mark.parametrize(
    ("written", "category"),
    [
        ("please charge 4111 1111 1111 1111 for it", "user.financial.credit_card"),
        ("it is four one one one, one one one one, one one one one, one one one one", "user.financial.credit_card"),
        ("send it to DE89 3704 0044 0532 0130 00, thanks", "user.financial.bank_account"),
        ("my NI number is AB123456C", "user.government_id.national_identification_number"),
        ("it stopped when I set AKIAIOSFODNN7EXAMPLE", "system.authentication"),
    ],
)
def test_a_number_that_does_harm_is_found_in_free_text(
    ask: Callable[[], Check], company: dict[str, Any], shop: Path, written: str, category: str
) -> None:
    assert ask().outcome is CheckOutcome.PASS
    _sql(shop, f"UPDATE customer SET diary = '{written}' WHERE id = 2")
    check = ask()
    assert check.outcome is CheckOutcome.FAIL
    assert [(finding.place, category in finding.message) for finding in check.findings] == [
        ("shop.customer.diary", True)
    ]
    assert written[-12:] not in repr(check)

    company["systems"]["shop"]["tables"]["customer"]["fields"]["diary"]["may_hold"] = [category]
    assert ask().outcome is CheckOutcome.PASS
    company["systems"]["shop"]["tables"]["customer"]["fields"]["diary"]["may_hold"] = ["user"]
    assert ask().outcome is CheckOutcome.FAIL


@pytest.mark.parametrize(
    "written",
    [
        "Where is order 4000123412341230? It was to arrive on 12.03.2026.",
        "tracking number 5500005555555559",
        "Bestellung 4003 1234 5678 9012, Kundennummer 86095742719",
        "our VAT number is GB123456789, invoice EV-00001234 over 1,234.50",
        "my password does not work any more",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8, row 550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_ordinary_numbers_in_tickets_are_no_fault(ask: Callable[[], Check], shop: Path, written: str) -> None:
    _sql(shop, f"UPDATE customer SET diary = '{written}'")
    assert ask().outcome is CheckOutcome.PASS


def test_numbers_that_pass_the_check_of_a_card_by_chance_are_no_fault(ask: Callable[[], Check], shop: Path) -> None:
    numbers = [4_000_123_412_340_000 + 7 * n for n in range(40)]
    rows = ", ".join(
        f"({n}, 'parcel {' '.join(str(n)[at : at + 4] for at in (0, 4, 8, 12))} is late')" for n in numbers
    )
    _sql(shop, f"INSERT INTO customer (id, diary) VALUES {rows}")
    assert ask().outcome is CheckOutcome.PASS


def test_the_account_under_which_everybody_pays_is_the_company_s_own(ask: Callable[[], Check], shop: Path) -> None:
    rows = ", ".join(f"({n}, 'pay to DE89 3704 0044 0532 0130 00')" for n in range(10, 13))
    _sql(shop, f"INSERT INTO customer (id, diary) VALUES {rows}")
    assert ask().outcome is CheckOutcome.PASS


@pytest.mark.parametrize("written", ["my password is hunter2!", "x" * 5_000 + " 4111 1111 1111 1111"])
def test_what_stays_unseen_in_free_text(ask: Callable[[], Check], shop: Path, written: str) -> None:
    """Limits that the catalogue names."""
    _sql(shop, f"UPDATE customer SET diary = '{written}' WHERE id = 2")
    assert ask().outcome is CheckOutcome.PASS
    known = catalogue()[CONTROL].cannot_see
    assert all(words in known for words in ("passwords", "very long", "that a check confirms"))


def test_the_evidence_says_how_many_rows_were_sampled(
    ask: Callable[[], Check], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("troth.detect.controls.SAMPLED_ROWS", 10)
    _sql(shop, f"INSERT INTO customer (id) VALUES {', '.join(f'({n})' for n in range(3, 35))}")
    check = ask()
    assert (check.evidence.population, check.evidence.tested) == (36, 12)
    assert "in 12 of 36 rows" in check.summary


def test_what_was_written_last_is_sampled(
    ask: Callable[[], Check], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("troth.detect.controls.SAMPLED_ROWS", 40)
    _sql(shop, f"INSERT INTO customer (id) VALUES {', '.join(f'({n})' for n in range(10, 1000))}")
    assert ask().outcome is CheckOutcome.PASS
    _sql(shop, "INSERT INTO customer (id, diary) VALUES (1000, 'card 4111 1111 1111 1111')")
    assert ask().outcome is CheckOutcome.FAIL
    _sql(shop, "UPDATE customer SET id = 1001, diary = NULL WHERE id = 1000")
    _sql(shop, "UPDATE customer SET diary = 'card 4111 1111 1111 1111' WHERE id = 500")
    assert ask().outcome is CheckOutcome.PASS  # a row outside the sample, as the catalogue says
    assert "outside the sample" in catalogue()[CONTROL].cannot_see


def test_an_undeclared_column_is_judged_by_its_name_too(ask: Callable[[], Check], shop: Path) -> None:
    _sql(shop, "ALTER TABLE customer ADD COLUMN date_of_birth DATE", "CREATE TABLE lead (first_name TEXT, size INT)")
    assert [it.place for it in ask().findings] == ["shop.customer.date_of_birth", "shop.lead.first_name"]


def test_a_column_that_someone_set_aside_is_judged_by_its_values(
    ask: Callable[[], Check], shop: Path, company: dict[str, Any]
) -> None:
    _sql(shop, "ALTER TABLE customer ADD COLUMN phone TEXT")
    assert ask().outcome is CheckOutcome.FAIL
    company["systems"]["shop"]["tables"]["customer"]["ignore"].append("phone")
    assert ask().outcome is CheckOutcome.PASS
    _sql(shop, "UPDATE customer SET phone = '+44 20 7946 0123'")
    assert ask().outcome is CheckOutcome.FAIL


def test_a_token_that_looks_like_a_key_by_chance_is_no_fault_and_a_column_of_keys_is(
    ask: Callable[[], Check], shop: Path
) -> None:
    _sql(shop, "UPDATE customer SET colour = 'nk-XhLkX2eVW3k3VpUK25ysPBHE3DDBTN5c1GB5sFrw' WHERE id = 1")
    assert ask().outcome is CheckOutcome.PASS
    keys = ["sk-" + letter * 2 + "hLkX2eVW3k3VpUK25ysPBHE3DDBTN5c1GB5sF" for letter in "abcd"]
    rows = [f"INSERT INTO customer VALUES ({at}, null, 'x', '{key}', null)" for at, key in enumerate(keys, 10)]
    _sql(shop, "UPDATE customer SET colour = null", *rows)
    assert ask().outcome is CheckOutcome.FAIL


def test_what_people_tell_in_a_table_that_someone_set_aside_is_not_seen(
    ask: Callable[[], Check], shop: Path, company: dict[str, Any]
) -> None:
    _sql(shop, "CREATE TABLE ticket_history (id INTEGER PRIMARY KEY, body TEXT)")
    _sql(shop, "INSERT INTO ticket_history VALUES (1, 'I am the caller of last week, and I am ill, so please help me')")
    assert ask().outcome is CheckOutcome.PASS
    company["systems"]["shop"]["tables"]["ticket_history"] = {"key": "id", "ignore": ["body"]}
    assert ask().outcome is CheckOutcome.PASS
    assert "texts under `ignore`" in catalogue()[CONTROL].cannot_see


def test_a_system_that_does_not_answer_is_no_pass(ask: Callable[[], Check], shop: Path) -> None:
    shop.unlink()
    check = ask()
    assert check.outcome is CheckOutcome.ERROR
    assert "shop was not observed" in check.summary


def test_a_system_without_a_column_shows_nothing(ask: Callable[[], Check], shop: Path) -> None:
    _sql(shop, "DROP TABLE customer", "DROP TABLE track")
    assert ask().outcome is CheckOutcome.NOT_APPLICABLE


def test_without_a_system_nothing_is_claimed(ask: Callable[[], Check], company: dict[str, Any]) -> None:
    company["systems"] = {"payroll": {"store": "task"}}
    assert ask().outcome is CheckOutcome.NOT_APPLICABLE


def test_a_sample_that_could_not_be_searched_is_no_pass(
    ask: Callable[[], Check], monkeypatch: pytest.MonkeyPatch
) -> None:
    def given_up(self: Detector, text: str) -> list[object]:
        raise Unscanned("searching the text exceeded the memory limit")

    monkeypatch.setattr(Detector, "find", given_up)
    check = ask()
    assert check.outcome is not CheckOutcome.PASS
    assert "shop was not observed: searching the text exceeded" in check.summary


def test_values_that_are_too_much_together_are_searched_apart(
    ask: Callable[[], Check], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sql(shop, "UPDATE customer SET notes = 'ring 020 7946 0958 or +44 20 7946 0123' WHERE id = 1")
    find = Detector.find

    def hard_pressed(self: Detector, text: str) -> list[Finding]:
        if "\n" in text:
            raise Unscanned("too much together")
        return find(self, text)

    monkeypatch.setattr(Detector, "find", hard_pressed)
    assert [finding.place for finding in ask().findings] == ["shop.customer.notes"]


def test_the_key_that_the_declaration_names_was_looked_at(
    ask: Callable[[], Check], company: dict[str, Any], shop: Path
) -> None:
    _sql(shop, "CREATE TABLE signup (token TEXT PRIMARY KEY, size INTEGER)")
    assert [finding.place for finding in ask().findings] == ["shop.signup.token"]
    company["systems"]["shop"]["tables"]["signup"] = {"key": "token", "ignore": ["size"]}
    assert ask().outcome is CheckOutcome.PASS


CARDS = ("4111 1111 1111 1111", "5500005555555559")


@pytest.mark.parametrize(
    ("category", "outcome"),
    [
        ("user.financial", CheckOutcome.FAIL),
        ("user.financial.credit_card", CheckOutcome.PASS),
        ({"category": "user.financial", "token": {"format": "pan.bin6.last4", "domain": "shop"}}, CheckOutcome.PASS),
        ({"category": "user.financial", "sealed": True}, CheckOutcome.PASS),
    ],
)
def test_numbers_of_cards_are_declared_as_such_and_not_as_something_broader(
    ask: Callable[[], Check], company: dict[str, Any], shop: Path, category: Any, outcome: CheckOutcome
) -> None:
    _sql(shop, "CREATE TABLE buy (card_last4 TEXT)", *(f"INSERT INTO buy VALUES ('{card}')" for card in CARDS))
    company["systems"]["shop"]["tables"]["buy"] = {"fields": {"card_last4": category}}
    check = ask()
    assert check.outcome is outcome
    assert [finding.place for finding in check.findings] == ["shop.buy.card_last4"] * (outcome is CheckOutcome.FAIL)


def test_a_broader_category_covers_what_does_no_such_harm(ask: Callable[[], Check], company: dict[str, Any]) -> None:
    company["systems"]["shop"]["tables"]["customer"]["fields"]["email"] = "user.contact"
    assert ask().outcome is CheckOutcome.PASS


@pytest.mark.parametrize(
    ("category", "outcome"),
    [
        ("user.authorization.password", CheckOutcome.PASS),
        ("user.authorization", CheckOutcome.PASS),
        ("user.account", CheckOutcome.FAIL),
    ],
)
def test_a_column_of_passwords_holds_secrets_by_declaration(
    ask: Callable[[], Check], company: dict[str, Any], shop: Path, category: str, outcome: CheckOutcome
) -> None:
    """Django writes an exclamation mark and 40 random characters where an account has no password any more."""
    letters = random.Random(7).choices(string.ascii_letters + string.digits, k=360)
    unusable = ["!" + "".join(letters[40 * number : 40 * number + 40]) for number in range(9)]
    _sql(
        shop,
        "CREATE TABLE member (id INTEGER PRIMARY KEY, password TEXT)",
        "INSERT INTO member (password) VALUES ('pbkdf2_sha256$1000000$c2FsdHNhbHQ$bm90IGEgaGFzaCBidXQgYXMgbG9uZw==')",
        *(f"INSERT INTO member (password) VALUES ('{value}')" for value in unusable),
    )
    company["systems"]["shop"]["tables"]["member"] = {"key": "id", "fields": {"password": category}}
    check = ask()
    assert check.outcome is outcome
    assert [finding.place for finding in check.findings] == ["shop.member.password"] * (outcome is CheckOutcome.FAIL)


def test_a_card_among_passwords_is_found_and_a_password_in_clear_is_not(
    ask: Callable[[], Check], company: dict[str, Any], shop: Path
) -> None:
    _sql(shop, "CREATE TABLE member (id INTEGER PRIMARY KEY, password TEXT)")
    company["systems"]["shop"]["tables"]["member"] = {
        "key": "id",
        "fields": {"password": "user.authorization.password"},
    }
    _sql(shop, "INSERT INTO member (password) VALUES ('correct horse battery staple')")
    assert ask().outcome is CheckOutcome.PASS
    assert "passwords are stored in clear" in catalogue()[CONTROL].cannot_see
    _sql(shop, "UPDATE member SET password = '4111 1111 1111 1111'")
    assert ask().outcome is CheckOutcome.FAIL
