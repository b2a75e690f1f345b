"""Machine-readable reports: plain data for JSON, and SARIF 2.1.0 for code scanners and editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from troth import __version__
from troth.audit.facts import AuditFacts, PolicyFacts, SiteFacts, SystemFacts, TableFacts
from troth.audit.joined_findings import lint_rules
from troth.audit.report import AuditReport
from troth.audit.rules import AuditFinding, AuditRule, FindingPlace, rules
from troth.json_values import json_fields
from troth.policy.bind import Proposal
from troth.reports.sarif import fingerprint, sarif_log

_FORMAT: Final = 1
"""Version of the JSON report; increased when a key is removed or changes its meaning."""


def as_data(report: AuditReport) -> dict[str, Any]:
    """The whole report as JSON-serialisable values."""
    facts = report.facts
    return {
        "troth_audit": _FORMAT,
        "version": __version__,
        "at": facts.at.isoformat(),
        "counts": {str(severity): count for severity, count in report.counts.items()},
        "findings": [_finding(it) for it in report.findings],
        "systems": [_system(it) for it in facts.systems],
        "policy": None if facts.policy is None else _policy(facts.policy),
        "promises": [_promise(it) for it in report.promises],
        "declaration": report.declared or None,
        "site": None if facts.site is None else _site(facts.site),
        "next": [
            {"says": step.says, **({"code": step.code, "language": step.language} if step.code else {})}
            for step in report.next_steps
        ],
    }


def _promise(it: Proposal) -> dict[str, Any]:
    return {
        **json_fields(it, "quote", "line", "severity"),
        "controls": [
            {"id": proof.control, "shows": proof.shows, "cannot_see": proof.cannot_see} for proof in it.proofs
        ],
        "attest": it.attest or None,
        "own": it.own or None,
        "warnings": list(it.warnings),
    }


def _finding(it: AuditFinding) -> dict[str, Any]:
    return {
        "rule": it.rule.id,
        "severity": str(it.severity),
        "title": it.rule.title,
        **json_fields(it, "place", "message", "fix"),
        "cite": it.rule.cite or None,
        "cannot_see": it.rule.cannot_see,
    }


def _system(it: SystemFacts) -> dict[str, Any]:
    if it.unreached:
        return {"name": it.name, "unreached": it.unreached}
    return {
        "name": it.name,
        "dialect": it.dialect,
        "transport": it.transport and json_fields(it.transport, "encrypted", "detail"),
        "tables": [_table(table, it) for table in it.tables],
        "accounts": [
            json_fields(one, "name", "can_login", "reads", "writes", "why")
            | {"reads_personal_data": one in it.readers}
            for one in it.principals
        ],
        "not_known": list(it.unknown),
        "files_unread": dict(it.left_out.unread),
        "files_passed_over": dict(it.left_out.passed_over),
    }  # fmt: skip


def _table(it: TableFacts, system: SystemFacts) -> dict[str, Any]:
    inferred = [one for one in system.inferred if one.table == it.name]
    return {
        "name": it.name,
        "kind": str(it.schema.kind),
        "columns": len(it.columns),
        **json_fields(it, "rows", "rows_counted", "sampled"),
        "unread": it.unread or None,
        "key": list(it.schema.key),
        "role": str(it.role),
        "why": it.suggestion.why,
        "personal_data": [
            json_fields(one, "column", "category", "entity", "score", "reasons") for one in it.personal
        ],
        "free_text": list(it.free_text),
        "quasi_identifier": it.quasi and json_fields(it.quasi, "columns", "categories", "rows", "alone"),
        "foreign_keys": [
            {"columns": list(key.columns), "table": key.table, "to": list(key.to_columns), "declared": True,
             "on_delete": key.on_delete}
            for key in it.schema.foreign_keys
        ] + [
            {"columns": list(one.columns), "table": one.to_table, "to": list(one.to_columns), "declared": False,
             "score": one.score, "why": list(one.why)}
            for one in inferred
        ],
    }  # fmt: skip


def _policy(it: PolicyFacts) -> dict[str, Any]:
    return {
        "file": it.file,
        "sentences": len(it.text.sentences),
        "promises": [
            {
                "line": one.sentence.span.line,
                "kind": str(one.topic),
                "negative": one.negative,
                "quantities": [f"{number.number:g} {number.unit}" for number in one.quantities],
                "text": one.sentence.text,
            }
            for one in it.promises
        ],
    }


def _site(it: SiteFacts) -> dict[str, Any]:
    return {
        "home": it.home,
        "unreached": it.unreached or None,
        **json_fields(it, "pages", "skipped"),
        "cookies": [{"name": name, "days": days} for name, days in it.cookies.items()],
        "hosts": [{"host": host, "page": page} for host, page in it.hosts.items()],
        "forms": [json_fields(one, "page", "fields", "asks") for one in it.forms],
        "policy_page": it.policy_page or None,
    }


# --- SARIF ----------------------------------------------------------------------------------------------------------


def as_sarif(report: AuditReport) -> dict[str, Any]:
    """Findings as SARIF 2.1.0: policy findings with file and line, schema findings with logical locations."""
    known = {**rules(), **lint_rules()}
    order = {rule: at for at, rule in enumerate(known)}
    results = (_result(it, order[it.rule.id]) for it in report.findings)
    invocation = {"executionSuccessful": _all_reached(report.facts), "endTimeUtc": _utc(report)}
    return sarif_log("troth audit", map(_sarif_rule, known.values()), results, invocations=[invocation])


def _all_reached(facts: AuditFacts) -> bool:
    return not any(it.unreached for it in facts.systems) and not (facts.site is not None and facts.site.unreached)


def _utc(report: AuditReport) -> str:
    return report.facts.at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _sarif_rule(rule: AuditRule) -> dict[str, Any]:
    cite = f" {rule.cite}." if rule.cite else ""
    return {
        "id": rule.id,
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": f"{rule.title}.{cite} It cannot see: {rule.cannot_see}"},
        "defaultConfiguration": {"level": str(rule.severity)},  # SARIF uses the same three words
    }


def _result(it: AuditFinding, index: int) -> dict[str, Any]:
    mark = fingerprint(it.rule.id, it.place, it.message.split(" (")[0])
    return {
        "ruleId": it.rule.id,
        "ruleIndex": index,
        "level": str(it.severity),
        "message": {"text": f"{it.message}. To fix it: {it.fix}."},
        "locations": [_location(it.place)],
        "partialFingerprints": {"trothAudit/v1": mark},
    }


def _location(place: FindingPlace) -> dict[str, Any]:
    if place.file:
        region = {"region": {"startLine": place.line, "startColumn": place.column_number}} if place.line else {}
        return {"physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, **region}}
    if place.url:
        return {"physicalLocation": {"artifactLocation": {"uri": place.url}}}
    kind = "member" if place.column else "type" if place.table else "module"
    name = place.column or place.table or place.system or "everywhere"
    return {"logicalLocations": [{"name": name, "fullyQualifiedName": str(place), "kind": kind}]}


def _uri(file: str) -> str:
    """The file as a URI. Relative paths stay relative, so that the report works in any checkout of the repository."""
    from urllib.parse import quote

    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
