"""The register of what went to whom, and the recipients that have to be told of a change."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import Of, OneOf, Whole
from troth.ledger.kinds import EntryKind
from troth.ledger.values import DeclaredName, Hash, Pseudonym
from troth.service.api.scopes import ApiScope
from troth.service.duty import ConsolePage, ControlInput, Duty
from troth.service.duty import marked as _
from troth.service.mail.facts import date, lines, link, one_of, values
from troth.service.mail.message_kinds import MessageKind
from troth.service.staff.rights import StaffRight

_DISCLOSED = OneOf(("notice", "export", "share", "processor", "legal_demand", "sale"))

_ENTRIES: Mapping[str, EntryKind] = {
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
}

DISCLOSURES_SEE = StaffRight(
    "disclosures.see", _("See what was disclosed to whom"), personal=True, roles=("officer", "deputy")
)
DISCLOSURES_WRITE = ApiScope("disclosures.write", _("Record what is disclosed to whom"))
DISCLOSURES_READ = ApiScope("disclosures.read", _("Ask who received somebody’s data"), reaches_personal=True)

DUTY = Duty(
    entries=_ENTRIES,
    messages={
        "recipient_notice": MessageKind(
            {
                "right": one_of("amend", "erase", "restrict", "unrestrict"),
                "people": lines,
                "what": lines,
                "on": date,
            },
            {"changed": values, "link": link, "own": one_of("yes")},
            to_person=False,
        ),
    },
    controls="troth.service.disclosures.controls",
    rehearsal="troth.service.disclosures.rehearsal",
    inputs={
        "disclosures": ControlInput(
            "the register of what went to whom, beside what the ledger says of it",
            "troth.service.disclosures.controls:register",
        )
    },
    after={
        "disclosures.changed": ("disclosures.answerable", "disclosures.none_sold", "requests.recipients_told"),
    },
    rights=(DISCLOSURES_SEE,),
    scopes=(DISCLOSURES_WRITE, DISCLOSURES_READ),
    tables="own_tables.yaml",
    urls=(("console/disclosures/", "troth.service.disclosures.urls"),),
    api="troth.service.disclosures.api:router",
    console=(
        ConsolePage(
            "disclosures", _("Disclosures"), (DISCLOSURES_SEE,), _("What went to whom."), place=50, group=_("Cases")
        ),
    ),
)
