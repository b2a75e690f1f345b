"""The record of processing: complete, from the declaration alone, and open about what is missing."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports.companies import example, small, without

from troth.reports import ProcessingRecord, RecordItem, as_csv, as_data, as_html, as_markdown, record_of

CONTROLLER = ["purposes", "basis", "subjects", "categories", "recipients", "transfers", "time_limits", "security"]
_EXAMPLE = example()


def line(record: ProcessingRecord, field: str, activity: int = 0) -> RecordItem:
    lines = {each.field: each for each in (*record.head, *record.activities[activity].lines)}
    return lines[field]


def test_a_controllers_record_has_every_letter_of_the_article() -> None:
    record = record_of(example(), "controller")
    letters = {each.cite[-2] for each in (*record.head, *record.activities[0].lines) if "30(1)" in each.cite}
    assert letters == set("abcdefg")
    assert all([each.field for each in activity.lines] == CONTROLLER for activity in record.activities)
    assert record.missing == ()


def test_a_processors_record_has_every_letter_and_each_controller() -> None:
    record = record_of(example(), "processor")
    lines = [each for activity in record.activities for each in activity.lines]
    assert {each.cite[-2] for each in (*record.head, *lines) if "30(2)" in each.cite} == set("abcd")
    assert [activity.title for activity in record.activities] == ["Example Tours Ltd", "Example Klinik GmbH"]
    assert record.missing == ()


def test_what_is_done_for_others_is_in_no_controllers_record() -> None:
    assert "transcription" not in {activity.id for activity in record_of(example(), "controller").activities}


def test_rows_stay_as_long_as_those_they_belong_to() -> None:
    said = line(record_of(small(), "controller"), "time_limits").says
    assert said == ("list.singer: 1 year from left_at", "list.absence: 1 year from left_at of list.singer")


@pytest.mark.parametrize(
    ("piece", "field", "path"),
    [
        ("    subjects: [singers]\n", "subjects", "purposes.singing.subjects"),
        ("retention:\n  singers: {table: list.singer, for: 1 year, from: left_at}\n", "time_limits", "retention"),
        ("security: [The list is encrypted.]\n", "security", "security"),
        ("    purposes: [singing]\n", "time_limits", "systems.NAME.purposes: [singing]"),
    ],
)
def test_what_is_missing_is_said_where_it_belongs(piece: str, field: str, path: str) -> None:
    record = record_of(without(piece), "controller")
    assert path in [gap.path for gap in line(record, field).missing]
    assert all(gap in record.missing for gap in line(record, field).missing)


def test_a_transfer_says_what_it_rests_on_or_that_nothing_does() -> None:
    post = "recipients: {post: {role: processor, country: US, receives: [user.contact.email], contract: c.pdf%s}}\n"
    safe = line(record_of(small(post % ", safeguard: uk_bridge"), "controller"), "transfers")
    bare = line(record_of(small(post % ""), "controller"), "transfers")
    assert safe.says == ("the United States (post), on the UK-US data bridge, UK GDPR Art. 45",)
    assert not safe.missing
    assert [gap.path for gap in bare.missing] == ["recipients.post.safeguard"]


POST = "recipients: {post: {role: processor, country: US, receives: [user.contact.email], contract: c.pdf%s}}\n"
AMERICAN = {"country: GB": "country: US"}


def test_a_company_abroad_transfers_what_it_gives_to_others_abroad() -> None:
    record = record_of(small(POST % "" + "requests: {serves: [US, DE]}\n", **AMERICAN), "controller")
    transfers = line(record, "transfers")
    assert transfers.says == (
        "the United States (post)",
        "the United States (the system list), where we are established",
    )
    assert [gap.path for gap in transfers.missing] == ["recipients.post.safeguard"]
    assert "scope" not in [each.field for each in record.head]


def test_where_the_gdpr_is_not_declared_to_apply_the_record_says_so_and_asks_for_no_safeguard() -> None:
    record = record_of(small(POST % "" + "requests: {serves: [US, US-CA]}\n", **AMERICAN), "controller")
    assert "not declared to apply" in line(record, "scope").says[0]
    assert "the United States (post)" in line(record, "transfers").says
    assert record.missing == ()
    assert "needed where the GDPR is not declared to apply" in line(record, "representative").says[0]


def test_who_is_abroad_and_serves_both_names_a_representative_in_each() -> None:
    record = record_of(small("requests: {serves: [GB, DE]}\n", **AMERICAN), "controller")
    assert "in the United Kingdom and the European Union" in line(record, "representative").missing[0].what


def test_compelling_interests_need_their_assessment() -> None:
    post = "recipients: {p: {role: controller, country: US, receives: [user], safeguard: compelling_interests%s}}\n"
    bare, done = (
        line(record_of(small(post % assessed), "controller"), "transfers") for assessed in ("", ", assessed: t.pdf")
    )
    assert [gap.path for gap in bare.missing] == ["recipients.p.assessed"]
    assert done.says[0].endswith("assessed in t.pdf")
    assert not done.missing


def test_who_serves_people_where_they_are_not_needs_a_representative() -> None:
    abroad = record_of(small("requests: {serves: [DE]}\n"), "controller")
    assert [gap.path for gap in abroad.missing] == ["organisation.representative"]
    assert record_of(small("requests: {serves: [GB, US-CA]}\n"), "controller").missing == ()


def test_what_is_done_for_nobody_named_is_missing_its_controller() -> None:
    record = record_of(small(**{"basis: contract": "role: processor, basis: contract"}), "processor")
    assert [gap.path for gap in record.missing] == ["controllers"]


def test_every_form_holds_every_word_of_the_record() -> None:
    record = record_of(example(), "controller")
    page, table, data = as_html(record), as_csv(record), json.dumps(as_data(record), ensure_ascii=False)
    said = [each for activity in record.activities for one in activity.lines for each in one.says]
    assert len(said) > 100
    for form in (page, table, data, as_markdown(record)):
        assert not [each for each in said if each not in form]


def test_a_table_is_never_computed_by_a_spreadsheet() -> None:
    record = record_of(small(**{"To sing together": "=1+1"}), "controller")
    rows = list(csv.reader(io.StringIO(as_csv(record))))
    assert "'=1+1" in rows[1]
    assert len(rows) == 2


@given(st.text(max_size=40).filter(lambda text: text.strip() and "${" not in text))
def test_no_text_of_the_declaration_becomes_markup(text: str) -> None:
    purpose = _EXAMPLE.purposes["account"].model_copy(update={"title": f"<b>{text}</b>"})
    purposes = {**_EXAMPLE.purposes, "account": purpose}
    record = record_of(_EXAMPLE.model_copy(update={"purposes": purposes}), "controller")
    assert "<b><" not in as_html(record)
    assert "<b>" not in as_html(record).replace("<b>Missing:</b>", "")
    assert "\n<b" not in as_markdown(record)
