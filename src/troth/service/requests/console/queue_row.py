"""A case as one line: what it is about, where it stands, whose turn it is, how much time is left. Nothing personal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from troth.service.requests.models import Case, CaseKind, CaseOutcome, CaseState, Channel, Right, WaitReason

_SOON_DAYS = 7

_PROOFS = (
    _("none"),
    _("they reach an address or a number that we hold"),
    _("they knew two things that we hold"),
    _("they signed in, or knew three things"),
    _("a document was looked at"),
)
"""The proof of identity of each tier, from none to a document."""


def proof_words(tier: int) -> str:
    """How somebody showed who they are."""
    return str(_PROOFS[min(tier, len(_PROOFS) - 1)])


RIGHTS: Mapping[str, str | Promise] = {
    Right.VIEW: _("See data"),
    Right.AMEND: _("Correct data"),
    Right.ERASE: _("Delete data"),
    Right.RESTRICT: _("Restrict use"),
    Right.PORT: _("Take data along"),
    Right.OBJECT: _("Objection"),
    Right.WITHDRAW: _("Withdraw consent"),
    Right.APPEAL: _("Look again"),
    CaseKind.COMPLAINT: _("Complaint"),
    CaseKind.QUESTION: _("Question"),
}
"""What a case is about, by its right or, without one, its kind."""

CHANNELS: Mapping[str, str | Promise] = {
    Channel.CENTRE: _("privacy centre"),
    Channel.MAIL: _("e-mail"),
    Channel.API: _("API"),
    Channel.STAFF: _("staff"),
}

NEEDS: Mapping[str, str | Promise] = {
    WaitReason.REVIEW: _("Say which rows are meant"),
    WaitReason.WEIGHING: _("Weigh the objection"),
    WaitReason.APPROVAL: _("Approve the plan"),
    WaitReason.ANSWER: _("Write the answer"),
    WaitReason.WINDOW: _("Waits for the end of its window"),
    WaitReason.ACCESS: _("Waits for a request to see the data"),
    WaitReason.SYSTEMS: _("Waits for systems, or for people with tasks"),
}
_FOR_SOMEBODY = (WaitReason.REVIEW, WaitReason.WEIGHING, WaitReason.APPROVAL, WaitReason.ANSWER)


def about(case: Case) -> str:
    """What the case is about, in a few words."""
    return str(RIGHTS[case.right or case.kind])


def doing(case: Case) -> tuple[str, bool]:
    """The one thing to do for a case, and whether it is for somebody here."""
    if case.state == CaseState.IN_PROGRESS:
        if case.needs:
            return str(NEEDS[case.needs]), case.needs in _FOR_SOMEBODY
        return gettext("Carried out next"), False
    if case.state == CaseState.CLOSED:
        return "", False
    waits = {
        CaseState.RECEIVED: gettext("Taken up next"),
        CaseState.VERIFYING: gettext("Waits for the person's proof"),
        CaseState.PAUSED: gettext("Waits for the person's answer"),
    }
    return waits[CaseState(case.state)], False


def state_words(case: Case) -> str:
    """Where a case stands, in the words of the glossary."""
    words = {
        CaseState.RECEIVED: gettext("received"),
        CaseState.VERIFYING: gettext("verifying"),
        CaseState.IN_PROGRESS: gettext("in progress"),
        CaseState.PAUSED: gettext("paused"),
    }
    outcomes = {
        CaseOutcome.FULFILLED: gettext("fulfilled"),
        CaseOutcome.PARTLY_FULFILLED: gettext("partly fulfilled"),
        CaseOutcome.REFUSED: gettext("refused"),
        CaseOutcome.WITHDRAWN: gettext("withdrawn"),
    }
    return outcomes[CaseOutcome(case.outcome)] if case.state == CaseState.CLOSED else words[CaseState(case.state)]


def relative(on: dt.date, today: dt.date) -> str:
    """A day seen from today: ``today``, ``in 5 days``, ``3 days ago``."""
    days = (on - today).days
    if days == 0:
        return gettext("today")
    many = ngettext("%(number)d day", "%(number)d days", abs(days)) % {"number": abs(days)}
    return (gettext("in %s") if days > 0 else gettext("%s ago")) % many


@dataclass(frozen=True, slots=True)
class ClockBar:
    """How much of a clock has gone, as a picture (0 to 100) with the class that colours it; the words stand beside."""

    gone: int
    mark: str


def clock_bar(case: Case, today: dt.date) -> ClockBar | None:
    """The clock of an open case."""
    if case.due_on is None or case.state == CaseState.CLOSED:
        return None
    whole = max((case.due_on - case.received_at.date()).days, 1)
    gone = (today - case.received_at.date()).days
    left = (case.due_on - today).days
    return ClockBar(
        max(0, min(100, round(100 * gone / whole))), "late" if left < 0 else "soon" if left <= _SOON_DAYS else "gone"
    )


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One case in the queue. Nothing personal."""

    reference: str
    about: str
    channel: str
    state: str
    todo: str
    is_for_somebody: bool
    is_confidential: bool
    bar: ClockBar | None
    on: dt.date | None
    when: str
    is_late: bool
    handler: str


def queue_row(case: Case, today: dt.date, *, mine: int | None, answered: tuple[int, int] = (0, 0)) -> QueueRow:
    """*case* as a line. *mine* is the account of whoever reads; *answered* is how many systems have, of how many that
    were asked."""
    todo, is_for_somebody = doing(case)
    on = case.closed_at.date() if case.closed_at is not None else case.due_on
    if case.handler is None:
        handler = "–"
    else:
        handler = gettext("you") if case.handler_id == mine else case.handler.get_username()
    return QueueRow(
        reference=case.reference,
        about=about(case),
        channel=str(CHANNELS[case.channel]),
        state=state_words(case) + (f" · {answered[0]}/{answered[1]}" if case.needs == WaitReason.SYSTEMS else ""),
        todo=todo,
        is_for_somebody=is_for_somebody,
        is_confidential=case.is_confidential,
        bar=clock_bar(case, today),
        on=on,
        when=relative(on, today) if on is not None else "",
        is_late=case.state != CaseState.CLOSED and on is not None and on < today,
        handler=handler,
    )
