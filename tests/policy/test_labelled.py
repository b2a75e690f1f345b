"""Policies that others wrote and labelled: what is found in them does not become less."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

from tools import measure_policies, measure_rules

from troth.policy import read_file
from troth.policy.clauses import understand

LABELLED = Path(__file__).parent / "labelled"


def test_the_linter_finds_what_reviewers_are_sure_of_and_little_else() -> None:
    total: Counter[str] = Counter()
    for review in sorted(LABELLED.glob("*.lint.json")):
        total += measure_rules.measured(review, ("",), is_shown=False)
    assert total["hit"] / total["sure"] >= 0.92
    assert total["right"] / total["found"] >= 0.94


def test_promises_and_practices_are_found_and_few_that_are_none() -> None:
    tallies: dict[str, measure_policies.Tally] = defaultdict(measure_policies.Tally)
    for labels in sorted(LABELLED.glob("*.labels.json")):
        [file] = [it for it in LABELLED.glob(f"{labels.name.removesuffix('.labels.json')}.*") if it.suffix != ".json"]
        understood = understand(read_file(file))
        measure_policies.measure(understood, json.loads(labels.read_text("utf-8")), tallies, None, file.name)
    promises, practices = tallies["promises"], tallies["practices"]
    assert promises.right / (promises.right + promises.missed) >= 0.93
    assert promises.right / (promises.right + promises.wrong) >= 0.87
    assert 2 * practices.right / (2 * practices.right + practices.wrong + practices.missed) >= 0.75
