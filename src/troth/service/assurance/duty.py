"""Controls, checks, and the status of each promise."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import Day, Of, OneOf, Whole
from troth.ledger.kinds import ACTOR, EntryKind
from troth.ledger.values import Commitment, DeclaredName, Hash, Pseudonym
from troth.service.api.scopes import ApiScope
from troth.service.duty import ConsolePage, ControlInput, Duty, InboxTaker, LinkKind
from troth.service.duty import marked as _
from troth.service.mail.facts import DAY, link, moment
from troth.service.mail.message_kinds import MessageKind
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
    # breaches planted into an invented company, and how many were noticed
    "rehearsal.made": EntryKind(
        {"promises": Whole(), "planted": Whole(), "noticed": Whole(), "declaration": Of(Hash), "content": Of(Hash)}
    ),
    # an invented person was planted and erased again in the company's systems: tables, and rows that were left
    "canary.made": EntryKind({"systems": Whole(1), "planted": Whole(), "found": Whole(), "left": Whole()}),
    # a prober in another network got a key, or lost it
    "prober.changed": EntryKind({"prober": Of(DeclaredName), "change": OneOf(("made", "ended"))}),
    # a person pressed the button in an e-mail to a declared mailbox
    "contact.answered": EntryKind({"mailbox": OneOf(("organisation", "officer", "deputy"))}),
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

CONTACT_LINK = LinkKind("assurance.contact", opens="troth.service.assurance.contact_checks:confirm", lasts=30 * DAY)

DUTY = Duty(
    entries=_ENTRIES,
    messages={
        "contact_check": MessageKind({"link": link, "until": moment}, lasts=3 * DAY, to_person=False, is_owed=False),
    },
    links=(CONTACT_LINK,),
    inbox=(InboxTaker("contact check", "troth.service.assurance.contact_checks:take_own", 100),),
    inputs={
        "contradicted": ControlInput("", "troth.service.assurance.control_inputs:contradicted"),
        "pushed": ControlInput("", "troth.service.assurance.pushed_evidence:pushed_evidence"),
        "exposure": ControlInput(
            "which ports of ours answer from outside: troth.site.exposure.Exposure",
            "troth.service.assurance.probers:exposure",
        ),
        "contacts": ControlInput(
            "what became of the e-mails to each declared mailbox: Sequence[troth.site.mailboxes.MailboxCheck]",
            "troth.service.assurance.contact_checks:contacts",
        ),
        "canaries": ControlInput(
            "what the last canary showed, a row for each system: Sequence[troth.service.assurance.models.CanaryRow]",
            "troth.service.assurance.canaries:last",
        ),
        "stuck_canaries": ControlInput(
            "where rows of any canary may be left: Sequence[troth.service.assurance.models.CanaryRow]",
            "troth.service.assurance.canaries:stuck",
        ),
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
    sealed="troth.service.assurance.canaries:SEALED",
    tables="own_tables.yaml",
    metrics="troth.service.assurance.metrics:figures",
    urls=(("", "troth.service.assurance.urls"),),
    paths=("/probes",),
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
    evidence_files="troth.service.assurance.rehearsal.record:files",
    rehearsal="troth.service.assurance.rehearsal.business",
    evidence=(
        "attestation.",
        "canary.",
        "check.",
        "contact.",
        "control.",
        "declaration.",
        "evidence.",
        "law.",
        "prober.",
        "promise.",
        "rehearsal.",
        "waiver.",
    ),
)
