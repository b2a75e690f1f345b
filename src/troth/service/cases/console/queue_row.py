"""A case as one row of the queue: right, state, next step and time left. Without personal data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from troth.service.cases.handling import by_handling, case_types
from troth.service.cases.models import Case, CaseOutcome, CaseState, Channel, WaitReason

_SOON_DAYS = 7

_PROOFS = (
    _("none"),
    _("they can be reached at an address or number that we have"),
    _("they knew two details that we have"),
    _("they signed in, or knew three details"),
    _("a document was checked"),
)
"""Description of each tier of identity proof, from none to a document."""


def proof_words(tier: int) -> str:
    """Description of a tier of identity proof."""
    return str(_PROOFS[min(tier, len(_PROOFS) - 1)])


def labels() -> dict[str, str]:
    """Titles of the types of cases, by their names."""
    return {name: gettext(one.label) for name, one in case_types().items()}


CHANNELS: Mapping[str, str | Promise] = {
    Channel.CENTRE: _("privacy centre"),
    Channel.MAIL: _("e-mail"),
    Channel.API: _("API"),
    Channel.STAFF: _("staff"),
}

NEEDS: Mapping[str, str | Promise] = {
    WaitReason.REVIEW: _("Choose the person's rows"),
    WaitReason.WEIGHING: _("Weigh the objection"),
    WaitReason.APPROVAL: _("Approve the plan"),
    WaitReason.ANSWER: _("Write the answer"),
    WaitReason.WINDOW: _("Waits for the end of the cooling-off period"),
    WaitReason.ACCESS: _("Waits for a request to see the data to be answered"),
    WaitReason.SYSTEMS: _("Waits for systems, or for people with tasks"),
}
FOR_HANDLER = (WaitReason.REVIEW, WaitReason.WEIGHING, WaitReason.ANSWER)
"""What a case needs from its handler, who cannot approve its plan."""
FOR_STAFF = (*FOR_HANDLER, WaitReason.APPROVAL)
"""What a case needs from staff."""


def about(case: Case) -> str:
    """The title of the case's right or kind."""
    return gettext(case_types()[case.type].label)


def doing(case: Case) -> tuple[str, bool]:
    """The next step of a case, and whether staff must do it."""
    if case.state == CaseState.IN_PROGRESS:
        if case.needs:
            return str(NEEDS[case.needs]), case.needs in FOR_STAFF
        return gettext("Carried out next"), False
    if case.state == CaseState.CLOSED:
        return "", False
    waits = {
        CaseState.RECEIVED: gettext("Processed next"),
        CaseState.VERIFYING: gettext("Waits for the person's proof of identity"),
        CaseState.PAUSED: gettext("Waits for the person's answer"),
    }
    return waits[CaseState(case.state)], False


def state_words(case: Case) -> str:
    """State or outcome of a case, in the words of the glossary."""
    words: dict[CaseState | CaseOutcome, str] = {
        CaseState.RECEIVED: gettext("received"),
        CaseState.VERIFYING: gettext("verifying"),
        CaseState.IN_PROGRESS: gettext("in progress"),
        CaseState.PAUSED: gettext("paused"),
        CaseOutcome.FULFILLED: gettext("fulfilled"),
        CaseOutcome.PARTLY_FULFILLED: gettext("partly fulfilled"),
        CaseOutcome.REFUSED: gettext("refused"),
        CaseOutcome.WITHDRAWN: gettext("withdrawn"),
    }
    return words[CaseOutcome(case.outcome) if case.outcome else CaseState(case.state)]


def relative(on: dt.date, today: dt.date) -> str:
    """A date relative to today: ``today``, ``in 5 days``, ``3 days ago``."""
    days = (on - today).days
    if days == 0:
        return gettext("today")
    many = ngettext("%(number)d day", "%(number)d days", abs(days)) % {"number": abs(days)}
    return (gettext("in %s") if days > 0 else gettext("%s ago")) % many


@dataclass(frozen=True, slots=True)
class ClockBar:
    """Elapsed share of a clock (0 to 100) for a progress bar, with its CSS class."""

    gone: int
    mark: str


def clock_bar(case: Case, today: dt.date) -> ClockBar | None:
    """The progress bar of an open case; None if it is closed or has no deadline."""
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
    """One case in the queue, without personal data."""

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


def queue_rows(cases: Collection[Case], today: dt.date, *, mine: int | None) -> list[QueueRow]:
    """The rows of *cases*. *mine* is the reader's account."""
    answered = {
        pk: progress for one, group in by_handling(cases).items() for pk, progress in one.progress(group).items()
    }
    return [queue_row(case, today, mine=mine, answered=answered.get(case.pk)) for case in cases]


def queue_row(case: Case, today: dt.date, *, mine: int | None, answered: tuple[int, int] | None = None) -> QueueRow:
    """The row of one case. *answered*: of those that it waits for, how many have answered, and how many were asked."""
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
        state=state_words(case) + (f" · {answered[0]}/{answered[1]}" if answered else ""),
        todo=todo,
        is_for_somebody=is_for_somebody,
        is_confidential=case.is_confidential,
        bar=clock_bar(case, today),
        on=on,
        when=relative(on, today) if on is not None else "",
        is_late=case.state != CaseState.CLOSED and on is not None and on < today,
        handler=handler,
    )
