"""The base of all duties: the ledger, keys, holds, what was erased, jobs."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import Day, Of, Whole
from troth.ledger.kinds import ACTOR, EntryKind
from troth.ledger.values import DeclaredName, Hash, Pseudonym
from troth.service.duty import ControlInput, Duty

_ENTRIES: Mapping[str, EntryKind] = {
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
    # legal holds on a subject, a place, or both, and their review dates
    "hold.placed": EntryKind(
        {"hold": Of(Pseudonym), "review": Day(), "actor": ACTOR},
        {"subject": Of(Pseudonym), "place": Of(DeclaredName), "by": Of(Pseudonym), "case": Of(Pseudonym)},
    ),
    "hold.reviewed": EntryKind({"hold": Of(Pseudonym), "review": Day(), "actor": ACTOR}, {"by": Of(Pseudonym)}),
    "hold.released": EntryKind(
        {"hold": Of(Pseudonym), "actor": ACTOR},
        {"subject": Of(Pseudonym), "place": Of(DeclaredName), "by": Of(Pseudonym), "case": Of(Pseudonym)},
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
        {"subject": Of(Pseudonym), "systems": Whole(1), "reason": Of(DeclaredName), "actor": ACTOR},
        {"by": Of(Pseudonym)},
    ),
    "evidence.disposed": EntryKind({"checks": Whole(1), "before": Day()}),
}


DUTY = Duty(
    entries=_ENTRIES,
    controls="troth.service.core.controls",
    rehearsal="troth.service.core.rehearsal",
    inputs={
        "log": ControlInput("", "troth.service.core.control_inputs:log"),
        "keyring": ControlInput("", "troth.service.core.control_inputs:keyring"),
        "keys": ControlInput("", "troth.service.core.control_inputs:keys"),
        "holds": ControlInput("", "troth.service.core.control_inputs:holds"),
        "tombstones": ControlInput(
            "who was erased, as pseudonyms that can be matched again", "troth.service.core.control_inputs:tombstones"
        ),
        "journal": ControlInput("the journal of runs: troth.rows.Journal", "troth.service.core.control_inputs:journal"),
    },
    after={"erasure.done": ("core.held_cases_freeze_deletion", "retention.erased_stays_erased", "core.runs_finished")},
    jobs=("troth.service.core.recurring",),
    sealed="troth.service.core.sealed_fields:SEALED",
    tables="own_tables.yaml",
    urls=(("", "troth.service.core.urls"),),
    paths=("/ledger",),
    metrics="troth.service.core.metrics:figures",
)
