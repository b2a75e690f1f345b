"""Staff: accounts, rights, what each has looked at; and the frame of the console."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import Day, Of, OneOf, Whole
from troth.ledger.kinds import ACTOR, EntryKind
from troth.ledger.values import Commitment, DeclaredName, Hash, Pseudonym
from troth.service.duty import ConsolePage, ControlInput, Duty
from troth.service.duty import marked as _
from troth.service.mail.facts import DAY, lines, link, moment
from troth.service.mail.message_kinds import MessageKind
from troth.service.staff.rights import StaffRight

_LEFT = OneOf(("left", "inactive"))
_GRANT_ENDED = OneOf(("revoked", "not_needed", "left", "over"))
_NOT_ALLOWED = OneOf(("right", "factor", "undertaking", "purpose", "own", "unrecorded"))
_YES = OneOf(("yes", "no"))

_ENTRIES: Mapping[str, EntryKind] = {
    # staff, and what each may do and see (GDPR Art. 25(2), 32(4); clauses C11, C12)
    "staff.invited": EntryKind({"staff": Of(Pseudonym), "actor": ACTOR}, {"by": Of(Pseudonym)}),
    "staff.left": EntryKind({"staff": Of(Pseudonym), "why": _LEFT}, {"actor": ACTOR, "by": Of(Pseudonym)}),
    "grant.given": EntryKind(
        {"staff": Of(Pseudonym), "right": Of(DeclaredName), "actor": ACTOR, "until": Day()},
        {"by": Of(Pseudonym), "role": Of(DeclaredName), "starts": Day(), "reason": Of(Commitment)},
    ),
    "grant.ended": EntryKind(
        {"staff": Of(Pseudonym), "right": Of(DeclaredName), "why": _GRANT_ENDED}, {"actor": ACTOR, "by": Of(Pseudonym)}
    ),
    "grants.reviewed": EntryKind({"kept": Whole(), "ended": Whole(), "actor": ACTOR}, {"by": Of(Pseudonym)}),
    "undertaking.signed": EntryKind({"staff": Of(Pseudonym), "document": Of(Hash), "until": Day()}),
    "access.refused": EntryKind(
        {"by": Of(Pseudonym), "why": _NOT_ALLOWED}, {"right": Of(DeclaredName), "purpose": Of(DeclaredName)}
    ),
    "sign_in.failed": EntryKind({"count": Whole(1)}, {"staff": Of(Pseudonym), "locked": _YES}),
}


DUTY = Duty(
    entries=_ENTRIES,
    messages={
        "staff_invite": MessageKind({"link": link, "until": moment, "roles": lines}, lasts=7 * DAY, to_person=False),
    },
    controls="troth.service.staff.controls",
    rehearsal="troth.service.staff.rehearsal",
    inputs={
        "holders": ControlInput("", "troth.service.staff.controls:holders"),
        "roster": ControlInput(
            "who works with Troth, what each may do, and the looks at personal data",
            "troth.service.staff.controls:team",
        ),
    },
    rights=(
        StaffRight.CASES_HANDLE,
        StaffRight.CASES_APPROVE,
        StaffRight.PERSONAL_SEE,
        StaffRight.STAFF_MANAGE,
        StaffRight.OFFICER,
        StaffRight.HOLDS_MANAGE,
    ),
    jobs=("troth.service.staff.jobs",),
    sealed="troth.service.staff.sealed_fields:SEALED",
    tables="own_tables.yaml",
    urls=(("", "troth.service.staff.urls"),),
    paths=("/staff", "/console"),
    console=(
        ConsolePage("console", _("Console"), place=0),
        ConsolePage(
            "holds",
            _("Holds"),
            (StaffRight.HOLDS_MANAGE,),
            _("What must not be deleted."),
            place=40,
            group=_("Cases"),
        ),
        ConsolePage(
            "officer",
            _("In confidence"),
            (StaffRight.OFFICER,),
            _("Messages to the data-protection officer."),
            place=90,
            group=_("Team"),
        ),
        ConsolePage(
            "staff",
            _("Staff"),
            (StaffRight.STAFF_MANAGE, StaffRight.OFFICER),
            _("Who works here, and what each may do."),
            place=100,
            group=_("Team"),
        ),
        ConsolePage(
            "review",
            _("Access review"),
            (StaffRight.STAFF_MANAGE,),
            _("Say of each grant whether it is still needed."),
            place=110,
            group=_("Team"),
        ),
        ConsolePage(
            "access-log",
            _("Access log"),
            (StaffRight.OFFICER,),
            _("Who saw personal data, when, and for which purpose."),
            place=105,
            group=_("Team"),
        ),
    ),
    at_start=("troth.service.staff.factors",),
)
