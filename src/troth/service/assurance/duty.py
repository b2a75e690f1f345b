"""Controls, checks, and the status of each promise."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import Day, Of, OneOf, Whole
from troth.ledger.kinds import ACTOR, EntryKind
from troth.ledger.values import Commitment, DeclaredName, Hash, Pseudonym
from troth.service.api.scopes import ApiScope
from troth.service.duty import ConsolePage, ControlInput, Duty
from troth.service.duty import marked as _
from troth.service.staff.rights import StaffRight

_OUTCOME = OneOf(("none", "pass", "fail", "error", "not_applicable", "stale"))
_STATUS = OneOf(("none", "kept", "stated", "waived", "unproven", "broken"))
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

_GIVEN = EntryKind(
    {"promise": Of(DeclaredName), "content": Of(Hash), "until": Day(), "by": Of(Pseudonym), "actor": ACTOR}
)

_ENTRIES: Mapping[str, EntryKind] = {
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
            "actor": ACTOR,
        },
        {"by": Of(Pseudonym)},
    ),
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
    "waiver.given": _GIVEN,
    "attestation.given": _GIVEN,
    # somebody compared the policy, and the rule sets as shipped, with the law
    "law.reviewed": EntryKind({"rules": Of(Hash), "policy": Of(Hash), "by": Of(Pseudonym), "actor": ACTOR}),
}

EVIDENCE_READ = StaffRight(
    "evidence.read", _("Read evidence and the record of checks"), roles=("officer", "deputy", "auditor")
)
PROMISES_APPROVE = StaffRight(
    "promises.approve",
    _("Approve waivers and attestations of other people"),
    roles=("approver", "officer", "deputy"),
)
LAW_REVIEW = StaffRight(
    "law.review", _("Record that the policy was compared with the law"), roles=("officer", "deputy")
)
EVIDENCE_WRITE = ApiScope("evidence.write", _("Send evidence for the company’s own controls"))

DUTY = Duty(
    entries=_ENTRIES,
    inputs={
        "contradicted": ControlInput("", "troth.service.assurance.control_inputs:contradicted"),
        "pushed": ControlInput("", "troth.service.assurance.pushed_evidence:pushed_evidence"),
    },
    controls="troth.service.assurance.controls",
    after={"law.reviewed": ("law.reviewed",)},
    rights=(EVIDENCE_READ, PROMISES_APPROVE, LAW_REVIEW),
    scopes=(EVIDENCE_WRITE,),
    webhooks={
        "control.failing": _("A control fails"),
        "control.passing": _("A control passes again"),
        "attestation.expiring": _("An attestation of a promise is about to expire"),
    },
    jobs=("troth.service.assurance.jobs",),
    tables="own_tables.yaml",
    metrics="troth.service.assurance.metrics:figures",
    urls=(("console/", "troth.service.assurance.urls"),),
    api="troth.service.assurance.api:router",
    api_tag="evidence",
    console=(
        ConsolePage(
            "promises",
            _("Promises"),
            (EVIDENCE_READ, StaffRight.CASES_HANDLE),
            _("The status of each promise, and why."),
            place=55,
            group=_("Policy"),
        ),
        ConsolePage(
            "controls",
            _("Controls"),
            (EVIDENCE_READ, StaffRight.CASES_HANDLE),
            _("Failing controls, and attestations to renew."),
            place=60,
            group=_("Policy"),
        ),
        ConsolePage(
            "waivers",
            _("Waivers"),
            (PROMISES_APPROVE, EVIDENCE_READ),
            _("Waivers and attestations: who gave them, who approved them, and until when."),
            place=65,
            group=_("Policy"),
        ),
        ConsolePage(
            "processing",
            _("Processing"),
            (EVIDENCE_READ,),
            _("Data flows, the record of processing and the evidence."),
            place=70,
            group=_("Policy"),
        ),
    ),
    console_figures="troth.service.assurance.console.promises:figures",
    evidence=("attestation.", "check.", "control.", "declaration.", "evidence.", "law.", "promise.", "waiver."),
)
