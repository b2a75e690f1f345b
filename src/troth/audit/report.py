"""The audit report: facts, findings and next steps."""

from __future__ import annotations

import datetime as dt
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from troth.audit.collect import Progress, look
from troth.audit.facts import AuditFacts, PolicyFacts
from troth.audit.findings import by_gravity, decide
from troth.audit.joined_findings import (
    declared_findings,
    lint_findings,
    lint_policy,
    not_english,
    promised,
    without_declared,
)
from troth.audit.overdue import declared_overdue, without_guessed
from troth.audit.rules import AuditFinding, AuditSeverity
from troth.declaration import Declaration
from troth.policy import TextLanguage
from troth.policy.bind import Proposal
from troth.site import Site
from troth.stores import Store


@dataclass(frozen=True, slots=True)
class NextStep:
    """A recommended next step: *says* describes it; *code*, if any, is to be run or read."""

    says: str
    code: str = ""
    language: str = "sh"


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Result of one audit. It holds names, counts and reasons, but no personal data."""

    facts: AuditFacts
    findings: tuple[AuditFinding, ...]
    references: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The ``${NAME}`` of each system whose store URL came from a variable."""
    addresses: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Store URLs by system, if they were given directly and contain no secret."""
    promises: tuple[Proposal, ...] = ()
    """How each promise of the policy could be verified."""
    declared: str = ""
    """Hash of the declaration used in the comparison; empty if there was none."""

    @property
    def counts(self) -> Mapping[AuditSeverity, int]:
        """Number of findings per severity, most severe first."""
        counted = Counter(finding.severity for finding in self.findings)
        return {severity: counted[severity] for severity in AuditSeverity}

    @property
    def has_errors(self) -> bool:
        return self.counts[AuditSeverity.ERROR] > 0

    @property
    def next_steps(self) -> tuple[NextStep, ...]:
        """Recommended next steps, in order."""
        return tuple(_steps(self))


def audit(
    stores: Mapping[str, Store],
    policy: PolicyFacts | None = None,
    site: Site | None = None,
    *,
    now: dt.datetime,
    progress: Progress | None = None,
    references: Mapping[str, str] | None = None,
    addresses: Mapping[str, str] | None = None,
    declaration: Declaration | None = None,
) -> AuditReport:
    """Audit the stores, the policy and the site; with a *declaration*, compare them with it, too.

    Read-only: writes nothing, needs no key and keeps no state. An unreachable system is a finding and does not affect
    the rest. *now* is aware; *progress* is called after each table; for *references* and *addresses* see `AuditReport`.
    """
    facts = look(stores, policy, site, now=now, progress=progress)
    known = MappingProxyType(dict(references or {})), MappingProxyType(dict(addresses or {}))
    facts = facts if declaration is None else without_guessed(facts, declaration)
    read = policy if policy is not None and policy.text.language is not TextLanguage.OTHER else None
    seen = list(decide(replace(facts, policy=read)))
    if declaration is not None:
        seen = [*without_declared(seen, declaration), *declared_findings(facts, declaration)]
        seen += declared_overdue(facts, read, stores, declaration)
    promises: tuple[Proposal, ...] = ()
    if policy is not None:
        seen += not_english(policy)
    if read is not None:
        linted = lint_policy(read, facts.site, declaration, now=now)
        seen += list(lint_findings(linted, read, facts.site, seen))
        promises = promised(read, declaration)
    return AuditReport(facts, by_gravity(seen), *known, promises, declaration.hash if declaration is not None else "")


def _steps(report: AuditReport) -> list[NextStep]:
    steps = []
    errors = report.counts[AuditSeverity.ERROR]
    if errors:
        says = "finding is an error" if errors == 1 else "findings are errors"
        steps.append(NextStep(f"{errors} {says}: untrue, unlawful or unworkable as it stands. Fix them first."))
    if report.facts.reached and not report.declared:
        steps.append(_draft([system.name for system in report.facts.reached], report))
    for system in report.facts.reached:
        if system.grants:
            says = (
                f"Give the service its own account in {system.name}, with only the privileges that requests need. "
                "Read the script, have an administrator run it, and set a password."
            )
            steps.append(NextStep(says, system.grants, "sql"))
    return steps


def _draft(systems: Sequence[str], report: AuditReport) -> NextStep:
    """The step that drafts a declaration, after setting the variables with the stores' URLs."""
    stores = {name: report.references.get(name, f"${{{variable(name)}}}") for name in systems}
    options = " ".join(f"--store {shlex.quote(f'{name}={reference}')}" for name, reference in stores.items())
    exports = [
        f"export {variable(name)}={shlex.quote(url)}"
        for name, url in report.addresses.items()
        if name in systems and name not in report.references
    ]
    unset = [variable(name) for name in systems if name not in {*report.references, *report.addresses}]
    first = f" First set {', '.join(unset)} to the URL that you gave: it may contain a password." if unset else ""
    says = f"Draft a declaration from these schemas, and review each line that says REVIEW or TODO.{first}"
    return NextStep(says, "\n".join([*exports, f"troth init {options} --out troth.yaml", "troth check -d troth.yaml"]))


def variable(system: str) -> str:
    """Name of the environment variable with the URL of a system's store: ``SHOP_DATABASE_URL``."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in system).upper()
    return f"{'_' if letters[:1].isdigit() else ''}{letters}_DATABASE_URL"
