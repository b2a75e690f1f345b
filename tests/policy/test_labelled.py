"""Policies that others wrote and labelled: what is found in them does not become less."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from tests.scale import scaled
from tools import measure_policies, measure_rules

from troth.policy import read_file
from troth.policy.classify import understand

LABELLED = Path(__file__).parent / "labelled"


@pytest.mark.scaled
def test_the_linter_finds_what_reviewers_are_sure_of_and_little_else() -> None:
    total: Counter[str] = Counter()
    for review in sorted(LABELLED.glob("*.lint.json"))[scaled(2, 0) :: scaled(5, 1)]:
        total += measure_rules.measured(review, ("",), is_shown=False)
    assert total["hit"] / total["sure"] >= 0.92
    assert total["right"] / total["found"] >= 0.92


@pytest.fixture(scope="module")
def tallies() -> dict[str, measure_policies.Tally]:
    found: dict[str, measure_policies.Tally] = defaultdict(measure_policies.Tally)
    for labels in sorted(LABELLED.glob("*.labels.json"))[:: scaled(3, 1)]:
        [file] = [it for it in LABELLED.glob(f"{labels.name.removesuffix('.labels.json')}.*") if it.suffix != ".json"]
        understood = understand(read_file(file))
        measure_policies.measure(understood, json.loads(labels.read_text("utf-8")), found, None, file.name)
    return found


@pytest.mark.scaled
def test_promises_are_found_and_few_that_are_none(tallies: dict[str, measure_policies.Tally]) -> None:
    promises = tallies["promises"]
    assert promises.right / (promises.right + promises.missed) >= 0.96
    assert promises.right / (promises.right + promises.wrong) >= 0.9


@pytest.mark.scaled
@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("rights", 0.92),
        ("retention", 0.93),
        ("recipients", 0.92),
        ("collection", 0.9),
        ("purposes", 0.92),
        ("security", 0.92),
        ("contacts", 0.86),
        ("law", 0.61),
        ("practices", 0.93),
    ],
)
def test_what_else_sentences_and_paragraphs_say_is_found(
    tallies: dict[str, measure_policies.Tally], kind: str, least: float
) -> None:
    one = tallies[kind]
    assert 2 * one.right / (2 * one.right + one.wrong + one.missed) >= least
