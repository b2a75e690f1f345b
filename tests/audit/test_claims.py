"""What a policy's sentences claim, and what they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.audit import claims
from troth.policy import promises_in, read
from troth.policy.categories import names_category
from troth.stores import Column, ColumnKind, TableSchema


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("your name and e‑mail address", "user.contact.email"),
        ("name", "user.name.first"),
        ("your postal address", "user.contact.address.street"),
        ("your birthday", "user.demographic.date_of_birth"),
        ("a nickname", "user.account.username"),
        ("your network address", "user.device.ip_address"),
    ],
)
def test_a_category_is_named_by_the_words_that_people_use(text: str, category: str) -> None:
    [sentence] = read(text, kind="text").sentences
    assert names_category(claims.plain(sentence), category)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("your e-mail address", "user.contact.address.street"),
        ("your nationality", "user.demographic.date_of_birth"),
        ("the kind of browser", "user.device.ip_address"),
        ("", "user.name"),
    ],
)
def test_other_words_do_not_name_it(text: str, category: str) -> None:
    assert not names_category(text, category)


def test_a_denial_is_heard_up_to_its_exception() -> None:
    policy = read("We never collect your phone number, only your birthday if you tell us.", kind="text")
    assert len(claims.denials(policy, "user.contact.phone_number")) == 1
    assert claims.denials(policy, "user.demographic.date_of_birth") == []


def _claims(text: str) -> list[claims.RetentionClaim]:
    return claims.retention_claims(promises_in(read(text, kind="text")))


def test_a_period_after_which_data_is_gone_is_read() -> None:
    [claim] = _claims("We delete support tickets two years after they were written.")
    assert str(claim.period) == "2 years"
    assert claim.is_about(TableSchema("support_ticket", ()))
    assert claim.is_about(TableSchema("Ticket", ()))
    assert not claim.is_about(TableSchema("invoice", ()))


@pytest.mark.parametrize(
    "text",
    [
        "We notify you of a deletion within thirty days.",
        "We keep invoices for at least six years.",
        "Backups are kept for thirty-five days.",
        "We keep logs for 30 days and delete orders after 6 years.",
        "We answer within one month.",
    ],
)
def test_other_periods_are_left_alone(text: str) -> None:
    assert _claims(text) == []


def test_a_period_that_hangs_on_an_event_says_so() -> None:
    [claim] = _claims("We delete accounts three years after you last used them.")
    assert claim.conditional


def _table(*columns: str) -> TableSchema:
    return TableSchema("t", tuple(Column(name, ColumnKind.DATETIME, "timestamp") for name in columns))


def test_the_column_that_a_row_began_with_is_chosen() -> None:
    found = claims.date_column(_table("updated_at", "expires_at", "created_at"), frozenset())
    assert found is not None
    assert found.name == "created_at"


def test_a_date_about_the_person_or_the_future_is_no_beginning() -> None:
    assert claims.date_column(_table("expires_at", "birth_date"), frozenset()) is None
    assert claims.date_column(_table("at"), frozenset({"at"})) is None


@pytest.mark.parametrize(
    ("text", "promised"),
    [
        ("All connections are encrypted.", True),
        ("Connections to our databases are encrypted.", True),
        ("Every connection to our website is encrypted with TLS 1.2.", False),
        ("Passwords are encrypted.", False),
        ("The disks that hold your data are encrypted.", False),
        ("E-mails are not encrypted.", False),
    ],
)
def test_only_what_is_said_of_databases_is_held_against_them(text: str, promised: bool) -> None:
    statements = promises_in(read(text, kind="text"))
    assert any(map(claims.promises_encryption, statements)) is promised


def test_a_host_is_named_by_its_company() -> None:
    assert claims.names_host("We use Google Analytics.", "www.googletagmanager.com")
    assert claims.names_host("Fonts come from example-fonts.test.", "static.example-fonts.test")
    assert not claims.names_host("We use nobody.", "www.googletagmanager.com")
    assert not claims.names_host("We met at a ford.", "for.test")


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    policy = read(text, kind="text")
    claims.names_what_is_collected(policy)
    claims.denials(policy, "user.contact.email")
    claims.company_names(text)
    claims.words_of(text)


def test_a_long_sentence_takes_bounded_time() -> None:
    policy = read("we do not collect " + "address and " * 80_000, kind="text")
    assert claims.denials(policy, "user.contact.address")


def test_a_word_of_a_condition_is_not_what_the_sentence_is_about() -> None:
    [claim] = _claims("We delete recordings after thirty days, unless the customer has taken them back sooner.")
    assert claim.is_about(TableSchema("recording", ()))
    assert not claim.is_about(TableSchema("customer", ()))


@pytest.mark.parametrize(
    ("column", "is_part"),
    [
        ("card_last4", True),
        ("cardLast4", True),
        ("last_four", True),
        ("card_number", False),
        ("iban", False),
        ("last_name", False),
    ],
)
def test_the_end_of_a_number_is_known_by_its_column(column: str, is_part: bool) -> None:
    assert claims.is_part(column) is is_part


def test_a_denial_of_the_whole_number_is_known() -> None:
    for text, is_of_all in (("We never store your full card number.", True), ("We never store card numbers.", False)):
        [sentence] = read(text, kind="text").sentences
        assert claims.is_of_all(sentence) is is_of_all


def test_a_table_below_what_is_collected_says_it() -> None:
    table = "| Category | Examples |\n|---|---|\n| Identifiers | name, e-mail address |\n"
    told = claims.names_what_is_collected(read(f"## What we collect\n\n{table}", kind="markdown"))
    assert "name, e-mail address" in [sentence.text for sentence in told]
    assert not claims.names_what_is_collected(read(f"## Who we are\n\n{table}", kind="markdown"))
    assert not claims.names_what_is_collected(read(f"## What we do not collect\n\n{table}", kind="markdown"))
