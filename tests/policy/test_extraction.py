"""What a policy says of itself: terms, contacts, dates, each with its place."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.policy import PolicyText, Reached, Span, contacts, dates, days_meant, definitions, read


def terms(text: str) -> list[str]:
    return [term.term for term in definitions(read(text))]


def reached(text: str) -> list[tuple[str, str]]:
    return [(str(way.kind), way.value) for way in contacts(read(text))]


def dated(text: str) -> list[tuple[str, str, int]]:
    return [(str(date.kind), date.text, len(date.days)) for date in dates(read(text, kind="text"))]


def spans(policy: PolicyText) -> list[Span]:
    return [
        *(term.span for term in definitions(policy)),
        *(way.span for way in contacts(policy)),
        *(date.span for date in dates(policy)),
    ]


@each_row(
    ("text", "expected"),
    [
        ("“Personal data” means any information about you.", ["Personal data"]),
        ('"Cookie" refers to a small file.', ["Cookie"]),
        ("By “cookie” we mean a small file.", ["cookie"]),
        ("The term Personal information shall mean what the law says.", ["Personal information"]),
        ("Example Ltd (“we”, “us” or “our”) sells shoes.", ["we", "us", "our"]),
        ('Our site (the "Service") is open.', ["Service"]),
        ("Example Ltd (hereinafter referred to as the “Company”) is here.", ["Company"]),
        ("Read on (see “Your rights” below).", []),
        ("This means that we keep it.", []),
        ("What we collect means little.", []),
    ],
)
def test_terms_are_found_where_they_are_defined(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@each_row(
    ("text", "expected"),
    [
        ("Write to privacy@example.org.", [("email", "privacy@example.org")]),
        ("Write to privacy [at] example.org.", [("email", "privacy [at] example.org")]),
        ("[Write to us](mailto:privacy@example.org?subject=Data).", [("email", "privacy@example.org")]),
        ("[privacy@example.org](mailto:privacy@example.org)", [("email", "privacy@example.org")]),
        ("Use [the form](/your-data/).", [("link", "/your-data/")]),
        ("See https://example.org/privacy?a=1.", [("link", "https://example.org/privacy?a=1")]),
        ("Call 01632 960000 until five.", [("telephone", "01632 960000")]),
        ("We are at +44 (0)1632 960 000.", [("telephone", "+44 (0)1632 960 000")]),
        ("Our company number is 00000000.", []),
        ("Call us from 2026-11-01 on.", []),
        (
            "Write to Example Ltd, 4 Old Ropery Walk, Dunmarrow, FB4 7QD, United Kingdom.",
            [("post", "Example Ltd, 4 Old Ropery Walk, Dunmarrow, FB4 7QD, United Kingdom")],
        ),
        (
            "We are Example GmbH, Torstrasse 1, 10115 Berlin, Germany, and sell shoes.",
            [("post", "Example GmbH, Torstrasse 1, 10115 Berlin, Germany")],
        ),
        (
            "Post: Example Inc., 5 Main Street, Springfield, IL 62704",
            [("post", "Example Inc., 5 Main Street, Springfield, IL 62704")],
        ),
        ("Under the 2018 Regulations we answer.", []),
    ],
)
def test_ways_to_reach_the_company_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert reached(text) == expected


@each_row(
    ("text", "expected"),
    [
        (
            "Complain to us at privacy@example.org, or to the ICO, Wycliffe House, Wilmslow SK9 5AF, 0303 123 1113.",
            [Reached.COMPANY, Reached.AUTHORITY, Reached.AUTHORITY],
        ),
        (
            "It is the Hamburg Commissioner for Data Protection and Freedom of Information, Weg 22, 20459 Hamburg.",
            [Reached.AUTHORITY],
        ),
        (
            "Write to privacy@example.org. Our processor Example Post answers at help@post.example.com.",
            [Reached.COMPANY, Reached.RECIPIENT],
        ),
        ("Write to us at privacy@example.org. Our host: help@example.com.", [Reached.COMPANY, Reached.COMPANY]),
        ("For a list of our processors write to privacy@example.org.", [Reached.COMPANY]),
        ("Ask privacy@example.org. For our partners, ask privacy@example.org.", [Reached.COMPANY, Reached.COMPANY]),
        ("## Who else sees it\n\n[Example Post](https://post.example.com)", [Reached.RECIPIENT]),
        ("## Who else sees it\n\nWrite to us at privacy@example.org.", [Reached.COMPANY]),
    ],
)
def test_who_is_reached_is_whom_the_words_before_name_last(text: str, expected: list[Reached]) -> None:
    assert [way.reached for way in contacts(read(text))] == expected


@pytest.mark.parametrize(
    "address",
    [
        "Hamburg Commissioner for Data Protection and Freedom of Information, Ludwig-Erhard-Str. 22, 20459 Hamburg",
        "Office of the Data Protection Commissioner, 21 Example Square, Dublin 2, D02 AB12",
    ],
)
def test_an_address_has_all_of_its_name(address: str) -> None:
    assert ("post", address) in reached(f"Please ask for {address}.")


def test_who_is_reached_is_told_by_the_sentence_or_its_heading() -> None:
    policy = read(
        "# Contact\n\nWrite to privacy@example.org. The regulator is at https://ico.example.org.\n\n"
        "# Our data protection officer\n\nWrite to dpo@example.org.\n"
    )
    assert [way.reached for way in contacts(policy)] == [Reached.COMPANY, Reached.AUTHORITY, Reached.OFFICER]


@each_row(
    ("text", "expected"),
    [
        ("Last updated: 3 May 2024", [("updated", "3 May 2024", 1)]),
        ("Effective Date: January 1st, 2020", [("effective", "January 1st, 2020", 1)]),
        ("In force since 1 November 2026.", [("effective", "1 November 2026", 1)]),
        ("Last revised 03/04/2024.", [("updated", "03/04/2024", 2)]),
        ("Last revised 30/04/2024.", [("updated", "30/04/2024", 1)]),
        ("Effective from 31 February 2023.", [("effective", "31 February 2023", 0)]),
        ("Version 2.1, May 2024", [("version", "2.1", 0), ("updated", "May 2024", 1)]),
        (
            "Updated on 2024-05-03, effective 2024-06-03.",
            [("updated", "2024-05-03", 1), ("effective", "2024-06-03", 1)],
        ),
        ("Last updated\n\n12th of March 2022", [("updated", "12th of March 2022", 1)]),
        ("The GDPR took effect on 25 May 2018.", []),
        ("We were founded on 3 May 2004.", []),
    ],
)
def test_the_policys_own_dates_are_found(text: str, expected: list[tuple[str, str, int]]) -> None:
    assert dated(text) == expected


def test_a_date_means_the_days_that_it_may_mean() -> None:
    assert days_meant("03/04/2024") == (dt.date(2024, 4, 3), dt.date(2024, 3, 4))
    assert days_meant("Sept. 5, 2024") == (dt.date(2024, 9, 5),)
    assert days_meant("soon") == ()


def test_every_fact_knows_its_own_characters() -> None:
    policy = read("We (“us”) moved.\n\nWrite to **Ann** at\nprivacy@example.org, last updated 3 May 2024.\n")
    assert [(span.line, policy.source[span.start : span.end]) for span in spans(policy)] == [
        (1, "us"),
        (4, "privacy@example.org"),
        (4, "3 May 2024"),
    ]


def test_a_contact_does_not_show_its_value() -> None:
    (way,) = contacts(read("Write to privacy@example.org."))
    assert "privacy" not in repr(way)


@given(st.text(alphabet=st.sampled_from("aA1 .,@+-/()“”\"'FB4 7QD\n"), max_size=300))
def test_any_text_gives_facts_that_stand_in_it(text: str) -> None:
    policy = read(text, kind="text")
    for span in spans(policy):
        assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "data:text/html,x", " JavaScript:alert(1)", "ftp://example.org"]
)
def test_a_link_that_reaches_nobody_is_no_contact(href: str) -> None:
    page = f'<p>Write to us <a href="{href}">here</a> or <a href="/contact">there</a> at any time.</p>'
    assert [way.value for way in contacts(read(page, kind="html"))] == ["/contact"]
