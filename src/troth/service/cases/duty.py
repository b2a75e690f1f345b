"""Cases: what is the same for everything that people ask or complain about, whichever duty answers it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from troth.ledger.fields import Day, FieldShape, Of, OneOf, Whole
from troth.ledger.kinds import ACTOR, RIGHT, EntryKind
from troth.ledger.values import Commitment, Hash, Pseudonym
from troth.service.duty import ConsolePage, Duty, InboxTaker, LinkKind
from troth.service.duty import marked as _
from troth.service.mail.facts import DAY, REDRESS, RIGHTS, date, line, lines, link, moment, one_of, prose, right, whole
from troth.service.mail.message_kinds import MessageKind
from troth.service.staff.rights import StaffRight

_WHAT = OneOf(("request", "complaint", "question"))
_CHANNEL = OneOf(("centre", "mail", "api", "staff"))
_CHANGES = "acknowledged paused resumed extended assigned escalated restricted reopened stopped granted"
_CHANGE = OneOf(tuple(_CHANGES.split()))
_ENDED = OneOf(("fulfilled", "partly_fulfilled", "refused", "withdrawn"))

_WHO: Mapping[str, FieldShape] = {"subject": Of(Pseudonym), "by": Of(Pseudonym), "actor": ACTOR}

_ENTRIES: Mapping[str, EntryKind] = {
    "plan.approved": EntryKind(
        {"plan": Of(Hash), "right": RIGHT, "subject": Of(Pseudonym), "actor": ACTOR},
        {"case": Of(Pseudonym), "by": Of(Pseudonym), "declaration": Of(Hash), "rows": Whole()},
    ),
    # cases and their answers (GDPR Art. 12; clauses C21, C48-C53)
    "case.received": EntryKind(
        {"case": Of(Pseudonym), "what": _WHAT, "channel": _CHANNEL},
        {"right": RIGHT, "subject": Of(Pseudonym), "actor": ACTOR, "by": Of(Pseudonym), "due": Day()},
    ),
    "case.verified": EntryKind(
        {"case": Of(Pseudonym), "tier": Whole()}, {"subject": Of(Pseudonym), "by": Of(Pseudonym)}
    ),
    "case.changed": EntryKind(
        {"case": Of(Pseudonym), "change": _CHANGE}, {**_WHO, "due": Day(), "why": Of(Commitment)}
    ),
    "case.closed": EntryKind(
        {"case": Of(Pseudonym), "outcome": _ENDED}, {**_WHO, "cite": Of(Commitment), "in_time": OneOf(("yes", "no"))}
    ),
}

PROVE_LINK = LinkKind(
    "requests.prove", "troth.service.cases.pages.links:prove", resend="troth.service.cases.resend_links:resend_links"
)
AGENT_LINK = LinkKind("requests.agent", "troth.service.cases.pages.links:authorise_agent")
PACKAGE_LINK = LinkKind("requests.package", "troth.service.cases.pages.links:open_package")
STATUS_LINK = LinkKind(
    "requests.status",
    "troth.service.cases.pages.links:open_status",
    lasts=dt.timedelta(days=400),  # longer than the longest deadline, and the year in which people may come back to it
    is_standing=True,
)


_ASKED = {"right": right, "received": date}

_MESSAGES: Mapping[str, MessageKind] = {
    "link": MessageKind(
        {"link": link, "until": moment},
        {"what": one_of(*RIGHTS, "appeal", "complaint", "question", "resume"), "hours": whole, "known": one_of("yes")},
        lasts=DAY,
        is_owed=False,
    ),
    "agent_authority": MessageKind(
        {"right": right, "link": link, "until": moment}, {"hours": whole}, lasts=14 * DAY, is_owed=False
    ),
    "acknowledged": MessageKind(
        {**_ASKED, "due": date, "laws": lines},
        {"status": link, "verification": one_of("none", "link", "points", "account", "document"), "next": prose},
    ),
    "more_information": MessageKind(
        {"right": right, "needed": prose, "clock": one_of("paused", "runs")},
        {"asked": date, "due": date, "link": link, "cite": line},
    ),
    "reminder_to_person": MessageKind({"right": right, "needed": prose, "asked": date}, {"link": link}),
    "resumed": MessageKind({"right": right, "due": date}, {"paused_days": whole, "status": link, "cite": line}),
    "extended": MessageKind(
        {**_ASKED, "reasons": prose, "due_before": date, "due": date, "cite": line}, {"status": link, **REDRESS}
    ),
    "refused": MessageKind({**_ASKED, "reasons": prose, "cite": line}, {"status": link, **REDRESS}),
    "withdrawn": MessageKind(
        {"right": right, "closed": date},
        {
            "denied": one_of("yes"),
            "erasure": line,
            "lifted": one_of("yes"),
            "remembered": one_of("yes"),
            "status": link,
        },
    ),
    "staff_due_soon": MessageKind({"due": date, "link": link}, {"what": line, "days": whole}, to_person=False),
    "staff_escalation": MessageKind({"due": date, "link": link, "why": line}, {"what": line}, to_person=False),
}

DUTY = Duty(
    entries=_ENTRIES,
    entry_titles={"case.closed": _("A request, complaint or question was closed")},
    messages=_MESSAGES,
    webhooks={
        "case.received": _("A request was received"),
        "case.verified": _("A person proved their identity"),
        "case.changed": _("A request continues, pauses or waits for a person"),
        "case.closed": _("A request was answered"),
        "case.escalated": _("A deadline is near or missed"),
    },
    inbox=(InboxTaker("request", "troth.service.cases.intake.mailbox:take", 900),),
    letter_returned="troth.service.cases.messages:note_returned",
    jobs=("troth.service.cases.jobs",),
    tables="own_tables.yaml",
    metrics="troth.service.cases.metrics:figures",
    links=(PROVE_LINK, AGENT_LINK, PACKAGE_LINK, STATUS_LINK),
    urls=(("your-data/", "troth.service.cases.pages.urls"), ("console/", "troth.service.cases.console.urls")),
    console=(
        ConsolePage(
            "cases",
            _("Requests"),
            (StaffRight.CASES_HANDLE, StaffRight.CASES_APPROVE),
            _("Requests, complaints and questions."),
            place=10,
            group=_("Cases"),
        ),
        ConsolePage(
            "search",
            _("Search"),
            (StaffRight.PERSONAL_SEE,),
            _("Find a person, for a declared purpose."),
            place=20,
            group=_("Cases"),
        ),
    ),
    console_figures="troth.service.cases.console.figures:figures",
    at_start=("troth.service.cases.confidential", "troth.service.cases.case_links"),
)
