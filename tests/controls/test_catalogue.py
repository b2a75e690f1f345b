"""The catalogue is complete, strict, and kind to those who mistype."""

import datetime as dt

import pytest
from tests.tables import each_row

from troth.controls import CatalogueError, UnknownControl, catalogue, control
from troth.controls.catalogue import parse_catalogue
from troth.declaration import Audience

ROW = """
["stores.schema_declared"]
version = 2
question = "Is it declared?"
citation = "GDPR Art. 30"
clauses = ["C02"]
principles = ["oecd.openness"]
every = "1 hour"
fresh_for = "2 days"
remedy = "Declare it."
cannot_see = "The rest."
looks_at = "every table"
whole = ["table"]
audience = "auditor"
severity = "low"
failures_to_break = 3
"""


def test_every_key_of_a_row_arrives() -> None:
    row = parse_catalogue(ROW)["stores.schema_declared"]

    assert (row.version, row.severity, row.failures_to_break) == (2, "low", 3)
    assert (row.every, row.fresh_for) == (dt.timedelta(hours=1), dt.timedelta(days=2))
    assert (row.audience, row.clauses) == (Audience.AUDITOR, ("C02",))
    assert row.principles == ("oecd.openness",)
    assert (row.looks_at, row.whole) == ("every table", ("table",))


@pytest.mark.parametrize("id_", ["stores.principals_counted", "stores.transport_encrypted", "protect.keys_current"])
def test_network_and_key_controls_stay_with_staff(id_: str) -> None:
    assert control(id_).audience is Audience.STAFF


def test_a_pass_outlives_the_wait_for_the_next_check() -> None:
    assert all(row.fresh_for > row.every for row in catalogue().values())


def test_a_mistyped_id_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownControl, match=r"did you mean 'stores.schema_declared'\?"):
        control("stores.schema_declarred")


def test_an_id_like_no_other_gets_no_suggestion() -> None:
    with pytest.raises(UnknownControl, match=r"^there is no control 'zzz'$"):
        control("zzz")


@each_row(
    ("right", "wrong", "message"),
    [
        ("version = 2", "version = 0", "whole number"),
        ("version = 2", "version = true", "whole number"),
        ('whole = ["table"]', "whole = true", "not false or a list"),
        ('whole = ["table"]', 'whole = ["-table"]', "not false or a list"),
        ('question = "Is it declared?"', 'question = "It is declared."', "ends with"),
        ('question = "Is it declared?"', "", "missing or unknown: question"),
        ('severity = "low"', 'severity = "low"\nsevrity = "low"', "missing or unknown: sevrity"),
        ('severity = "low"', 'severity = "lowish"', "not a severity"),
        ('audience = "auditor"', 'audience = "everyone"', "everyone"),
        ('every = "1 hour"', 'every = "hourly"', "not a duration"),
        ('every = "1 hour"', 'every = "3 days"', "longer than every"),
        ('clauses = ["C02"]', 'clauses = ["two"]', "list of clauses"),
        ('principles = ["oecd.openness"]', 'principles = ["oecd.closeness"]', "list of principles"),
        ('every = "1 hour"', 'every = "1 hour"\non = "case.closed"', "missing or unknown: on"),
        ('["stores.schema_declared"]', '["Stores"]', "not a control id"),
        ('["stores.schema_declared"]', "[", "not TOML"),
    ],
)
def test_a_faulty_row_is_refused_with_its_fault(right: str, wrong: str, message: str) -> None:
    assert right in ROW
    with pytest.raises(CatalogueError, match=message):
        parse_catalogue(ROW.replace(right, wrong))


def test_the_same_control_twice_is_refused() -> None:
    with pytest.raises(CatalogueError, match="not TOML"):
        parse_catalogue(ROW + ROW)


@each_row(
    ("ids", "limit"),
    [
        (
            [
                "site.cookies_declared",
                "site.links_alive",
                "site.nothing_stored_before_choice",
                "site.policy_conspicuous",
            ],
            "answers our checks differently",
        ),
        (
            ["site.policy_published", "site.signal_honoured", "site.transport_encrypted"],
            "answers our checks differently",
        ),
        (["collection.only_declared_fields", "disclosures.only_to_recipients"], "answers our checks differently"),
        (["staff.ceiling", "staff.mfa"], "the company's own applications"),
        (["staff.ceiling", "staff.mfa"], "data that can be read without any account"),
        (["requests.every_right_offered"], "asked for a fee"),
        (["requests.answered_in_time"], "extension was announced"),
        (["retention.nothing_overdue"], "an account that was closed; rows that were deleted too early"),
        (["retention.nothing_overdue"], "the same data in another table with a longer period"),
        (["retention.nothing_overdue"], "whether the law that is cited for keeping rows asks for it"),
        (["retention.nothing_overdue"], "by a program that sets them again"),
        (["stores.schema_declared"], "listed under `ignore` is personal"),
        (["detect.no_undeclared_personal_data"], "texts under `ignore`"),
        (
            ["protect.keys_current"],
            "values of the company's own databases that are still encrypted with older keys",
        ),
    ],
)
def test_a_limit_that_breaches_have_shown_is_said(ids: list[str], limit: str) -> None:
    assert [id_ for id_ in ids if limit not in catalogue()[id_].cannot_see] == []
