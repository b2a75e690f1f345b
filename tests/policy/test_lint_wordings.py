"""Each rule hears its fault in the words of different people, and not what only stands near it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.policy.linting import TODAY

from troth.policy import read
from troth.policy.lint import lint

FILES = sorted((Path(__file__).parent / "wordings").glob("*.toml"))
WORDINGS = {rule: row for file in FILES for rule, row in tomllib.loads(file.read_text("utf-8")).items()}


def fires(rule: str, text: str) -> bool:
    report = lint(read(text, kind="markdown"), as_of=TODAY, regimes=("gdpr", "uk", "ca", "us"))
    return any(finding.of == rule for finding in report.findings)


@pytest.mark.few(8)
@pytest.mark.parametrize("rule", WORDINGS)
def test_a_rule_hears_its_fault_in_each_wording(rule: str) -> None:
    assert [text for text in WORDINGS[rule]["fires"] if not fires(rule, text)] == []


@pytest.mark.few(8)
@pytest.mark.parametrize("rule", WORDINGS)
def test_a_rule_is_silent_on_what_only_stands_near_its_fault(rule: str) -> None:
    assert [text for text in WORDINGS[rule]["silent"] if fires(rule, text)] == []
