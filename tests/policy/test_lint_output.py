"""Findings as JSON, as SARIF and as a page: the same facts for programs, editors and people."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from tests.audit.test_output import SARIF
from tests.browsing import CONTRAST, axe, opened, too_wide
from tests.policy.linting import TODAY

from troth.policy import PolicyText, read
from troth.policy.lint import LintReport, as_data, as_html, as_sarif, lint, rules

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TEXT = """# Privacy policy <script>alert(1)</script>

## Why we use it

We may use your data in the following ways:

## Sharing

We do not share your personal data with third parties. Stripe & Co takes your payments.

The firm and it's staff help.

| What | How long |
|---|---|
| Orders | six years |
"""
KEYS = ["rule", "severity", "line", "quote", "citation", "applies_from", "conditional", "evaluable", "message"]


@pytest.fixture(scope="module")
def policy() -> PolicyText:
    return read(TEXT, kind="markdown")


@pytest.fixture(scope="module")
def report(policy: PolicyText) -> LintReport:
    return lint(policy, as_of=TODAY)


def test_json_is_a_list_of_findings_with_exactly_the_agreed_keys(report: LintReport) -> None:
    data = json.loads(json.dumps(as_data(report)))
    assert all([key for key in one if key not in {"fix", "replacement"}] == KEYS for one in data)
    [its] = [one for one in data if one["rule"] == "S.typo.its"]
    assert (its["severity"], its["line"], its["quote"], its["replacement"]) == ("I", 11, "it's", "its")
    assert its["applies_from"] == "2018-05-25"
    assert {one["line"] for one in data} == {None, 5, 9, 11}


def test_findings_come_in_the_order_of_their_places_and_those_on_the_whole_last(report: LintReport) -> None:
    lines = [one.line for one in report.findings]
    placed = [line for line in lines if line is not None]
    assert placed == sorted(placed)
    assert set(lines[len(placed) :]) == {None}


def test_every_quote_stands_where_its_finding_points(report: LintReport) -> None:
    for one in report.findings:
        if one.line is not None:
            assert TEXT[one.start : one.end] == one.quote
            assert TEXT[: one.start].count("\n") + 1 == one.line


def test_sarif_has_the_standard_s_structure_and_points_at_lines(report: LintReport) -> None:
    sarif = as_sarif(report, file="pages/policy file.md")
    jsonschema.validate(sarif, SARIF)
    [run] = sarif["runs"]
    assert [row["id"] for row in run["tool"]["driver"]["rules"]] == list(rules())
    for result, finding in zip(run["results"], report.findings, strict=True):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == finding.of
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "pages/policy%20file.md"
        assert place.get("region", {}).get("startLine") == finding.line


def test_a_rule_says_what_is_wrong_without_gaps() -> None:
    assert [rule.id for rule in rules().values() if "{" in rule.title or not rule.title.endswith(".")] == []


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        outside = any(name in {"src", "href"} and not (value or "").startswith("#") for name, value in attrs)
        if tag == "script" or outside or any(name.startswith("on") for name, _ in attrs):
            self.found.append(tag)


def test_the_page_holds_no_script_and_loads_nothing(report: LintReport, policy: PolicyText) -> None:
    scripts = _Scripts()
    scripts.feed(as_html(report, policy, name="policy.md"))
    assert scripts.found == []


def test_the_page_marks_the_words_and_says_beside_them_what_is_wrong(report: LintReport, policy: PolicyText) -> None:
    page = as_html(report, policy, name="policy.md")
    assert "Stripe &amp; Co takes your payments" in page
    assert '<span class="said note">it&#39;s</span>' in page
    for one in report.findings:
        assert f"<code>{one.rule}</code>" in page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_everybody_can_read_the_page(
    browser: Browser, report: LintReport, policy: PolicyText, tmp_path: Path, width: int, scheme: str
) -> None:
    file = tmp_path / "findings.html"
    file.write_text(as_html(report, policy, name="policy.md"), encoding="utf-8")
    page = opened(browser, width, scheme=scheme)
    page.goto(file.as_uri())
    assert too_wide(page) == []
    assert page.evaluate(CONTRAST) == []
    assert axe(page) == []
