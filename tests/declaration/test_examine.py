"""A faulty declaration: what is sound in it is checked all the same, and no mistake is told twice."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.declaration.conftest import HEAD
from tests.declaration.test_load import KEYS, YAML_VALUES

from troth.declaration import check, examine, load

SAMPLE = Path(__file__).parent / "sample.yaml"
NOW = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
SHOP = """\
purposes: {p: {basis: contract, use: essential.service, data: [user]}}
systems:
  shop:
    store: task
    tables:
      customer: {identity: {email: email}, fields: {email: user.contact.email, name: user.name}, erase: delete}
      order: {belongs_to: {customer_id: customer.id}, fields: {address: user.contact.address}, erase: {address: mask}}
"""


def codes(folder: Path, text: str, head: str = HEAD) -> list[str]:
    file = folder / "troth.yaml"
    file.write_text(head + text, "utf-8")
    return [problem.code for problem in examine(file, now=NOW)[1]]


def test_a_sound_file_is_loaded_and_checked() -> None:
    declaration, problems = examine(SAMPLE, now=NOW)
    assert declaration == load(SAMPLE)
    assert list(problems) == check(load(SAMPLE), now=NOW) == []


def test_every_kind_of_mistake_is_told_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "troth.yaml"
    text = SHOP.replace("identity:", "identitty:").replace("user.name", "user.name.frist")
    file.write_text(HEAD + text.replace("customer.id", "custmer.id").replace("delete", "deleet"), "utf-8")
    declaration, problems = examine(file, now=NOW)
    assert declaration is None
    assert [(problem.code, problem.where and problem.where.line) for problem in problems] == [
        ("key-unknown", 9),
        ("category-unknown", 9),
        ("value-type", 9),
        ("reference-table", 10),
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("    tables:", "    tabels:", ["key-unknown"]),
        ("systems:", "sistems:", ["key-unknown"]),
        ("purposes:", "purposses:", ["key-unknown"]),
        ("basis: contract", "basis: contrakt", ["value-choice"]),
        ("data: [user]", "data: user", ["value-type"]),
        ("    store: task\n", "", ["key-missing"]),
        ("    store: task", "    store: postgresql://ann:hunter2@db/shop", ["secret-literal"]),
        ("erase: delete", "erasse: delete", ["key-unknown"]),
        ("erase: {address: mask}", "erase: {address: maks}", ["value-choice"]),
        ("fields: {address", "feilds: {address", ["key-unknown"]),
        ("address: user.contact.address", "address: [user]", ["value-type"]),
        ("belongs_to: {customer_id: customer.id}", "belongs_to: {customer_id: customer}", ["value-form"]),
        ("customer: {identity", "customer: x\n      other: {identity", ["value-type"]),
        ("fields: {email", "fields: {email: user.name, email", ["yaml-duplicate-key"]),
    ],
)
def test_what_was_taken_out_is_not_missed(tmp_path: Path, old: str, new: str, told: list[str]) -> None:
    assert old in SHOP
    assert codes(tmp_path, SHOP.replace(old, new, 1)) == told


@pytest.mark.parametrize("head", ["troth: 1\n", HEAD.replace("country: GB", "country: Wales"), "troth: 2\n" + HEAD[9:]])
def test_a_faulty_beginning_hides_nothing_below(tmp_path: Path, head: str) -> None:
    text = SHOP.replace("user.name", "user.name.frist").replace("customer.id", "custmer.id")
    assert codes(tmp_path, text, head)[-2:] == ["category-unknown", "reference-table"]


def test_promises_keep_their_places(tmp_path: Path) -> None:
    file = tmp_path / "troth.yaml"
    one, two = "{quote: q, severity: hihg}", "{quote: r, owner: ann@example.org, about: [shopp]}"
    file.write_text(f"{HEAD}{SHOP}promises:\n- {one}\n- {two}\n- {two}\n", "utf-8")
    found = {(problem.code, problem.path) for problem in examine(file, now=NOW)[1]}
    assert found == {
        ("key-missing", "promises.0.owner"),
        ("value-choice", "promises.0.severity"),
        ("promise-about", "promises.1.about"),
        ("promise-about", "promises.2.about"),
        ("quote-twice", "promises.2.quote"),
    }


def test_a_file_that_cannot_be_read_is_refused_for_that_alone(tmp_path: Path) -> None:
    assert codes(tmp_path, SHOP + "include: [none.yaml]\n") == ["include-nothing"]
    assert codes(tmp_path, SHOP + "x: [\n") == ["yaml-syntax"]
    assert codes(tmp_path, "", head="") == ["file-empty"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KEYS, YAML_VALUES, max_size=5))
def test_no_shape_stops_the_look(tmp_path: Path, values: dict[str, Any]) -> None:
    file = tmp_path / "troth.yaml"
    file.write_text(json.dumps({"troth": 1, **values}), "utf-8")
    declaration, problems = examine(file, now=NOW)
    assert declaration is not None or problems
