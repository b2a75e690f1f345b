"""Kinds of entries and their fields: those that the library records, and `add_kinds` for those of packages above.

Entries are permanent, so a released kind can only gain fields under *may*; any other change is a new kind. Texts (a
reason, an attestation) are stored as a `Commitment`; the holder of the opening can reveal them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from troth.ledger.fields import Day, FieldShape, Of, OneOf, Whole, WordCounts
from troth.ledger.values import Commitment, DeclaredName, Hash, KeyId, Pseudonym
from troth.registration import complete


@dataclass(frozen=True, slots=True)
class EntryKind:
    """The fields that an entry of this kind *needs*, and those that it *may* hold besides: name to shape."""

    needs: Mapping[str, FieldShape]
    may: Mapping[str, FieldShape] = field(default_factory=dict)


ACTOR = OneOf(("subject", "agent", "staff", "owner", "rule"))
"""Who acted: the subject, their agent, a member of staff, the operator at the command line, a declared rule."""

RIGHT = OneOf(("view", "amend", "erase", "restrict", "port", "object", "withdraw", "appeal"))
_STRATEGY = WordCounts(("delete", "null", "mask", "pseudonymise", "keep"))
_RESCAN = OneOf(("clean", "residue", "not_observed"))
_FAILURE = OneOf(
    ("unreachable", "refused", "busy", "conflict", "unknown_name", "changed", "residue", "limit", "held", "crashed")
)


_CASE: Mapping[str, FieldShape] = {"case": Of(Pseudonym), "by": Of(Pseudonym), "actor": ACTOR}
"""The case that an act belongs to, and who acted."""

_known: dict[str, EntryKind] = {
    # the company's declaration
    "declaration.loaded": EntryKind(
        {"declaration": Of(Hash), "systems": Whole(), "tables": Whole(), "fields": Whole(), "promises": Whole()},
        {"policy": Of(Hash), "by": Of(Pseudonym)},
    ),
    "declaration.changed": EntryKind(
        {"before": Of(Hash), "after": Of(Hash)},
        {"policy_before": Of(Hash), "policy_after": Of(Hash), "by": Of(Pseudonym)},
    ),
    "keys.created": EntryKind(
        {"key": Of(KeyId), "purpose": OneOf(("root", "ledger", "epoch", "field", "subject", "token", "mail"))},
        {"public": Of(Hash), "by": Of(Pseudonym)},
    ),
    "keys.changed": EntryKind(
        {
            "key": Of(KeyId),
            "purpose": OneOf(("root", "ledger", "epoch", "field", "subject", "token", "mail")),
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
    # acts on a subject's data (GDPR Art. 5(2), 15-17)
    "subject.viewed": EntryKind(
        {"subject": Of(Pseudonym), "actor": ACTOR, "purpose": Of(DeclaredName)},
        {
            "case": Of(Pseudonym),
            "by": Of(Pseudonym),
            "plan": Of(Hash),
            "systems": Whole(),
            "tables": Whole(),
            "rows": Whole(),
        },
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
        {"run": Of(Pseudonym), "right": RIGHT, "plan": Of(Hash), "done": Whole(), "left": Whole()},
        {"subject": Of(Pseudonym), "case": Of(Pseudonym)},
    ),
    # many acts in one entry: their number, and a root over a commitment to each (`Batch`)
    "batch.recorded": EntryKind(
        {"what": Of(DeclaredName), "count": Whole(1), "root": Of(Commitment)},
        {**_CASE, "purpose": Of(DeclaredName), "plan": Of(Hash), "system": Of(DeclaredName), "table": Of(DeclaredName)},
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


def add_kinds(kinds: Mapping[str, EntryKind]) -> None:
    """Register *kinds*. Raises ``ValueError`` for a name that has another meaning already: entries are permanent."""
    if other := sorted(name for name, kind in kinds.items() if _known.get(name, kind) != kind):
        raise ValueError(f"kinds of entries with another meaning: {', '.join(other)}")
    _known.update(kinds)


class _Kinds(Mapping[str, EntryKind]):
    """All registered kinds."""

    def __getitem__(self, name: str) -> EntryKind:
        complete("entries")
        return _known[name]

    def __iter__(self) -> Iterator[str]:
        complete("entries")
        return iter(_known)

    def __len__(self) -> int:
        complete("entries")
        return len(_known)


KINDS: Mapping[str, EntryKind] = _Kinds()
"""Every kind of entry, by its name."""
