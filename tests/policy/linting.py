"""What the tests of the linter begin with: a text, and what is found in it."""

from __future__ import annotations

import datetime as dt

from troth.policy import read
from troth.policy.lint import Facts, Finding, lint
from troth.policy.reading import Kind

TODAY = dt.date(2026, 11, 24)


def findings(
    text: str, *rules: str, kind: Kind = "markdown", as_of: dt.date = TODAY, facts: Facts | None = None
) -> list[Finding]:
    """The findings of the rules whose ids begin so."""
    found = lint(read(text, kind=kind), as_of=as_of, facts=facts).findings
    return [finding for finding in found if finding.rule.startswith(rules)]


def quotes(text: str, *rules: str, kind: Kind = "markdown", as_of: dt.date = TODAY) -> list[str]:
    """What they quote."""
    return [finding.quote for finding in findings(text, *rules, kind=kind, as_of=as_of)]
