"""The list of what people chose about the use of their data."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import FieldShape, Of, OneOf, Whole
from troth.ledger.kinds import ACTOR, EntryKind
from troth.ledger.values import Hash, Pseudonym
from troth.service.duty import Duty
from troth.service.duty import marked as _

_STATE = OneOf(("given", "refused", "withdrawn", "objected", "restricted", "complained", "undeliverable"))
_CHOICES: Mapping[str, FieldShape] = {"act": Of(Pseudonym), "state": _STATE, "rows": Whole(1), "choices": Of(Hash)}
"""The act that they belong to, and the digest of their rows."""

DUTY = Duty(
    entries={
        "choice.recorded": EntryKind({**_CHOICES, "actor": ACTOR}),
        "choice.ended": EntryKind(_CHOICES),
    },
    entry_titles={
        "choice.recorded": _("A choice about the use of a person’s data was recorded"),
        "choice.ended": _("A choice about the use of a person’s data has ended"),
    },
    tables="own_tables.yaml",
)
