"""What people ask about their data: requests, complaints, questions, appeals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from troth.ledger.fields import Day, Of, OneOf, Whole
from troth.ledger.kinds import ACTOR, RIGHT, EntryKind
from troth.ledger.values import Commitment, Hash, Pseudonym
from troth.service.api.scopes import ApiScope
from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.duty import ConsolePage, Duty, LinkKind
from troth.service.duty import marked as _
from troth.service.mail.facts import (
    DAY,
    REDRESS,
    RIGHTS,
    Shape,
    date,
    kept,
    line,
    lines,
    link,
    moment,
    one_of,
    prose,
    right,
    whole,
)
from troth.service.mail.message_kinds import MessageKind
from troth.service.staff.rights import StaffRight

_WHAT = OneOf(("request", "complaint", "question"))
_CHANNEL = OneOf(("centre", "mail", "api", "staff"))
_CHANGE = OneOf(
    (
        "acknowledged",
        "paused",
        "resumed",
        "extended",
        "assigned",
        "escalated",
        "restricted",
        "reopened",
        "stopped",
        "granted",
    )
)
_ENDED = OneOf(("fulfilled", "partly_fulfilled", "refused", "withdrawn"))

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
        {"case": Of(Pseudonym), "change": _CHANGE},
        {"subject": Of(Pseudonym), "by": Of(Pseudonym), "actor": ACTOR, "due": Day(), "why": Of(Commitment)},
    ),
    "case.closed": EntryKind(
        {"case": Of(Pseudonym), "outcome": _ENDED},
        {
            "subject": Of(Pseudonym),
            "by": Of(Pseudonym),
            "actor": ACTOR,
            "cite": Of(Commitment),
            "in_time": OneOf(("yes", "no")),
        },
    ),
}

CASES_WRITE = ApiScope("cases.write", _("Open requests and withdraw them"), reaches_personal=True)
CASES_READ = ApiScope("cases.read", _("Follow the requests that it opened"))
CASES_ALL = ApiScope(
    "cases.all", _("Do with the requests of every program what it may do with its own"), reaches_personal=True
)
PACKAGES_READ = ApiScope(
    "packages.read", _("Download the packages of people who were signed in (personal data)"), reaches_personal=True
)
GUARD_READ = ApiScope("guard.read", _("Ask whether somebody’s data may be used"))

PROVE_LINK = LinkKind(
    "requests.prove",
    "troth.service.requests.pages.links:prove",
    resend="troth.service.requests.responses.resend_links:resend_links",
)
AGENT_LINK = LinkKind("requests.agent", "troth.service.requests.pages.links:authorise_agent")
PACKAGE_LINK = LinkKind("requests.package", "troth.service.requests.pages.links:open_package")
STATUS_LINK = LinkKind(
    "requests.status",
    "troth.service.requests.pages.links:open_status",
    lasts=dt.timedelta(days=400),  # longer than the longest deadline, and the year in which people may come back to it
    is_standing=True,
)


def _without(shapes: Mapping[str, Shape], name: str) -> Mapping[str, Shape]:
    return {other: shape for other, shape in shapes.items() if other != name}


_DONE: Mapping[str, Shape] = {"status": link, "receipt": link, "told": lines, **REDRESS}
"""Links to a fulfilled request and its proof, and recipients *told* (Art. 19)."""
_ASKED: Mapping[str, Shape] = {"right": right, "received": date}
_STOP: Mapping[str, Shape] = {"right": one_of("restrict", "object", "withdraw"), "received": date}
_STOPPED: Mapping[str, Shape] = {
    "purposes": lines,
    "places": lines,
    "searched": lines,
    "remembered": one_of("yes"),
}
"""Stopped uses, systems where that was verified, systems that hold nothing of the person, and whether their choice is
kept."""

_MESSAGES: Mapping[str, MessageKind] = {
    "link": MessageKind(
        {"link": link, "until": moment},
        {
            "what": one_of(*RIGHTS, "appeal", "complaint", "question", "resume"),
            "hours": whole,
            "known": one_of("yes"),
        },
        lasts=DAY,
        is_owed=False,
    ),
    "agent_authority": MessageKind(
        {"right": right, "link": link, "until": moment}, {"hours": whole}, lasts=14 * DAY, is_owed=False
    ),
    "acknowledged": MessageKind(
        {**_ASKED, "due": date, "laws": lines},
        {
            "status": link,
            "verification": one_of("none", "link", "points", "account", "document"),
            "next": prose,
        },
    ),
    "more_information": MessageKind(
        {"right": right, "needed": prose, "clock": one_of("paused", "runs")},
        {"asked": date, "due": date, "link": link, "cite": line},
    ),
    "reminder_to_person": MessageKind({"right": right, "needed": prose, "asked": date}, {"link": link}),
    "resumed": MessageKind(
        {"right": right, "due": date},
        {"paused_days": whole, "status": link, "cite": line},
    ),
    "extended": MessageKind(
        {**_ASKED, "reasons": prose, "due_before": date, "due": date, "cite": line},
        {"status": link, **REDRESS},
    ),
    "nothing_held": MessageKind(
        _ASKED,
        {
            "where": lines,
            "unsearchable": lines,
            "elsewhere": lines,
            "searched": lines,
            "choices": lines,
            **REDRESS,
        },
    ),
    "refused": MessageKind({**_ASKED, "reasons": prose, "cite": line}, {"status": link, **REDRESS}),
    "package_ready": MessageKind(
        {"right": one_of("view", "port"), "link": link, "until": moment},
        {"receipt": link, "missing": lines, "empty": one_of("yes", "left_out"), **REDRESS},
        lasts=7 * DAY,
    ),
    "fulfilled_view": MessageKind({"received": date, "done": date}, _DONE),
    "fulfilled_amend": MessageKind(
        {"received": date, "done": date},
        {"changed": lines, "unchanged": lines, "elsewhere": lines, **_DONE},
    ),
    "fulfilled_erase": MessageKind(
        {"received": date, "done": date},
        {
            "did": prose,
            "rescan": one_of("clean"),
            "unsearched": lines,
            "elsewhere": lines,
            "final_after": date,
            "remembered": one_of("evidence"),
            "choices": lines,
            **_DONE,
        },
    ),
    "fulfilled_port": MessageKind({"received": date, "done": date}, {"formats": lines, "sent_to": line, **_DONE}),
    "stop_recorded": MessageKind(_STOP, {"weighed": one_of("yes"), "waiting": lines, "status": link, **_STOPPED}),
    "stopped": MessageKind({**_STOP, "done": date}, {"undone": lines, **_STOPPED, **_DONE}),
    "partly_fulfilled": MessageKind(
        {**_ASKED, "done": date, "did": prose, "kept": kept},
        {"unsearched": lines, "elsewhere": lines, "choices": lines, **_DONE},
    ),
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
    "restriction_lifted": MessageKind(  # Art. 18(3)
        {"on": date, "reasons": prose},
        {"since": date, "recorded": one_of("yes"), **REDRESS},
    ),
    "complaint_acknowledged": MessageKind(
        {"received": date}, {"due": date, "status": link, **_without(REDRESS, "complaint_link")}
    ),
    "complaint_outcome": MessageKind(
        {"received": date, "outcome": prose}, {"remedy": prose, "status": link, **REDRESS}
    ),
    "appeal_answered": MessageKind(
        {"received": date, "answer": prose, "granted": one_of("yes", "no")},
        {"cite": line, "status": link, **REDRESS},
    ),
    "question_acknowledged": MessageKind({"received": date, "due": date}, {"status": link}),
    "question_answered": MessageKind(
        {"received": date, "answer": prose},
        {"asked": prose, "clause": prose, "link": link},
    ),
    "staff_due_soon": MessageKind({"due": date, "link": link}, {"what": line, "days": whole}, to_person=False),
    "staff_escalation": MessageKind({"due": date, "link": link, "why": line}, {"what": line}, to_person=False),
    "staff_task": MessageKind({"task": line, "due": date, "link": link}, {"detail": prose}, to_person=False),
    "staff_alert": MessageKind(
        {"what": line, "at": moment}, {"detail": prose, "link": link}, to_person=False, is_owed=False
    ),
}

DUTY = Duty(
    entries=_ENTRIES,
    entry_titles={"case.closed": _("A request, complaint or question was closed")},
    messages=_MESSAGES,
    controls="troth.service.requests.controls",
    after={
        "case.closed": (
            "requests.answered_in_time",
            "complaints.acknowledged",
            "complaints.questions_answered",
            "core.held_cases_freeze_deletion",
            "requests.recipients_told",
        ),
        "choice.changed": ("requests.recipients_told",),
    },
    scopes=(CASES_WRITE, CASES_READ, CASES_ALL, PACKAGES_READ, GUARD_READ),
    webhooks={
        "case.received": _("A request was received"),
        "case.verified": _("A person proved their identity"),
        "case.changed": _("A request continues, pauses or waits for a person"),
        "case.closed": _("A request was answered"),
        "case.escalated": _("A deadline is near or missed"),
        "line.stopped": _("Processing is halted until the configuration is fixed"),
    },
    jobs=("troth.service.requests.jobs",),
    tables="own_tables.yaml",
    metrics="troth.service.requests.metrics:figures",
    urls=(
        ("your-data/", "troth.service.requests.pages.urls"),
        ("console/", "troth.service.requests.console.urls"),
    ),
    links=(PROVE_LINK, AGENT_LINK, PACKAGE_LINK, STATUS_LINK),
    api="troth.service.requests.api:router",
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
        ConsolePage(
            "tasks",
            _("Tasks"),
            (StaffRight.CASES_HANDLE,),
            _("Work that people do by hand."),
            place=30,
            group=_("Cases"),
        ),
        ConsolePage(
            "work",
            _("Work queue"),
            (StaffRight.CASES_HANDLE, EVIDENCE_READ),
            _("Whether everything runs."),
            place=80,
            group=_("Operation"),
        ),
    ),
    console_figures="troth.service.requests.console.figures:figures",
    at_start=(
        "troth.service.requests.fulfilment.steps",
        "troth.service.requests.confidential",
        "troth.service.requests.verification.case_links",
    ),
)
