"""Mailing lists of processors, kept in sync."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import FieldShape, Of, Whole
from troth.ledger.kinds import EntryKind
from troth.ledger.values import DeclaredName
from troth.service.duty import ControlInput, Duty
from troth.service.duty import marked as _

_SYNCED: Mapping[str, FieldShape] = {
    "list": Of(DeclaredName),
    **dict.fromkeys(("add", "unsubscribe", "delete", "record_stop", "record_bounce"), Whole()),
}

DUTY = Duty(
    entries={"list.synced": EntryKind(_SYNCED)},
    entry_titles={"list.synced": _("A mailing list of a processor was brought into line")},
    controls="troth.service.processors.controls",
    rehearsal="troth.service.processors.rehearsal",
    inputs={
        "synced_lists": ControlInput(
            "the mailing lists of processors, as they were when they were last compared",
            "troth.service.processors.controls:synced_lists",
        )
    },
    after={"list.compared": ("mail.processor_in_sync",)},
    jobs=("troth.service.processors.jobs",),
    sealed="troth.service.processors.sealed_fields:SEALED",
    tables="own_tables.yaml",
    urls=(("hooks/", "troth.service.processors.urls"),),
    paths=("/hooks",),
    choices_changed="troth.service.processors.actions:choices_changed",
    people_erased="troth.service.processors.actions:people_erased",
    evidence=("list.",),
)
