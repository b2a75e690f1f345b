"""Audit: the truth about a company's databases, its policy and its site, in one look.

What this room promises: `audit` reads and never writes, needs no key and no service, and gives a `AuditReport` that
holds names, counts and reasons but no personal value. Every finding has a rule with an id that stays the same,
evidence, a mend, and what it cannot see. What cannot be reached is itself a finding and loses nothing else. `draft`
makes the first ``troth.yaml`` from what was seen; every guess in it is marked.
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
