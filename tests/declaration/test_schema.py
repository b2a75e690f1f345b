"""The schema that editors use: it takes what the loader takes, short and long, and says no where it can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from troth.declaration import json_schema, parse
from troth.declaration.yaml_reader import read

SAMPLE = Path(__file__).parent / "sample.yaml"


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


def values() -> Any:
    return read(SAMPLE.read_bytes(), file=SAMPLE).values


def test_the_schema_accepts_a_real_declaration_in_its_short_forms(validator: Any) -> None:
    assert [error.message for error in validator.iter_errors(values())] == []


def test_the_schema_accepts_the_same_in_its_long_forms(validator: Any) -> None:
    long = parse(SAMPLE.read_bytes()).model_dump(mode="json", by_alias=True)
    assert [error.message for error in validator.iter_errors(long)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sistems", {}),
        ("systems.shop.tables.customer.feilds", {}),
        ("systems.shop.tables.customer.erase", "remove"),
        ("systems.shop.tables.customer.erase", {"email": "maks"}),
        ("systems.shop.tables.customer.identity", {"emial": "email"}),
        ("systems.shop.tables.order.keep.for", "6 yrs"),
        ("purposes.fulfil_order.basis", "consnet"),
        ("recipients.newsletter.country", "Ireland"),
        ("include", {"a": "b"}),
    ],
)
def test_the_schema_refuses_a_broken_declaration(validator: Any, path: str, value: object) -> None:
    broken = values()
    *around, last = path.split(".")
    at = broken
    for key in around:
        at = at[key]
    at[last] = value
    assert not validator.is_valid(broken)


def test_an_included_file_states_only_a_part(validator: Any) -> None:
    assert validator.is_valid({"systems": {"payroll": {"store": "task"}}})


def test_an_editor_can_show_what_a_key_means() -> None:
    schema = json_schema()
    assert schema["$id"] == "urn:troth:declaration:1"
    assert "ISO 3166-1" in schema["$defs"]["Organisation"]["properties"]["country"]["description"]
    assert "user.contact.email" in schema["$defs"]["FieldUse"]["properties"]["category"]["examples"]
