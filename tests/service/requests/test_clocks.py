"""Clocks and proof: one clock for each regime on one case, and the lowest proof that fits the risk."""

from __future__ import annotations

import datetime as dt

import pytest

from troth.declaration import Declaration, parse
from troth.law import ClockPause
from troth.service.cases.rules import ClockInputs, clocks, zone_of
from troth.service.requests.rules import marketing, tier_needed

NOON = dt.time(12, tzinfo=dt.UTC)
TEXT = """
troth: 1
organisation: {name: Example Ltd, country: COUNTRY, address: 1 High Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-01-01}
purposes:
  news: {basis: consent, use: marketing.communications.email, data: [user.contact.email]}
  order: {basis: contract, use: essential.service, data: [user]}
requests: REQUESTS
systems:
  shop: {store: task, tables: {customer: {fields: {a: CATEGORY}, erase: delete}}}
"""


def declared(country: str = "GB", *, requests: str = "{serves: [GB]}", category: str = "user.name") -> Declaration:
    text = TEXT.replace("COUNTRY", country).replace("REQUESTS", requests).replace("CATEGORY", category)
    return parse(text.encode(), file="troth.yaml")


def at(day: str) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(day), NOON)


def due(received: str, *, right: str = "view", kind: str = "request", **more: object) -> list[tuple[str, str]]:
    known = {"country": "GB", "requests": "{serves: [GB]}"} | {
        name: more.pop(name) for name in ("country", "requests") if name in more
    }
    asked = ClockInputs(kind, right, at(received), **more)  # type: ignore[arg-type]
    found = clocks(asked, declared(known["country"], requests=known["requests"]), now=at(received))  # type: ignore[arg-type]
    return [(one.rule.partition("@")[0], one.on.isoformat()) for one in found.answer]


@pytest.mark.parametrize(
    ("received", "answer"),
    [
        ("2026-03-05", "2026-04-07"),
        ("2026-11-25", "2026-12-29"),
        ("2027-01-31", "2027-03-01"),
        ("2028-01-31", "2028-02-29"),
    ],
)
def test_a_month_ends_on_the_corresponding_date_or_the_next_working_day(received: str, answer: str) -> None:
    assert due(received) == [("uk.answer", answer)]


def test_two_months_more_count_from_the_first_start() -> None:
    assert due("2026-11-30") == [("uk.answer", "2026-12-30")]
    assert due("2026-11-30", is_extended=True) == [("uk.answer", "2027-03-01")]


def test_days_of_a_pause_are_left_out_where_the_law_knows_pauses() -> None:
    pauses = (ClockPause(at("2026-06-05"), at("2026-06-12")),)
    assert due("2026-06-01", pauses=pauses) == [("uk.answer", "2026-07-09")]


def test_a_californian_has_a_second_clock_which_no_pause_stops() -> None:
    pauses = (ClockPause(at("2026-11-26"), at("2026-12-20")),)
    found = dict(due("2026-11-24", residence="US-CA", requests="{serves: [GB, US-CA]}", pauses=pauses))
    assert found["ccpa.answer"] == "2027-01-08"
    assert found["uk.answer"] > "2027-01-08"


def test_the_earliest_clock_is_answered_by() -> None:
    asked = ClockInputs("request", "view", at("2026-11-24"), residence="US-CA")
    found = clocks(asked, declared(requests="{serves: [GB, US-CA]}"), now=at("2026-11-24"))
    assert found.first.on == min(one.on for one in found.answer)
    assert [one.on.isoformat() for one in found.acknowledge] == ["2026-12-09"]


def test_an_opt_out_of_a_californian_has_fifteen_business_days() -> None:
    found = dict(due("2026-11-24", right="object", residence="US-CA", requests="{serves: [US-CA]}"))
    assert found["ccpa.opt_out"] == "2026-12-16"


def test_a_complaint_is_acknowledged_within_thirty_days() -> None:
    asked = ClockInputs("complaint", "", at("2026-06-19"))
    found = clocks(asked, declared(), now=at("2026-06-19"))
    assert [(one.rule.partition("@")[0], one.on.isoformat()) for one in found.acknowledge] == [
        ("uk.acknowledge_complaint", "2026-07-19")
    ]


def test_a_question_is_answered_in_five_business_days() -> None:
    assert due("2026-11-25", kind="question", right="") == [("standards.answer_question", "2026-12-02")]


def test_an_appeal_is_answered_in_the_shortest_time_of_the_laws_that_know_one() -> None:
    texan = {"country": "US", "residence": "US-TX", "requests": "{serves: [US-TX]}"}
    assert due("2026-11-25", right="appeal", **texan) == [("standards.answer_appeal", "2027-01-09")]
    assert due("2026-11-25", right="appeal", is_extended=True, **texan) == [("standards.answer_appeal", "2027-03-10")]
    assert ("uk.answer", "2026-12-29") in due("2026-11-25", right="appeal")


def test_where_no_law_sets_a_period_a_month_is_promised() -> None:
    assert due("2026-11-25", country="US", residence="US-TX", requests="{serves: [US-TX]}")[0][1] == "2026-12-25"


def test_days_begin_where_the_controller_is() -> None:
    late = dt.datetime(2026, 11, 25, 23, 30, tzinfo=dt.UTC)
    berlin = clocks(ClockInputs("request", "view", late), declared("DE", requests="{serves: [DE]}"), now=late)
    london = clocks(ClockInputs("request", "view", late), declared("GB"), now=late)
    assert berlin.first.started == london.first.started
    assert str(zone_of(declared("DE").organisation)) == "Europe/Berlin"
    assert berlin.first.on == dt.date(2026, 12, 28), "in Berlin it was the 26th already, and the 26th is a Saturday"


@pytest.mark.parametrize(
    ("right", "tier"),
    [
        ("object", 0),
        ("withdraw", 0),
        ("view", 1),
        ("erase", 1),
        ("restrict", 1),
    ],
)
def test_the_lowest_proof_that_fits_is_asked_for(right: str, tier: int) -> None:
    assert tier_needed(declared(), right) == tier


def test_more_is_asked_for_where_the_risk_is_higher() -> None:
    assert tier_needed(declared(category="user.health_and_medical"), "view") == 2
    assert tier_needed(declared(), "view", residence="US-CA") == 3
    assert tier_needed(declared(requests="{verify: {erase: points}}"), "erase") == 2


def test_the_declaration_never_asks_for_less_than_the_law() -> None:
    assert tier_needed(declared(requests="{verify: {view: channel}}"), "view", residence="US-CA") == 3


def test_a_stranger_stops_marketing_and_nothing_else() -> None:
    assert tier_needed(declared(), "object", purposes=["news"]) == 0
    assert tier_needed(declared(), "object", purposes=["news", "order"]) == 1


def test_marketing_is_what_an_objection_stops() -> None:
    assert marketing(declared()) == ("news",)
