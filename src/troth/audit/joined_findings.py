"""Merges findings of the policy linter and of the declaration with those of the audit, without duplicates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Final

from troth.audit.facts import AuditFacts, PolicyFacts, SiteFacts
from troth.audit.rules import AuditFinding, AuditRule, AuditSeverity, FindingPlace, found
from troth.declaration import Declaration, title
from troth.policy import TextLanguage, understand
from troth.policy.bind import Proposal, propose
from troth.policy.lint import LintFacts, LintFinding, LintReport, LintSeverity, lint, rules
from troth.policy.lint import SiteFacts as Seen
from troth.stores import Schema, missing, undeclared

_SEVERITIES: Final = {
    LintSeverity.ERROR: AuditSeverity.ERROR,
    LintSeverity.WARNING: AuditSeverity.WARNING,
    LintSeverity.INFO: AuditSeverity.NOTE,
}
_OF_TEXT: Final = "What the company really does: only the text was checked."
_OF_BOTH: Final = "Whether the declaration is true: the text was only compared with it."


# --- the text -------------------------------------------------------------------------------------------------------


def not_english(policy: PolicyFacts) -> Iterator[AuditFinding]:
    """Finding that all or part of the policy is not in English, the only language of the rules. No guesses are made."""
    what = {
        TextLanguage.OTHER: "it is not in English, and was not checked",
        TextLanguage.MIXED: "part of it is not in English",
    }
    if policy.text.language in what:
        yield found("policy.not-english", FindingPlace(file=policy.file), what[policy.text.language])


def lint_policy(
    policy: PolicyFacts, site: SiteFacts | None, declaration: Declaration | None, *, now: dt.datetime
) -> LintReport:
    """Lint the policy with all rules in force at *now*, using facts from the declaration and the site."""
    seen = Seen(tuple(site.cookies), tuple(site.hosts)) if site is not None and not site.unreached else None
    facts = LintFacts.of(declaration, seen) if declaration is not None else LintFacts(seen=seen)
    return lint(policy.text, as_of=now.astimezone(dt.UTC).date(), facts=facts)


def lint_findings(
    report: LintReport, policy: PolicyFacts, site: SiteFacts | None, others: Iterable[AuditFinding]
) -> Iterator[AuditFinding]:
    """The linter's findings as audit findings, without those that *others* already report with better evidence, and
    without those that the visit to the *site* has settled."""
    told, was_looked_at = list(others), site is not None and not site.unreached
    known = lint_rules()
    for it in report.findings:
        if not _is_told(it, told) and not (was_looked_at and it.of == _LINK):
            yield AuditFinding(_graded(known[it.of], it), _place(it, policy), _message(it), _sentence(it.fix) or _LOOK)


_LINK: Final = "CA.22577.link"
"""Linter rule on the conspicuous policy link, which the site shows but the text cannot."""
_LOOK: Final = "check it, and correct the sentence or what it describes"
_UNLIKELY: Final = "it may not apply to you"


def _is_told(it: LintFinding, findings: Iterable[AuditFinding]) -> bool:
    """True if an audit finding already reports the same: data in a table that the policy does not name."""
    if it.of != "F.category":
        return False
    return any(one.rule.id == "policy.unnamed" and one.about and title(one.about) in it.message for one in findings)


def _graded(rule: AuditRule, it: LintFinding) -> AuditRule:
    """The rule with the severity of this finding. If it depends on an unknown fact, it is at most a warning."""
    severity = _SEVERITIES[it.severity]
    if it.conditional and severity is AuditSeverity.ERROR:
        severity = AuditSeverity.WARNING
    return rule if severity is rule.severity else AuditRule(rule.id, severity, rule.title, rule.cite, rule.cannot_see)


def _place(it: LintFinding, policy: PolicyFacts) -> FindingPlace:
    return FindingPlace(file=policy.file, line=it.line or 0, column_number=it.column or 0)


def _message(it: LintFinding) -> str:
    quote = it.quote if len(it.quote) <= 160 else f"{it.quote[:157]}…"
    quoted = f"“{quote}”: " if it.line is not None else ""
    perhaps = f" ({_UNLIKELY}: that depends on a fact that is not declared)" if it.conditional else ""
    return f"{quoted}{_sentence(it.message)}{perhaps}"


def _sentence(text: str) -> str:
    return text.strip().rstrip(".")


def lint_rules() -> MappingProxyType[str, AuditRule]:
    """The linter's rules as audit rules, by id."""
    return MappingProxyType(
        {
            it.id: AuditRule(
                it.id,
                _SEVERITIES[it.severity],
                _sentence(it.title),
                it.citation,
                _OF_BOTH if it.id.startswith("F.") else _OF_TEXT,
            )
            for it in rules().values()
        }
    )


def promised(policy: PolicyFacts, declaration: Declaration | None) -> tuple[Proposal, ...]:
    """Proposals of how to verify each promise of the policy: by controls or by attestation."""
    return tuple(propose(understand(policy.text), declaration))


# --- the declaration ------------------------------------------------------------------------------------------------


def without_declared(findings: Iterable[AuditFinding], declaration: Declaration) -> Iterator[AuditFinding]:
    """*findings* without those that only ask for a declaration which already exists."""
    for it in findings:
        system = declaration.systems.get(it.place.system)
        table = system.tables.get(it.place.table) if system else None
        use = table.fields.get(it.place.column) if table else None
        is_held = it.rule.id == "personal-data.held" and table is not None and bool(table.fields)
        is_text = it.rule.id == "personal-data.may-be-in-text" and use is not None and use.free_text
        if not (is_held or is_text):
            yield it


def declared_findings(facts: AuditFacts, declaration: Declaration) -> Iterator[AuditFinding]:
    """Differences between the declaration and the schema, for each system; undeclared systems are a finding."""
    for system in facts.reached:
        if system.name not in declaration.systems:
            yield found("declaration.unnamed", FindingPlace(system.name), "no system is declared with this name")
            continue
        schema = Schema(system.dialect, MappingProxyType({table.name: table.schema for table in system.tables}))
        for passed in undeclared(declaration, system.name, schema):
            for it in passed.findings():
                yield found("declaration.undeclared", _at(it.place), it.message, it.fix)
        for it in missing(declaration, system.name, schema):
            yield found("declaration.not-there", _at(it.place), it.message, it.fix)


def _at(place: str) -> FindingPlace:
    system, _, rest = place.partition(".")
    table, _, column = rest.partition(".")
    return FindingPlace(system, table, column)
