"""What the model makes of the file: short forms and long ones, and a hash of the meaning."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError
from tests.tables import each_row

from troth.declaration import Cookie, Declaration, Erasure, Period, Promise, Table, parse

Declared = Callable[[str], Declaration]
TEXT = """\
troth: 1
organisation: {name: E, country: GB, address: a, email: a@example.org}
policy: {file: p.md, effective: 2026-11-01}
systems: {shop: {store: task, tables: {customer: {key: id, fields: {a: user.name, b: user.contact}, erase: delete}}}}
promises:
- {quote: one, owner: ann@example.org}
- {quote: two, owner: ben@example.org}
"""


def as_table(**keys: Any) -> Table:
    return Table.model_validate(keys)


@each_row(
    ("short", "long"),
    [
        ({"key": "id"}, {"key": ["id"]}),
        ({"identity": {"email": "mail"}}, {"identity": {"email": {"column": "mail"}}}),
        ({"fields": {"a": "user.name"}}, {"fields": {"a": {"category": "user.name"}}}),
        ({"erase": "delete"}, {"erase": {"rows": "delete"}}),
        ({"erase": {"a": "mask", "b": None}}, {"erase": {"rows": "keep", "fields": {"a": "mask", "b": "null"}}}),
        ({"belongs_to": {"c": "t.id"}}, {"belongs_to": {"c": {"columns": ["c"], "table": "t", "to": ["id"]}}}),
        ({"belongs_to": {"c": {"table": "t", "to": ["id"]}}}, {"belongs_to": {"c": "t.id"}}),
        (
            {"refers_to": {"a, b": "s.t.(x, y)"}},
            {"refers_to": {"a, b": {"columns": ["a", "b"], "system": "s", "table": "t", "to": ["x", "y"]}}},
        ),
    ],
)
def test_a_short_form_means_the_same_as_the_long_one(short: dict[str, Any], long: dict[str, Any]) -> None:
    assert as_table(**short) == as_table(**long)


def test_a_reference_to_a_table_in_a_schema_of_the_same_system_needs_no_long_form(declared: Declared) -> None:
    system = declared(
        "systems: {shop: {store: task, tables: {billing.invoice: {}, line: {belongs_to: {i: billing.invoice.id, "
        "o: crm.agent.id, p: billing.payment.id}}}}}"
    ).systems["shop"]
    links = system.tables["line"].belongs_to

    assert (links["i"].system, links["i"].table, links["i"].to) == (None, "billing.invoice", ("id",))
    assert (links["o"].system, links["o"].table) == ("crm", "agent")
    assert (links["p"].system, links["p"].table) == ("billing", "payment")


def test_columns_called_rows_and_fields_can_be_erased() -> None:
    erased = Erasure.model_validate({"rows": "mask", "fields": "mask"})
    assert (erased.rows, list(erased.fields)) == ("keep", ["rows", "fields"])
    assert Erasure.model_validate({"fields": {"fields": "null"}}).fields == {"fields": "null"}


@pytest.mark.parametrize(
    ("text", "count", "unit"), [("90 days", 90, "day"), ("1 year", 1, "year"), (" 0  weeks ", 0, "week")]
)
def test_a_period_is_a_number_and_a_unit(text: str, count: int, unit: str) -> None:
    period = Period.model_validate(text)
    assert (period.count, period.unit) == (count, unit)
    assert Period.model_validate(str(period)) == period


@each_row("text", ["90", "days", "-1 days", "1.5 years", "90 days ago", "٣ days", "1 fortnight", ""])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="a period must be a number and"):
        Period.model_validate(text)


def test_a_cookie_lives_for_the_session_or_a_period() -> None:
    assert Cookie(purpose="necessary", lifetime="session").period is None
    assert Cookie(purpose="necessary", lifetime="30 days").period == Period(count=30, unit="day")
    with pytest.raises(ValueError, match="a period must be"):
        _ = Cookie(purpose="necessary", lifetime="long").period


@pytest.mark.parametrize(
    "value", [20261101, "20261101", "2026-11-01T10:00:00", 1.5, dt.datetime(2026, 11, 1, tzinfo=dt.UTC), "2026-02-30"]
)
def test_only_a_day_is_a_date(value: object) -> None:
    raw = {"file": "p.md", "effective": value}
    with pytest.raises(ValidationError, match="date"):
        Declaration.model_fields["policy"].annotation.model_validate(raw)  # type: ignore[union-attr]


def test_nothing_changes_once_it_is_built() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        parse(TEXT).troth = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "same",
    [
        TEXT.replace("{a: user.name, b: user.contact}", "{b: user.contact, a: user.name}"),
        TEXT.replace("{a: user.name,", "{a: {category: user.name, sealed: false},"),
        TEXT.replace("erase: delete", "erase: {rows: delete}").replace("key: id", "key: [id]"),
        "# a comment\n" + TEXT.replace("\n", "  # another\n"),
        TEXT.replace("- {quote: one, owner: ann@example.org}\n", "") + "- {quote: one, owner: ann@example.org}\n",
        TEXT + "limits: {people: 1}\ncookies: {}\n",
    ],
)
def test_the_hash_does_not_depend_on_the_writing(same: str) -> None:
    assert parse(same).hash == parse(TEXT).hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("user.name", "user.job_title"),
        ("a: user.name", "a: {category: user.name, sealed: true}"),
        ("a: user.name", "a: {category: user.name, sealed: deterministic}"),
        ("erase: delete", "erase: {a: mask}"),
        ("quote: one", "quote: One"),
        ("E,", "F,"),
    ],
)
def test_the_hash_depends_on_the_meaning(old: str, new: str) -> None:
    changed = parse(TEXT.replace(old, new, 1)).hash
    assert changed != parse(TEXT).hash
    assert len(changed) == len("sha256:") + 64


def test_a_changed_copy_has_a_hash_of_its_own() -> None:
    first = parse(TEXT)
    before = first.hash
    policy = first.policy.model_copy(update={"file": "other.md"})
    assert first.model_copy(update={"policy": policy}).hash != before == first.hash


def test_the_hash_stays_what_it_is_from_release_to_release() -> None:
    assert parse(TEXT).hash == "sha256:363e137504623a92019a2b8316d6833c2522259518aa6f68b3e11ec012c6924d"


def test_a_declaration_can_be_built_from_values_alone() -> None:
    values = parse(TEXT).model_dump(mode="json", by_alias=True)
    assert Declaration.model_validate(values) == parse(TEXT)
    assert Declaration.model_validate(values).hash == parse(TEXT).hash


@each_row("empty", ["", "   ", ".", "\u200b", "\u3164"])
@each_row("key", ["owner", "quote", "attest.by", "attest.says", "waive.reason", "waive.approver"])
def test_words_that_say_nothing_count_for_nothing(key: str, empty: str) -> None:
    told: dict[str, Any] = {
        "quote": "We keep our word.",
        "owner": "ann@example.org",
        "attest": {"by": "ben@example.org", "says": "We lock it.", "on": "2026-11-01", "until": "2027-11-01"},
        "waive": {"reason": "moving house", "approver": "chloe@example.org", "until": "2027-01-01"},
    }
    Promise.model_validate(told)
    part, _, name = key.rpartition(".")
    (told[part] if part else told)[name] = empty
    with pytest.raises(ValidationError, match="the text is empty"):
        Promise.model_validate(told)
