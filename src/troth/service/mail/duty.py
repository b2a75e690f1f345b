"""E-mail to people, staff and recipients."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import Of, OneOf, Whole
from troth.ledger.kinds import EntryKind
from troth.ledger.values import DeclaredName, Hash, Pseudonym
from troth.service.duty import ControlInput, Duty, InboxTaker
from troth.service.mail.bulk.settings import read_rates, read_return
from troth.service.mail.facts import line, link, moment, prose
from troth.service.mail.message_kinds import MessageKind

_ENTRIES: Mapping[str, EntryKind] = {
    "letter.sent": EntryKind(
        {"letter": Of(DeclaredName), "to": Of(Pseudonym)}, {"case": Of(Pseudonym), "digest": Of(Hash)}
    ),
    # one text that goes to many (clauses C23, C25)
    "edition.started": EntryKind(
        {"edition": Of(Pseudonym), "list": Of(DeclaredName), "plan": Of(Hash), "people": Whole(1), "by": Of(Pseudonym)}
    ),
    "edition.changed": EntryKind({"edition": Of(Pseudonym), "state": OneOf(("sending", "paused", "cancelled"))}),
    "edition.finished": EntryKind(
        {"edition": Of(Pseudonym), **dict.fromkeys(("sent", "refused", "stopped", "in_doubt"), Whole())}
    ),
}


DUTY = Duty(
    entries=_ENTRIES,
    controls="troth.service.mail.controls",
    rehearsal="troth.service.mail.rehearsal",
    inputs={
        "letters": ControlInput(
            "how the letters that are owed to somebody stand: sent, waiting, failed",
            "troth.service.mail.controls:letters",
        )
    },
    inbox=(
        InboxTaker("report", "troth.service.mail.bounces.actions:take", 200),
        InboxTaker("stop by token", "troth.service.mail.stops.inbox:take_token", 150),
        InboxTaker("stop in own words", "troth.service.mail.stops.inbox:take_own_words", 300),
    ),
    messages={
        "staff_alert": MessageKind(
            {"what": line, "at": moment}, {"detail": prose, "link": link}, to_person=False, is_owed=False
        )
    },
    jobs=("troth.service.mail.jobs",),
    sealed="troth.service.mail.sealed_fields:SEALED",
    tables="own_tables.yaml",
    metrics="troth.service.mail.metrics:figures",
    settings={"TROTH_MAIL_RATES": read_rates, "TROTH_MAIL_RETURN": read_return},
)
