"""What the linter says of the text, and what the declaration says of the schema, joined with what was seen.

It makes one list, in which each fault stands once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Final

from troth.audit.facts import Facts, PolicyFacts, SiteFacts
from troth.audit.rules import Finding, Place, Rule, Severity, found
from troth.declaration import Declaration, title
from troth.policy import Language, understand
from troth.policy.lint import Facts as LintFacts
from troth.policy.lint import Finding as LintFinding
from troth.policy.lint import Report as LintReport
from troth.policy.lint import Seen, lint, rules
from troth.policy.lint import Severity as LintSeverity
from troth.policy.proposing import Proposal, propose
from troth.stores import Schema, missing, undeclared

_SEVERITIES: Final = {
    LintSeverity.ERROR: Severity.ERROR,
    LintSeverity.WARNING: Severity.WARNING,
    LintSeverity.INFO: Severity.NOTE,
}
_OF_TEXT: Final = "What the company does: this was read in the text alone."
_OF_BOTH: Final = "Whether the declaration is true: the text was held against it."


# --- the text -------------------------------------------------------------------------------------------------------


def not_english(policy: PolicyFacts) -> Iterator[Finding]:
    """That the policy, or a part of it, is in another language than the rules': nothing of that is guessed at."""
    what = {Language.OTHER: "it is not in English, and was not read", Language.MIXED: "some of it is not in English"}
    if policy.text.language in what:
        mend = "audit its English version; the rules know English only"
        yield found("policy.not-english", Place(file=policy.file), what[policy.text.language], mend)


def lint_policy(
    policy: PolicyFacts, site: SiteFacts | None, declaration: Declaration | None, *, now: dt.datetime
) -> LintReport:
    """The policy under every rule of today, with what the declaration settles and what the site was seen to do."""
    seen = Seen(tuple(site.cookies), tuple(site.hosts)) if site is not None and not site.unreached else None
    facts = LintFacts.of(declaration, seen) if declaration is not None else LintFacts(seen=seen)
    return lint(policy.text, as_of=now.astimezone(dt.UTC).date(), facts=facts)


def lint_findings(
    report: LintReport, policy: PolicyFacts, site: SiteFacts | None, others: Iterable[Finding]
) -> Iterator[Finding]:
    """The linter's findings as the audit's, without those that *others* tell already, with more to show for it, and
    without what a look at the *site* has settled."""
    told, was_looked_at = list(others), site is not None and not site.unreached
    known = lint_rules()
    for it in report.findings:
        if not _is_told(it, told) and not (was_looked_at and it.of == _LINK):
            yield Finding(_graded(known[it.of], it), _place(it, policy), _message(it), _sentence(it.mend) or _LOOK)


_LINK: Final = "CA.22577.link"
"""Whether the link to the policy is conspicuous, which its text cannot tell and the site does."""
_LOOK: Final = "look at it, and mend the sentence or what it speaks of"
_UNLIKELY: Final = "it may not concern you"


def _is_told(it: LintFinding, told: Iterable[Finding]) -> bool:
    """Whether what was seen says the same: data that no word of the policy names was found in a table itself."""
    if it.of != "F.category":
        return False
    return any(one.rule.id == "policy.unnamed" and one.about and title(one.about) in it.message for one in told)


def _graded(rule: Rule, it: LintFinding) -> Rule:
    """The rule as this finding has it: one that hangs on a fact that nobody knows is a warning at most."""
    severity = _SEVERITIES[it.severity]
    if it.conditional and severity is Severity.ERROR:
        severity = Severity.WARNING
    return rule if severity is rule.severity else Rule(rule.id, severity, rule.title, rule.cite, rule.cannot_see)


def _place(it: LintFinding, policy: PolicyFacts) -> Place:
    return Place(file=policy.file, line=it.line or 0, column_number=it.column or 0)


def _message(it: LintFinding) -> str:
    quote = it.quote if len(it.quote) <= 160 else f"{it.quote[:157]}…"
    quoted = f"“{quote}”: " if it.line is not None else ""
    perhaps = f" ({_UNLIKELY}: that depends on a fact that is not declared)" if it.conditional else ""
    return f"{quoted}{_sentence(it.message)}{perhaps}"


def _sentence(text: str) -> str:
    return text.strip().rstrip(".")


def lint_rules() -> MappingProxyType[str, Rule]:
    """The linter's rules as the audit's, by id."""
    return MappingProxyType(
        {
            it.id: Rule(
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
    """What could show that each promise of the policy is kept: controls, or somebody's word."""
    return tuple(propose(understand(policy.text), declaration))


# --- the declaration ------------------------------------------------------------------------------------------------


def without_declared(findings: Iterable[Finding], declaration: Declaration) -> Iterator[Finding]:
    """*findings* without those that ask for nothing but to be declared, where that was done."""
    for it in findings:
        system = declaration.systems.get(it.place.system)
        table = system.tables.get(it.place.table) if system else None
        use = table.fields.get(it.place.column) if table else None
        is_held = it.rule.id == "personal-data.held" and table is not None and bool(table.fields)
        is_text = it.rule.id == "personal-data.may-be-in-text" and use is not None and use.free_text
        if not (is_held or is_text):
            yield it


def declared_findings(facts: Facts, declaration: Declaration) -> Iterator[Finding]:
    """Where the declaration and the schema part, for each system that stands in both."""
    for system in facts.reached:
        if system.name not in declaration.systems:
            mend = "declare it, or give the store the name that it is declared under: --store NAME=URL"
            yield found("declaration.unnamed", Place(system.name), "the system is not declared by this name", mend)
            continue
        schema = Schema(system.dialect, MappingProxyType({table.name: table.schema for table in system.tables}))
        for passed in undeclared(declaration, system.name, schema):
            for it in passed.findings():
                yield found("declaration.undeclared", _at(it.place), it.message, it.mend)
        for it in missing(declaration, system.name, schema):
            yield found("declaration.not-there", _at(it.place), it.message, it.mend)


def _at(place: str) -> Place:
    system, _, rest = place.partition(".")
    table, _, column = rest.partition(".")
    return Place(system, table, column)
