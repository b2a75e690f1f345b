"""The rules about what laws ask a policy to say."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.policy.sampling import AS_OF, SAMPLES, cases, golden, in_short, sample

from troth.policy import read
from troth.policy.lint import lint, rules

CASES = cases()


def fired(text: str, *, as_of: dt.date = AS_OF, regimes: tuple[str, ...] = ("gdpr", "uk", "ca", "us")) -> set[str]:
    report = lint(read(text, kind="markdown"), as_of=as_of, regimes=regimes)
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize("rule", sorted(CASES))
def test_a_rule_fires_on_its_fault_and_not_on_the_mended_text(rule: str) -> None:
    assert rule in fired(CASES[rule]["fires"])
    if "silent" in CASES[rule]:
        assert rule not in fired(CASES[rule]["silent"])


@pytest.mark.parametrize("name", SAMPLES)
def test_the_findings_in_a_sample_are_those_that_somebody_has_read(name: str) -> None:
    assert golden(name) == in_short(lint(sample(name), as_of=AS_OF).findings)


def test_every_rule_fires_somewhere_and_is_silent_somewhere() -> None:
    texts = [{row["rule"] for row in golden(name)} for name in SAMPLES]
    texts += [fired(text) for case in CASES.values() for text in case.values()]
    always = {id_ for id_, rule in rules().items() if not rule.evaluable}
    stated = {id_ for id_ in rules() if not id_.startswith("F.")}
    never = {id_ for id_ in stated if not any(_is_of(id_, found) for found in texts)}
    ever = {id_ for id_ in stated if all(_is_of(id_, found) for found in texts)}
    assert (never, ever) == (set(), always)


def _is_of(id_: str, found: set[str]) -> bool:
    return any(rule == id_ or rule.startswith(f"{id_}.") for rule in found)
