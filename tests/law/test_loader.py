"""A rule set that cannot be trusted is not read, and the message says where and how to fix it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from tests.tables import each_row

from troth.law import BadRuleSet, Clock, ClockEvent, LawError, Regime, Roll, Unit, read_regime

HEAD = """
id = "example"
name = "Example Act"
law = "Example Act 2020"
jurisdiction = "GB"
applies_from = 2020-01-01
reviewed = 2026-11-24
"""
DUTY = """
[[obligation]]
id = "answer"
what = "Answer."
cite = "s.1"
checked = "read"
"""
CLOCK = """
[obligation.clock]
number = 1
unit = "calendar month"
starts = ["received"]
"""
REACH = """
[[reach]]
established = ["GB"]
because = "the company is in {established}"
cite = "s.2"
"""


def read(text: str) -> Regime:
    return read_regime(text, file="example.toml", territories=["EEA"])


def test_a_whole_rule_set() -> None:
    found = read(HEAD + REACH + DUTY + CLOCK + "[obligation.figures]\nshare = 0.30\n")
    duty = found.obligations[0]
    assert (duty.id, str(duty.citation)) == ("example.answer", "Example Act 2020 s.1")
    assert (dt.date(2020, 1, 1), None) == (duty.applies_from, duty.applies_to)
    assert Clock(1, Unit.MONTH, (ClockEvent.RECEIVED,)) == duty.clock
    assert {"share": Decimal("0.30")} == duty.figures


REFUSED = {
    "unknown key": (HEAD + 'jurisdicton = "x"', "jurisdicton: is no known key; did you mean 'jurisdiction'"),
    "unknown key of a duty": (HEAD + DUTY + "from = 2020-01-01", "obligation answer.from: is no known key"),
    "unknown key of a clock": (HEAD + DUTY + CLOCK + "pauseable = true", "clock.pauseable.*did you mean 'pausable'"),
    "missing": (HEAD.replace('name = "Example Act"', ""), "name: is missing"),
    "empty": (HEAD.replace("Example Act 2020", ""), "law: is empty"),
    "not TOML": (HEAD + "=", "example.toml: is not TOML"),
    "impossible date": (HEAD.replace("2020-01-01", "2020-02-30"), "is not TOML"),
    "date as a text": (HEAD.replace("2020-01-01", '"2020-01-01"'), "applies_from: must be a date such as"),
    "date with a time": (HEAD.replace("2020-01-01", "2020-01-01T10:00:00"), "applies_from: must be a date"),
    "other name than the file": (HEAD.replace('"example"', '"sample"'), "must be called sample.toml"),
    "bad id": (HEAD.replace('"example"', '"../x"'), "id: .* must be lower-case"),
    "no first day": (HEAD.replace("applies_from = 2020-01-01", ""), "applies_from: is missing; only a pending"),
    "pending with a day": (HEAD + "pending = true", "a pending regime has no dates"),
    "pending as a number": (HEAD + "pending = 1", "pending: must be true or false, not a whole number"),
    "ends before it starts": (HEAD + "applies_to = 2019-12-31", "applies_to: 2019-12-31 is before applies_from"),
    "duty before its law": (HEAD + DUTY + "applies_from = 2019-01-01", "answer.applies_from: 2019-01-01 is before the"),
    "duty after its law": (
        HEAD + "applies_to = 2024-12-31" + DUTY + "applies_to = 2025-01-01",
        "answer.applies_to: 2025-01-01 is after the regime's own",
    ),
    "duty that starts after its law": (
        HEAD + "applies_to = 2024-12-31" + DUTY + "applies_from = 2025-01-01",
        "answer.applies_to: 2024-12-31 is before applies_from",
    ),
    "two wordings": (HEAD + DUTY + DUTY, "obligation answer: has two wordings on 2020-01-01"),
    "wordings that share a day": (
        HEAD + DUTY + "applies_to = 2022-01-01" + DUTY + "applies_from = 2022-01-01",
        "two wordings on 2022-01-01",
    ),
    "unknown word": (HEAD + DUTY.replace('"read"', '"raed"'), "checked: 'raed' is none of .*did you mean 'read'"),
    "unknown unit": (HEAD + DUTY + CLOCK.replace("calendar month", "month"), "unit: 'month' is none of"),
    "unknown event": (HEAD + DUTY + CLOCK.replace('"received"', '"recieved"'), "did you mean 'received'"),
    "no event": (HEAD + DUTY + CLOCK.replace('["received"]', "[]"), "clock.starts: is empty"),
    "zero": (HEAD + DUTY + CLOCK.replace("number = 1", "number = 0"), "clock.number: must be 1 or more"),
    "true for one": (HEAD + DUTY + CLOCK.replace("number = 1", "number = true"), "must be a whole number, not true"),
    "negative extension": (HEAD + DUTY + CLOCK + "extension = -1", "clock.extension: must be 1 or more"),
    "rolling hours": (
        HEAD + DUTY + CLOCK.replace("calendar month", "clock hour") + 'roll = "next working day"',
        "obligation answer.clock: a clock of clock hours does not roll",
    ),
    "pausing business days": (
        HEAD + DUTY + CLOCK.replace("calendar month", "business day") + "pausable = true",
        "a clock of business days does not pause",
    ),
    "figure of the wrong kind": (HEAD + DUTY + "figures = { on = true }", "figures.on: must be a number or a text"),
    "reach of anyone": (HEAD + REACH.replace('established = ["GB"]', "").replace("{established}", "x"), "at least one"),
    "reach to nowhere": (HEAD + REACH.replace('"GB"', '"EAA"'), "'EAA' is no place .*did you mean 'EEA'"),
    "reach with a stray word": (HEAD + REACH.replace("{established}", "{country}"), "{country} is none of"),
    "reach with an empty slot": (HEAD + REACH.replace("{established}", "{residence}"), "has no residence"),
    "reach with a loose brace": (HEAD + REACH.replace("{established}", "{"), "unbalanced"),
    "unknown jurisdiction": (HEAD.replace('"GB"', '"Britain"'), "jurisdiction: 'Britain' is no place"),
    "one table for many": (HEAD + 'obligation = ["answer"]', r"must be written as \[\[obligation\]\]"),
}


@each_row("case", REFUSED)
def test_refused(case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(BadRuleSet, match=message) as refusal:
        read(text)
    assert str(refusal.value).startswith("example.toml: ")


def test_wordings_may_follow_one_another_in_any_order() -> None:
    later = DUTY + "applies_from = 2022-01-02\n"
    earlier = DUTY + "applies_to = 2022-01-01\n"
    assert len(read(HEAD + later + earlier).obligations) == 2


def test_a_duty_of_a_pending_law_has_no_dates() -> None:
    pending = HEAD.replace("applies_from = 2020-01-01", "pending = true")
    assert read(pending + DUTY).obligations[0].applies_from is None
    with pytest.raises(BadRuleSet, match="a pending regime has no dates"):
        read(pending + DUTY + "applies_from = 2027-01-01")


def test_a_clock_that_cannot_run_is_not_built() -> None:
    with pytest.raises(LawError, match="event that starts it"):
        Clock(1, Unit.DAY, ())
    with pytest.raises(LawError, match="does not roll"):
        Clock(72, Unit.HOUR, (ClockEvent.AWARE,), roll=Roll.NEXT_WORKING_DAY)
