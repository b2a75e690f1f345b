"""``troth.yaml`` against everything it speaks of: the law of the format, the policy, the tables, the forms."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from troth import policy
from troth.declaration import Declaration, check, load
from troth.policy.bind import plan_binding


@pytest.fixture(scope="module")
def declaration(folder: Path) -> Declaration:
    return load(folder / "troth.yaml")


def _words(policy: Path) -> str:
    html = MarkdownIt("commonmark").enable("table").render(policy.read_text(encoding="utf-8"))
    return " ".join((LexborHTMLParser(html).root or pytest.fail("empty")).text().split())


def test_it_loads_with_the_addresses_that_the_generator_prints(laid: Any, folder: Path) -> None:
    assert set(load(folder / "troth.yaml", environ=laid.environment()).systems) == {*laid.databases, "transcripts"}


def test_nothing_is_wrong_with_it(declaration: Declaration) -> None:
    assert list(check(declaration)) == []


def test_each_quote_stands_in_the_policy_once(declaration: Declaration, folder: Path) -> None:
    words = _words(folder / "policy.md")
    counted = {
        promise.quote: words.count(" ".join(promise.quote.replace(" | ", " ").split()))
        for promise in declaration.promises
    }
    assert [quote for quote, times in counted.items() if times != 1] == []


def test_the_policy_is_read_as_the_promises_quote_it(declaration: Declaration) -> None:
    assert list(policy.check(declaration)) == []


def test_every_promise_of_the_policy_is_bound_or_said_to_be_none(declaration: Declaration, folder: Path) -> None:
    plan = plan_binding(policy.understand(policy.read_file(folder / "policy.md")), declaration)
    assert [proposal.quote for proposal in plan.proposals] == []
    assert plan.astray == ()
    assert len(plan.bound) == len(declaration.promises)
    assert plan.left == len(declaration.policy.not_promises)


def test_most_promises_are_checked_and_no_promise_is_open(declaration: Declaration) -> None:
    checked = [promise for promise in declaration.promises if promise.controls]
    assert len(checked) > 0.7 * len(declaration.promises)
    assert [promise.quote for promise in declaration.promises if not promise.controls and not promise.attest] == []


def test_who_attests_something_is_a_role_and_says_what_they_did(declaration: Declaration) -> None:
    roles = {"dpo", "management", "engineering", "operations", "marketing"}
    said = [promise.attest for promise in declaration.promises if promise.attest]
    assert {word.by for word in said} <= {f"{role}@example.org" for role in roles}
    assert len({word.says for word in said}) == len(said)


def test_every_table_and_column_is_declared_and_there(declaration: Declaration, laid: Any) -> None:
    for system, metadata in import_module("example_voice.systems").DATABASES.items():
        tables = declaration.systems[system].tables
        assert set(tables) == set(metadata.tables)
        for name, table in metadata.tables.items():
            assert _declared(tables[name]) == set(table.columns.keys()), f"{system}.{name}"


def test_every_field_of_a_turn_is_declared(declaration: Declaration, laid: Any) -> None:
    turn = json.loads(next(laid.transcripts.rglob("*.jsonl")).read_text().splitlines()[0])
    assert _declared(declaration.systems["transcripts"].tables["calls"]) == set(turn)


def _declared(table: Any) -> set[str]:
    links = (*table.belongs_to.values(), *table.refers_to.values())
    named = {column for link in links for column in link.columns}
    people = {found.column for found in (*table.identity.values(), *table.mentions.values())}
    people |= {mark.column for mark in table.marks.values()} | ({table.notice} if table.notice else set())
    return named | people | set(table.fields) | set(table.ignore) | set(table.key or ()) | _kept_from(table)


def _kept_from(table: Any) -> set[str]:
    return {table.keep.from_} if table.keep is not None else set()


def test_the_forms_ask_for_the_declared_fields_and_no_others(declaration: Declaration) -> None:
    forms = import_module("example_voice.web.forms").FORMS
    asked = {form.name: {q.name: "required" if q.required else "optional" for q in form.fields} for form in forms}
    points = declaration.collection_points
    assert asked == {name: {key: f.need for key, f in point.fields.items()} for name, point in points.items()}
    assert {form.name: form.path for form in forms} == {name: point.page for name, point in points.items()}


def test_the_policy_is_of_the_day_that_records_carry(declaration: Declaration, folder: Path) -> None:
    assert str(declaration.policy.effective) == import_module("example_voice.web.records").NOTICE
    assert "In force since 1 November 2026" in _words(folder / "policy.md")
