"""What the tests of the linter begin with: a text, and what is found in it."""

from __future__ import annotations

import datetime as dt

from troth.policy import read
from troth.policy.lint import LintFacts, LintFinding, lint
from troth.policy.parse import Kind

TODAY = dt.date(2026, 11, 24)


def findings(
    text: str, *rules: str, kind: Kind = "markdown", as_of: dt.date = TODAY, facts: LintFacts | None = None
) -> list[LintFinding]:
    """The findings of the rules whose ids begin so."""
    found = lint(read(text, kind=kind), as_of=as_of, facts=facts).findings
    return [finding for finding in found if finding.rule.startswith(rules)]


def quotes(text: str, *rules: str, kind: Kind = "markdown", as_of: dt.date = TODAY) -> list[str]:
    """What they quote."""
    return [finding.quote for finding in findings(text, *rules, kind=kind, as_of=as_of)]
