"""Names of people, places and organisations are found by the model that ships with the package."""

from __future__ import annotations

import pytest

from troth.detect.names import Names
from troth.detect.text import Text

NAMES = Names()


def found(text: str) -> set[tuple[str, str]]:
    return {(text[it.start : it.end], it.type) for it in NAMES.find(Text(text))}


@pytest.mark.parametrize(
    "text",
    ["My name is Ann and I live in Paris.", "my name is ann and i live in paris", "MY NAME IS ANN. I LIVE IN PARIS"],
)
def test_names_are_found_in_any_case(text: str) -> None:
    assert {(it.lower(), type_) for it, type_ in found(text)} == {("ann", "PERSON"), ("paris", "LOCATION")}


def test_a_text_without_names_has_none() -> None:
    assert found("The build failed again: see the log for the third test.") == set()


def test_an_empty_text_has_no_names() -> None:
    assert found("") == set()
