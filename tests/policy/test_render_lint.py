"""What is rendered passes our own linter, for a company in the UK, in California and in the EU."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from tests.policy.declared import CLINIC, SHOP, VOICE, declared

from troth.policy import read
from troth.policy.lint import LintSeverity, lint
from troth.policy.lint.facts import LintFacts
from troth.policy.render import render


@pytest.mark.parametrize(
    ("path", "regimes"),
    [(VOICE, ("gdpr", "uk", "ca", "us", "pci")), (SHOP, ("ca", "us")), (CLINIC, ("gdpr",))],
    ids=["voice", "shop", "clinic"],
)
def test_a_rendered_notice_lints_clean(path: Path, regimes: tuple[str, ...]) -> None:
    declaration = declared(path)
    rendered = render(declaration)
    for policy in (read(rendered.md), read(rendered.page, kind="html")):
        report = lint(policy, as_of=dt.date(2026, 11, 24), regimes=regimes, facts=LintFacts.of(declaration))
        assert [finding for finding in report.findings if finding.severity is not LintSeverity.INFO] == []
