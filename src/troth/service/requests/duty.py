"""What people ask about their data."""

from __future__ import annotations

from collections.abc import Mapping

from troth.service.api.scopes import ApiScope
from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.duty import CaseType, ConsolePage, Duty
from troth.service.duty import marked as _
from troth.service.mail.facts import DAY, REDRESS, Shape, date, kept, line, lines, link, moment, one_of, prose, right
from troth.service.mail.message_kinds import MessageKind
from troth.service.staff.rights import StaffRight

CASES_WRITE = ApiScope("cases.write", _("Open requests and withdraw them"), reaches_personal=True)
CASES_READ = ApiScope("cases.read", _("Follow the requests that it opened"))
CASES_ALL = ApiScope(
    "cases.all", _("Do with the requests of every program what it may do with its own"), reaches_personal=True
)
PACKAGES_READ = ApiScope(
    "packages.read", _("Download the packages of people who were signed in (personal data)"), reaches_personal=True
)
GUARD_READ = ApiScope("guard.read", _("Ask whether somebody’s data may be used"))


_DONE: Mapping[str, Shape] = {"status": link, "receipt": link, "told": lines, **REDRESS}
"""Links to a fulfilled request and its proof, and recipients *told* (Art. 19)."""
_ASKED: Mapping[str, Shape] = {"right": right, "received": date}
_STOP: Mapping[str, Shape] = {"right": one_of("restrict", "object", "withdraw"), "received": date}
_STOPPED: Mapping[str, Shape] = {"purposes": lines, "places": lines, "searched": lines, "remembered": one_of("yes")}
"""Stopped uses, systems where that was verified, systems that hold nothing of the person, and whether their choice is
kept."""

_MESSAGES: Mapping[str, MessageKind] = {
    "nothing_held": MessageKind(
        _ASKED,
        {"where": lines, "unsearchable": lines, "elsewhere": lines, "searched": lines, "choices": lines, **REDRESS},
    ),
    "package_ready": MessageKind(
        {"right": one_of("view", "port"), "link": link, "until": moment},
        {"receipt": link, "missing": lines, "empty": one_of("yes", "left_out"), **REDRESS},
        lasts=7 * DAY,
    ),
    "fulfilled_view": MessageKind({"received": date, "done": date}, _DONE),
    "fulfilled_amend": MessageKind(
        {"received": date, "done": date}, {"changed": lines, "unchanged": lines, "elsewhere": lines, **_DONE}
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
        {"on": date, "reasons": prose}, {"since": date, "recorded": one_of("yes"), **REDRESS}
    ),
    "staff_task": MessageKind({"task": line, "due": date, "link": link}, {"detail": prose}, to_person=False),
}


def _right(
    name: str,
    title: str,
    label: str,
    *grounds: str,
    in_california: str = "answer",
    is_harmless: bool = False,
    stops_use: bool = False,
) -> CaseType:
    """A right: *in_california* is the obligation of 11 CCR that sets its period, such as the 45 days of 7021 or the
    clock of an opt-out (7026); empty if there is none."""
    return CaseType(
        name=name,
        kind="request",
        letter="R",
        title=title,
        label=label,
        handling="troth.service.requests.handling:RequestHandling",
        answer_by={"*": "answer", "ccpa": "opt_out" if stops_use else in_california},
        confirm_by={"*": "confirm", "ccpa": "confirm" if in_california == "answer" and not stops_use else ""},
        grounds=grounds,
        is_answered=False,
        is_harmless=is_harmless or stops_use,
        stops_use=stops_use,
    )


_CASES = (
    _right("view", _("See your data"), _("See data"), "access", is_harmless=True),
    _right("amend", _("Correct your data"), _("Correct data"), "rectify"),
    _right("erase", _("Delete your data"), _("Delete data"), "erase"),
    _right("restrict", _("Pause the use of your data"), _("Restrict use"), "restrict", in_california=""),
    _right("port", _("Take your data with you"), _("Take data along"), "port", is_harmless=True),
    _right("object", _("Object"), _("Objection"), "object", "opt_out", stops_use=True),
    _right("withdraw", _("Withdraw a consent"), _("Withdraw consent"), "consent", stops_use=True),
)

DUTY = Duty(
    cases=_CASES,
    messages=_MESSAGES,
    controls="troth.service.requests.controls",
    rehearsal="troth.service.requests.rehearsal",
    after={
        "case.closed": ("requests.answered_in_time", "core.held_cases_freeze_deletion", "requests.recipients_told"),
        "choice.changed": ("requests.recipients_told",),
    },
    scopes=(CASES_WRITE, CASES_READ, CASES_ALL, PACKAGES_READ, GUARD_READ),
    webhooks={"line.stopped": _("Processing is halted until the configuration is fixed")},
    jobs=("troth.service.requests.jobs",),
    tables="own_tables.yaml",
    urls=(("your-data/", "troth.service.requests.pages.urls"), ("console/", "troth.service.requests.console.urls")),
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
