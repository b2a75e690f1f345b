"""Machine-readable findings: plain data for JSON, and SARIF 2.1.0 for code scanners and editors."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from troth.json_values import json_fields
from troth.policy.lint.model import LintFinding, LintRule, LintSeverity
from troth.policy.lint.rules import rules
from troth.policy.lint.run import LintReport
from troth.reports.sarif import fingerprint, sarif_log

_LEVELS: Final = {LintSeverity.ERROR: "error", LintSeverity.WARNING: "warning", LintSeverity.INFO: "note"}


def as_data(report: LintReport) -> list[dict[str, Any]]:
    """The findings as JSON values, in the report's order; ``fix`` and ``replacement`` are left out if empty."""
    return [_data(finding) for finding in report.findings]


def _data(finding: LintFinding) -> dict[str, Any]:
    names = ("rule", "severity", "line", "quote", "citation", "applies_from", "conditional", "evaluable", "message")
    extra = {"fix": finding.fix or None, "replacement": finding.replacement}
    return json_fields(finding, *names) | {key: value for key, value in extra.items() if value is not None}


def as_sarif(report: LintReport, *, file: str) -> dict[str, Any]:
    """The findings in SARIF 2.1.0, on lines of *file*, which is a path from the viewpoint of the report's reader."""
    order = {rule: at for at, rule in enumerate(rules())}
    results = (_result(finding, order, file) for finding in report.findings)
    return sarif_log("troth policy lint", map(_rule, rules().values()), results)


def _rule(rule: LintRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.title} {rule.citation}."},
        "help": {"text": rule.fix or rule.title},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: LintFinding, order: dict[str, int], file: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(file)}}
    if finding.line is not None:
        place["region"] = {"startLine": finding.line, "startColumn": finding.column}
    return {
        "ruleId": finding.rule,
        "ruleIndex": order[finding.of],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.fix}".strip()},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"trothPolicyLint/v1": fingerprint(finding.rule, finding.quote)},
        "properties": {"conditional": finding.conditional, "evaluable": finding.evaluable},
    }
