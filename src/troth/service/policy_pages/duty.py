"""The published policy, its versions, and the status under each sentence."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import Day, Of, OneOf, Whole
from troth.ledger.kinds import EntryKind
from troth.ledger.values import Hash, Pseudonym
from troth.service.duty import ControlInput, Duty

_VERDICT = OneOf(("first", "weakened", "strengthened", "reworded", "moved", "same"))

_ENTRIES: Mapping[str, EntryKind] = {
    "policy.published": EntryKind(
        {"policy": Of(Hash), "effective": Day(), "verdict": _VERDICT},
        {"before": Of(Hash), "weaker": Whole(), "by": Of(Pseudonym)},
    ),
}


DUTY = Duty(
    entries=_ENTRIES,
    controls="troth.service.policy_pages.controls",
    inputs={
        "held_back": ControlInput(
            "why a version of the policy is not published, empty where none waits: Callable[[], str]",
            "troth.service.policy_pages.controls:held_back_now",
        ),
        "is_published": ControlInput(
            "whether every version of the policy is published: Callable[[], bool]",
            "troth.service.policy_pages.controls:is_published_now",
        ),
    },
    tables="own_tables.yaml",
    urls=(("", "troth.service.policy_pages.urls"),),
    paths=("/policy",),
    before_checks="troth.service.policy_pages.actions:publish_due",
    unbound="troth.service.policy_pages.actions:unbound",
    evidence=("policy.",),
    evidence_files="troth.service.policy_pages.evidence:files",
    rehearsal="troth.service.policy_pages.rehearsal",
)
