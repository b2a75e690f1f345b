"""What people ask about their data: requests, complaints, questions, appeals."""

from __future__ import annotations

from collections.abc import Mapping

from troth.ledger.fields import Of, Whole
from troth.ledger.kinds import ACTOR, RIGHT, EntryKind
from troth.ledger.values import Hash, Pseudonym
from troth.service.api.scopes import ApiScope
from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.duty import ConsolePage, Duty
from troth.service.duty import marked as _
from troth.service.mail.facts import (
    DAY,
    REDRESS,
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
)
from troth.service.mail.message_kinds import MessageKind
from troth.service.staff.rights import StaffRight

_ENTRIES: Mapping[str, EntryKind] = {
    "plan.approved": EntryKind(
        {"plan": Of(Hash), "right": RIGHT, "subject": Of(Pseudonym), "actor": ACTOR},
        {"case": Of(Pseudonym), "by": Of(Pseudonym), "declaration": Of(Hash), "rows": Whole()},
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
    "staff_task": MessageKind({"task": line, "due": date, "link": link}, {"detail": prose}, to_person=False),
}

DUTY = Duty(
    entries=_ENTRIES,
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
    webhooks={"line.stopped": _("Processing is halted until the configuration is fixed")},
    jobs=("troth.service.requests.jobs",),
    tables="own_tables.yaml",
    urls=(
        ("your-data/", "troth.service.requests.pages.urls"),
        ("console/", "troth.service.requests.console.urls"),
    ),
    api="troth.service.requests.api:router",
    console=(
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
    at_start=("troth.service.requests.fulfilment.steps",),
)
