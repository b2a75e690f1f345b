"""Every kind of entry and its fields. **A new kind is a new item of `KINDS`, here and nowhere else.**

Entries are permanent, so a released kind can only gain fields under *may*; any other change is a new kind. Texts (a
reason, an attestation) are stored as a `Commitment`; the holder of the opening can reveal them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.ledger.fields import Day, FieldShape, Of, OneOf, Whole, WordCounts
from troth.ledger.values import Commitment, DeclaredName, Hash, KeyId, Pseudonym


@dataclass(frozen=True, slots=True)
class EntryKind:
    """The fields that an entry of this kind *needs*, and those that it *may* hold besides: name to shape."""

    needs: Mapping[str, FieldShape]
    may: Mapping[str, FieldShape] = field(default_factory=dict)


_ACTOR = OneOf(("subject", "agent", "staff", "owner", "rule"))
"""Who acted: the subject, their agent, a member of staff, the operator at the command line, a declared rule."""

_RIGHT = OneOf(("view", "amend", "erase", "restrict", "port", "object", "withdraw", "appeal"))
_STRATEGY = WordCounts(("delete", "null", "mask", "pseudonymise", "keep"))
_OUTCOME = OneOf(("none", "pass", "fail", "error", "not_applicable", "stale"))
_STATUS = OneOf(("none", "kept", "stated", "waived", "unproven", "broken"))
_RESCAN = OneOf(("clean", "residue", "not_observed"))
_FAILURE = OneOf(
    ("unreachable", "refused", "busy", "conflict", "unknown_name", "changed", "residue", "limit", "held", "crashed")
)
_WHAT = OneOf(("request", "complaint", "question"))
_CHANNEL = OneOf(("centre", "mail", "api", "staff"))
_CHANGE = OneOf(
    (
        "acknowledged",
        "paused",
        "resumed",
        "extended",
        "assigned",
        "escalated",
        "restricted",
        "reopened",
        "stopped",
        "granted",
    )
)
_ENDED = OneOf(("fulfilled", "partly_fulfilled", "refused", "withdrawn"))
_DISCLOSED = OneOf(("notice", "export", "share", "processor", "legal_demand", "sale"))
_LEFT = OneOf(("left", "inactive"))
_GRANT_ENDED = OneOf(("revoked", "not_needed", "left", "over"))
_NOT_ALLOWED = OneOf(("right", "factor", "undertaking", "purpose", "own", "unrecorded"))
_YES = OneOf(("yes", "no"))
_LOOSENED = OneOf(
    (
        "schedule",
        "freshness",
        "failures",
        "severity",
        "audience",
        "scope",
        "threshold",
        "query",
        "delay",
        "granularity",
        "at_most",
        "at_least",
    )
)

_VERDICT = OneOf(("first", "weakened", "strengthened", "reworded", "moved", "same"))

_CASE: Mapping[str, FieldShape] = {"case": Of(Pseudonym), "by": Of(Pseudonym), "actor": _ACTOR}
"""The case that an act belongs to, and who acted."""

KINDS: Mapping[str, EntryKind] = {
    # the company's declaration
    "declaration.loaded": EntryKind(
        {"declaration": Of(Hash), "systems": Whole(), "tables": Whole(), "fields": Whole(), "promises": Whole()},
        {"policy": Of(Hash), "by": Of(Pseudonym)},
    ),
    "declaration.changed": EntryKind(
        {"before": Of(Hash), "after": Of(Hash)},
        {"policy_before": Of(Hash), "policy_after": Of(Hash), "by": Of(Pseudonym)},
    ),
    "policy.published": EntryKind(
        {"policy": Of(Hash), "effective": Day(), "verdict": _VERDICT},
        {"before": Of(Hash), "weaker": Whole(), "by": Of(Pseudonym)},
    ),
    "keys.created": EntryKind(
        {"key": Of(KeyId), "purpose": OneOf(("root", "ledger", "epoch", "field", "subject", "token"))},
        {"public": Of(Hash), "by": Of(Pseudonym)},
    ),
    "keys.changed": EntryKind(
        {
            "key": Of(KeyId),
            "purpose": OneOf(("root", "ledger", "epoch", "field", "subject", "token")),
            "state": OneOf(("pre_activation", "active", "suspended", "deactivated", "compromised", "destroyed")),
        },
        {"by": Of(Pseudonym), "and_by": Of(Pseudonym), "plan": Of(Hash)},
    ),
    # acts that need two approvers (PCI DSS 4.0.1, 3.7.6), and proof that erased people stay erased in backups
    "keys.exported": EntryKind(
        {
            "key": Of(KeyId),
            "keys": Whole(1),
            "recipients": Whole(1),
            "by": Of(Pseudonym),
            "and_by": Of(Pseudonym),
            "plan": Of(Hash),
        }
    ),
    "keys.imported": EntryKind(
        {"key": Of(KeyId), "keys": Whole(1), "by": Of(Pseudonym), "and_by": Of(Pseudonym), "plan": Of(Hash)}
    ),
    "approvers.changed": EntryKind(
        {"approver": Of(Pseudonym), "change": OneOf(("added", "removed"))},
        {"by": Of(Pseudonym), "and_by": Of(Pseudonym), "plan": Of(Hash)},
    ),
    "backup.drilled": EntryKind(
        {
            "tried": Whole(),
            "opened": Whole(),
            "erased": Whole(),
            "erased_opened": Whole(),
            "not_final_yet": Whole(),
            "lost": Whole(),
        }
    ),
    # acts on a subject's data (GDPR Art. 5(2), 15-17)
    "subject.viewed": EntryKind(
        {"subject": Of(Pseudonym), "actor": _ACTOR, "purpose": Of(DeclaredName)},
        {
            "case": Of(Pseudonym),
            "by": Of(Pseudonym),
            "plan": Of(Hash),
            "systems": Whole(),
            "tables": Whole(),
            "rows": Whole(),
        },
    ),
    "plan.approved": EntryKind(
        {"plan": Of(Hash), "right": _RIGHT, "subject": Of(Pseudonym), "actor": _ACTOR},
        {"case": Of(Pseudonym), "by": Of(Pseudonym), "declaration": Of(Hash), "rows": Whole()},
    ),
    "subject.amended": EntryKind(
        {"subject": Of(Pseudonym), "plan": Of(Hash), "rows": Whole(), "fields": Whole(), "rescan": _RESCAN},
        {**_CASE, "systems": Whole(), "tables": Whole(), "values": Of(Commitment)},
    ),
    "subject.erased": EntryKind(
        {"subject": Of(Pseudonym), "plan": Of(Hash), "rows": _STRATEGY, "kept": Whole(), "rescan": _RESCAN},
        {
            **_CASE,
            "fields": _STRATEGY,
            "systems": Whole(),
            "tables": Whole(),
            "residue": Whole(),
            "kept_until": Day(),
            "final_after": Day(),
        },
    ),
    "erasure.failed": EntryKind(
        {"subject": Of(Pseudonym), "plan": Of(Hash), "why": _FAILURE},
        {**_CASE, "system": Of(DeclaredName), "table": Of(DeclaredName), "done": Whole(), "left": Whole()},
    ),
    "amendment.failed": EntryKind(
        {"subject": Of(Pseudonym), "plan": Of(Hash), "why": _FAILURE},
        {**_CASE, "system": Of(DeclaredName), "table": Of(DeclaredName), "done": Whole(), "left": Whole()},
    ),
    "run.resumed": EntryKind(
        {"run": Of(Pseudonym), "right": _RIGHT, "plan": Of(Hash), "done": Whole(), "left": Whole()},
        {"subject": Of(Pseudonym), "case": Of(Pseudonym)},
    ),
    # operations with tokens (PCI DSS 4.0.1, 10.2.1): one entry per batch
    "tokens.made": EntryKind({"domain": Of(DeclaredName), "count": Whole(1)}, {"by": Of(Pseudonym)}),
    "tokens.read": EntryKind(
        {"domain": Of(DeclaredName), "count": Whole(1), "purpose": Of(DeclaredName)}, {"by": Of(Pseudonym)}
    ),
    "tokens.forgotten": EntryKind({"domain": Of(DeclaredName), "count": Whole(1)}, {"by": Of(Pseudonym)}),
    # cases and their answers (GDPR Art. 12; clauses C21, C48-C53)
    "case.received": EntryKind(
        {"case": Of(Pseudonym), "what": _WHAT, "channel": _CHANNEL},
        {"right": _RIGHT, "subject": Of(Pseudonym), "actor": _ACTOR, "by": Of(Pseudonym), "due": Day()},
    ),
    "case.verified": EntryKind(
        {"case": Of(Pseudonym), "tier": Whole()}, {"subject": Of(Pseudonym), "by": Of(Pseudonym)}
    ),
    "case.changed": EntryKind(
        {"case": Of(Pseudonym), "change": _CHANGE},
        {"subject": Of(Pseudonym), "by": Of(Pseudonym), "actor": _ACTOR, "due": Day(), "why": Of(Commitment)},
    ),
    "case.closed": EntryKind(
        {"case": Of(Pseudonym), "outcome": _ENDED},
        {
            "subject": Of(Pseudonym),
            "by": Of(Pseudonym),
            "actor": _ACTOR,
            "cite": Of(Commitment),
            "in_time": OneOf(("yes", "no")),
        },
    ),
    # legal holds on a subject, a place, or both, and their review dates
    "hold.placed": EntryKind(
        {"hold": Of(Pseudonym), "review": Day(), "actor": _ACTOR},
        {"subject": Of(Pseudonym), "place": Of(DeclaredName), "by": Of(Pseudonym), "case": Of(Pseudonym)},
    ),
    "hold.reviewed": EntryKind({"hold": Of(Pseudonym), "review": Day(), "actor": _ACTOR}, {"by": Of(Pseudonym)}),
    "hold.released": EntryKind(
        {"hold": Of(Pseudonym), "actor": _ACTOR},
        {"subject": Of(Pseudonym), "place": Of(DeclaredName), "by": Of(Pseudonym), "case": Of(Pseudonym)},
    ),
    # disclosures (GDPR Art. 15(1)(c), 19; clauses C15, C43): the digest binds the row of the register
    "disclosure.made": EntryKind(
        {
            "recipient": Of(DeclaredName),
            "way": _DISCLOSED,
            "purpose": Of(DeclaredName),
            "people": Whole(1),
            "what": Of(Hash),
        },
        {"subject": Of(Pseudonym), "categories": Whole(1), "case": Of(Pseudonym), "by": Of(Pseudonym)},
    ),
    # a store was restored from a backup, and people erased since were erased again (clause C07)
    "erasure.replayed": EntryKind(
        {"system": Of(DeclaredName), "restored_from": Day(), "found": Whole(), "erased": Whole(), "left": Whole()},
        {"review": Whole(), "plan": Of(Hash)},
    ),
    # our own records were restored from a backup: anything recorded since is lost
    "records.restored": EntryKind({"entries": Whole()}),
    # the clock was ahead of the process's uptime: deadlines wait until somebody confirms that it is right
    "clock.doubted": EntryKind({"days": Whole()}),
    "clock.confirmed": EntryKind({"days": Whole(), "by": Of(Pseudonym)}),
    # an erased person returned of their own accord, and must not be erased again on old grounds: confirmed by staff
    "return.acknowledged": EntryKind(
        {"subject": Of(Pseudonym), "systems": Whole(1), "reason": Of(DeclaredName), "actor": _ACTOR},
        {"by": Of(Pseudonym)},
    ),
    "token.changed": EntryKind(
        {"token": Of(DeclaredName), "change": OneOf(("made", "ended"))}, {"until": Day(), "by": Of(Pseudonym)}
    ),
    "letter.sent": EntryKind(
        {"letter": Of(DeclaredName), "to": Of(Pseudonym)}, {"case": Of(Pseudonym), "digest": Of(Hash)}
    ),
    # staff, and what each may do and see (GDPR Art. 25(2), 32(4); clauses C11, C12)
    "staff.invited": EntryKind({"staff": Of(Pseudonym), "actor": _ACTOR}, {"by": Of(Pseudonym)}),
    "staff.left": EntryKind({"staff": Of(Pseudonym), "why": _LEFT}, {"actor": _ACTOR, "by": Of(Pseudonym)}),
    "grant.given": EntryKind(
        {"staff": Of(Pseudonym), "right": Of(DeclaredName), "actor": _ACTOR, "until": Day()},
        {"by": Of(Pseudonym), "role": Of(DeclaredName), "starts": Day(), "reason": Of(Commitment)},
    ),
    "grant.ended": EntryKind(
        {"staff": Of(Pseudonym), "right": Of(DeclaredName), "why": _GRANT_ENDED}, {"actor": _ACTOR, "by": Of(Pseudonym)}
    ),
    "grants.reviewed": EntryKind({"kept": Whole(), "ended": Whole(), "actor": _ACTOR}, {"by": Of(Pseudonym)}),
    "undertaking.signed": EntryKind({"staff": Of(Pseudonym), "document": Of(Hash), "until": Day()}),
    "access.refused": EntryKind(
        {"by": Of(Pseudonym), "why": _NOT_ALLOWED}, {"right": Of(DeclaredName), "purpose": Of(DeclaredName)}
    ),
    "sign_in.failed": EntryKind({"count": Whole(1)}, {"staff": Of(Pseudonym), "locked": _YES}),
    # many acts in one entry: their number, and a root over a commitment to each (`Batch`)
    "batch.recorded": EntryKind(
        {"what": Of(DeclaredName), "count": Whole(1), "root": Of(Commitment)},
        {**_CASE, "purpose": Of(DeclaredName), "plan": Of(Hash), "system": Of(DeclaredName), "table": Of(DeclaredName)},
    ),
    # promises and their status: each run of a control, with a commitment to its evidence
    "check.made": EntryKind({"control": Of(DeclaredName), "outcome": _OUTCOME, "evidence": Of(Commitment)}),
    "check.changed": EntryKind(
        {"control": Of(DeclaredName), "before": _OUTCOME, "after": _OUTCOME},
        {"declaration": Of(Hash), "query": Of(Hash), "version": Whole(1), "population": Whole(), "tested": Whole()},
    ),
    # a control was wrong: its outcomes of a period are void, and stay visible
    "check.retracted": EntryKind(
        {
            "control": Of(DeclaredName),
            "checks": Whole(1),
            "since": Day(),
            "until": Day(),
            "reason": Of(Commitment),
            "actor": _ACTOR,
        },
        {"by": Of(Pseudonym)},
    ),
    "evidence.disposed": EntryKind({"checks": Whole(1), "before": Day()}),
    "promise.changed": EntryKind(
        {"promise": Of(DeclaredName), "before": _STATUS, "after": _STATUS},
        {"control": Of(DeclaredName), "declaration": Of(Hash)},
    ),
    "control.unbound": EntryKind(
        {"promise": Of(DeclaredName), "control": Of(DeclaredName)}, {"by": Of(Pseudonym), "declaration": Of(Hash)}
    ),
    "control.loosened": EntryKind(
        {"control": Of(DeclaredName), "what": _LOOSENED},
        {
            "promise": Of(DeclaredName),
            "before": Whole(),
            "after": Whole(),
            "by": Of(Pseudonym),
            "declaration": Of(Hash),
        },
    ),
    # approved by a second person; *content* is the hash of the text
    "waiver.given": EntryKind(
        {"promise": Of(DeclaredName), "content": Of(Hash), "until": Day(), "by": Of(Pseudonym), "actor": _ACTOR}
    ),
    "attestation.given": EntryKind(
        {"promise": Of(DeclaredName), "content": Of(Hash), "until": Day(), "by": Of(Pseudonym), "actor": _ACTOR}
    ),
    # released figures about people: their cost of a privacy budget (10^-9 of epsilon and 10^-15 of delta, rounded up),
    # or their threshold, and how many were shown, or withheld to protect others
    "budget.spent": EntryKind(
        {"budget": Of(DeclaredName), "what": Of(DeclaredName), "epsilon_nano": Whole(), "delta_femto": Whole()},
        {"by": Of(Pseudonym)},
    ),
    "counts.released": EntryKind(
        {"history": Of(DeclaredName), "k": Whole(2), "shown": Whole(), "held_back": Whole()}, {"by": Of(Pseudonym)}
    ),
    # the demonstration company breaks its own promises on purpose, and records it
    "demo.fault_planted": EntryKind(
        {"fault": Of(DeclaredName)}, {"control": Of(DeclaredName), "system": Of(DeclaredName), "rows": Whole()}
    ),
}
