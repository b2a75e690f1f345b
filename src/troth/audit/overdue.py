"""Reports rows older than the declared retention periods, at the policy sentences that promise these periods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from troth.audit.claims import retention_claims
from troth.audit.facts import AuditFacts, PolicyFacts
from troth.audit.rules import AuditFinding, FindingPlace, found
from troth.controls import run
from troth.declaration import Declaration, Promise
from troth.policy import Sentence, bind_promises
from troth.stores import Store
from troth.stores import controls as _controls  # noqa: F401 - registers them

_CONTROL = "retention.nothing_overdue"


def declared_overdue(
    facts: AuditFacts, policy: PolicyFacts | None, stores: Mapping[str, Store], declaration: Declaration
) -> Iterator[AuditFinding]:
    """Findings of the retention control in the *stores*, placed at each sentence that promises the period, else at the
    table. Read-only."""
    check = run(_CONTROL, {"declaration": declaration, "stores": stores, "now": facts.at, "collector": "audit"})
    promising = list(_promising(policy, declaration)) if policy is not None else []
    for it in check.findings:
        system, _, table = it.place.partition(".")
        message = f"{it.message}, by the declared rule"
        told = [sentence for promise, sentence in promising if _is_about(promise, it.place)]
        if policy is not None:
            told = told or list(_in_words(facts, policy, system, table))
            for sentence in told:
                place = FindingPlace(file=policy.file, line=sentence.span.line, column_number=sentence.span.column)
                yield found("policy.overdue", place, f"“{sentence.text[:160]}”; {it.place}: {message}", it.fix)
        if not told:
            yield found("declaration.overdue", FindingPlace(system, table), message, it.fix)


def _promising(policy: PolicyFacts, declaration: Declaration) -> Iterator[tuple[Promise, Sentence]]:
    """Promises that use the control and have a scope (*about*), each with the sentence it quotes."""
    promises = [it for it in declaration.promises if _CONTROL in it.controls and it.about]
    for bound in bind_promises(policy.text, promises):
        if bound.sentences:
            yield bound.promise, bound.sentences[0]


def _is_about(promise: Promise, place: str) -> bool:
    return any(place == part or place.startswith(f"{part}.") for part in promise.about)


def _in_words(facts: AuditFacts, policy: PolicyFacts, system: str, table: str) -> Iterator[Sentence]:
    """Sentences about retention periods that name the table."""
    schemas = [it.schema for each in facts.reached if each.name == system for it in each.tables if it.name == table]
    for claim in retention_claims(policy.promises):
        if not claim.everything and any(claim.is_about(schema) for schema in schemas):
            yield claim.clause.sentence


def without_guessed(facts: AuditFacts, declaration: Declaration) -> AuditFacts:
    """*facts* without rows counted by a guessed date column, in tables that have a declared rule with the same period:
    `declared_overdue` is more accurate."""
    ruled = {(rule.table, str(rule.for_)) for rule in declaration.retention.values()}
    guessed = tuple(it for it in facts.overdue if (f"{it.system}.{it.table}", it.period) not in ruled)
    return replace(facts, overdue=guessed)
