"""Tokens instead of card numbers and secrets."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import Of, Whole
from troth.ledger.kinds import EntryKind
from troth.ledger.values import DeclaredName, Pseudonym
from troth.service.duty import Duty

_ENTRIES: Mapping[str, EntryKind] = {
    # operations with tokens (PCI DSS 4.0.1, 10.2.1): one entry per batch
    "tokens.made": EntryKind({"domain": Of(DeclaredName), "count": Whole(1)}, {"by": Of(Pseudonym)}),
    "tokens.read": EntryKind(
        {"domain": Of(DeclaredName), "count": Whole(1), "purpose": Of(DeclaredName)}, {"by": Of(Pseudonym)}
    ),
    "tokens.forgotten": EntryKind({"domain": Of(DeclaredName), "count": Whole(1)}, {"by": Of(Pseudonym)}),
}


DUTY = Duty(
    entries=_ENTRIES,
    sealed="troth.service.vault.sealed_fields:SEALED",
    tables="own_tables.yaml",
)
