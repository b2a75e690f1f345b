"""Audit: compares a company's databases, its policy and its site in one read-only pass.

`audit` never writes, needs no key and no service, and returns an `AuditReport` that holds names, counts and reasons but
no personal data. Every finding has a rule with a stable id, evidence, a fix, and the limits of what it can see. An
unreachable system is itself a finding and does not affect the rest. `draft` creates the first ``troth.yaml`` from the
facts collected; every guess in it is marked.
"""

from troth.audit.collect import Progress, look_at_policy, look_at_store
from troth.audit.data import as_data, as_sarif
from troth.audit.draft import draft
from troth.audit.facts import AuditFacts, FormFacts, PolicyFacts, SiteFacts, SystemFacts
from troth.audit.files import ReportUnwritten, write_report
from troth.audit.findings import decide
from troth.audit.page import as_html
from troth.audit.report import AuditReport, audit, variable
from troth.audit.rules import AuditFinding, AuditRule, AuditSeverity, FindingPlace, rules

__all__ = [
    "AuditFacts",
    "AuditFinding",
    "AuditReport",
    "AuditRule",
    "AuditSeverity",
    "FindingPlace",
    "FormFacts",
    "PolicyFacts",
    "Progress",
    "ReportUnwritten",
    "SiteFacts",
    "SystemFacts",
    "as_data",
    "as_html",
    "as_sarif",
    "audit",
    "decide",
    "draft",
    "look_at_policy",
    "look_at_store",
    "rules",
    "variable",
    "write_report",
]
