"""Controls of the policy text: what the linter finds in it, given the declaration."""

from __future__ import annotations

import datetime as dt

from troth.controls import ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration
from troth.policy.lint import LintFacts, LintReport, LintSeverity, lint
from troth.policy.lint import LintFinding as Fault
from troth.policy.text import PolicyError, PolicyText, TextLanguage
from troth.text import counted

_SCOPE = frozenset({"policy"})
_KEYS = {LintSeverity.ERROR: "errors", LintSeverity.WARNING: "warnings", LintSeverity.INFO: "advice"}


@answers("policy.lint_clean")
def lint_clean(declaration: Declaration, policy: PolicyText, now: dt.datetime) -> ControlResult:
    """GDPR Art. 12(1), 5(1)(a): as far as the rules in force today can tell, nothing that the law requires is missing
    and nothing stated is untrue. Findings that depend on an undecided condition are counted but are not faults."""
    if policy.language is TextLanguage.OTHER:
        raise PolicyError("the policy is not in English, and the rules only support English")
    report = lint(policy, as_of=now.date(), facts=LintFacts.of(declaration))
    sentences = len(policy.sentences)
    return ControlResult.of(
        _summary(report, sentences),
        evidence=Evidence(_SCOPE, _SCOPE, population=sentences, tested=sentences),
        findings=[ControlFinding(_place(one), one.message.rstrip("."), one.fix.rstrip(".")) for one in report.certain],
        figures={"sentences": sentences} | {_KEYS[severity]: count for severity, count in report.counts.items()},
    )


def _summary(report: LintReport, sentences: int) -> str:
    counts = report.counts
    found = f"{counted(counts[LintSeverity.ERROR], 'error')}, {counted(counts[LintSeverity.WARNING], 'warning')}"
    return f"{counted(sentences, 'sentence')}: {found} and {counts[LintSeverity.INFO]} pieces of advice."


def _place(fault: Fault) -> str:
    return f"policy line {fault.line}: {fault.rule}" if fault.line is not None else f"policy: {fault.rule}"
