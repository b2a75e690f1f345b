"""Whether cases of a kind are acknowledged and answered in time, for the controls of the duties that answer them.

What counts is what reached the person: an e-mail that could not be sent is no answer. One that no mail server took
although the address may be right is ours to send, and late once the deadline is over. A longer period counts only if
the law gives it, and the person was told of it within the first.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from django.db.models import Q, QuerySet

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence
from troth.declaration import Declaration
from troth.law import ClockPause, earliest
from troth.service.cases.handling import case_types
from troth.service.cases.models import Case, CaseKind, CaseState
from troth.service.cases.models import CaseOutcome as Ended
from troth.service.cases.rules import ClockInputs, clocks, zone_of
from troth.service.mail.message_kinds import kinds
from troth.service.mail.models import REACHED, LetterRow
from troth.text import counted

PERIOD = dt.timedelta(days=90)
"""How long ago a case that counts may have been closed."""
_CASES = frozenset({"cases"})
_AT_ONCE = 500
_SOONEST = dt.timedelta(days=1)
"""No law asks for an acknowledgement sooner."""
_SHORTEST = dt.timedelta(days=5)
"""An answer within this time is in time under each of our rule sets, so that its deadline is not reckoned again."""
_SAME_TIME = dt.timedelta(minutes=1)
"""E-mails with the answer are queued in the transaction that closes the case."""
_ON_THE_WAY = frozenset({"link", "agent_authority", "more_information", "reminder_to_person", "resumed", "extended"})
"""E-mails to a person before the answer, besides the acknowledgement."""
_FIELDS = (
    *("kind", "right", "state", "outcome", "residence", "reference"),
    *("received_at", "acknowledged_at", "verified_at", "extended_at", "closed_at", "due_on", "due_by"),
)


@dataclass(frozen=True, slots=True)
class _Letter:
    kind: str
    state: str
    queued_at: dt.datetime
    ended_at: dt.datetime | None

    @property
    def is_sent(self) -> bool:
        return self.state == LetterRow.State.SENT

    @property
    def has_failed(self) -> bool:
        return self.state == LetterRow.State.FAILED


def concerned(kind: CaseKind, since: dt.datetime) -> QuerySet[Case]:
    """Cases of a kind that are open, or were closed after *since*."""
    return Case.objects.filter(kind=kind).filter(Q(closed_at=None) | Q(closed_at__gte=since))


def in_time(
    kind: CaseKind, declaration: Declaration, now: dt.datetime, *, acknowledged_within: dt.timedelta | None = None
) -> ControlResult:
    """Cases of a kind that are open past their earliest deadline, or whose answer went out after it within the period;
    those not acknowledged in the time that a law sets, or *acknowledged_within*; and those whose answer could not be
    delivered, which leave the question open."""
    zone, word = zone_of(declaration.organisation), kind.value
    today = now.astimezone(zone).date()
    count, figures = 0, Counter(open=0, late=0, answered_late=0, acknowledged_late=0, undelivered=0)
    rows = concerned(kind, now - PERIOD).only(*_FIELDS).prefetch_related("pauses").iterator(chunk_size=_AT_ONCE)
    while cases := list(islice(rows, _AT_ONCE)):
        letters = _letters(cases)
        for case in cases:
            count += 1
            written = letters.get(case.about, ())
            figures["open"] += case.closed_at is None
            case.due_on = _deadline(case, written, declaration, now, zone)
            figures[_answered(case, written, today, zone)] += 1
            figures["acknowledged_late"] += _is_unacknowledged(case, written, declaration, now, acknowledged_within)
    undelivered = figures["undelivered"]
    period, tested = (now - PERIOD, now), count - undelivered
    evidence = Evidence(_CASES, _CASES, population=count, tested=tested, excluded=undelivered, period=period)
    if not count:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, f"Nobody has sent a {word} within 90 days.", evidence)
    del figures["in_time"]
    summary = f"{counted(count, word)}: {figures['open']:,} open, {figures['late']:,} of them late; "
    summary += f"{figures['answered_late']:,} answered late, {figures['acknowledged_late']:,} acknowledged late."
    findings = [
        ControlFinding("cases", f"{counted(figures[name], word)} {message}", fix)
        for name, message, fix in _FAULTS
        if figures[name]
    ]
    if undelivered and not findings:
        summary += f" {counted(undelivered, 'answer')} could not be delivered: reach these people in another way."
        return ControlResult(CheckOutcome.ERROR, summary, evidence, dict(figures))
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=dict(figures))


_FAULTS = (
    ("late", "open past the deadline", "answer them, in the console"),
    ("answered_late", "answered after the deadline", "find out why, and whether their e-mails are sent"),
    ("acknowledged_late", "not acknowledged in time", "acknowledge them, and find out why it took so long"),
)


def _letters(cases: Sequence[Case]) -> Mapping[str, Sequence[_Letter]]:
    """E-mails about these cases to their people."""
    to_person = [name for name, kind in kinds().items() if kind.to_person]
    letters = LetterRow.objects.filter(about__in=[case.about for case in cases], kind__in=to_person)
    found = defaultdict[str, list[_Letter]](list)
    for about, kind, state, reason, queued_at, ended_at in letters.values_list(
        "about", "kind", "state", "reason", "queued_at", "ended_at"
    ):
        # What one that came back should have said was said another way when it ended.
        became = LetterRow.State.SENT if reason == REACHED else state
        found[about].append(_Letter(kind, became, queued_at, ended_at))
    return found


def _answered(case: Case, letters: Sequence[_Letter], today: dt.date, zone: dt.tzinfo) -> str:
    """The figure in which the case counts. Whoever withdrew in time is owed no answer; without an e-mail the answer
    went another way, on the day on which the case was closed."""
    if case.closed_at is None:
        return "late" if case.due_on is not None and case.due_on < today else "in_time"
    if case.due_on is None:
        return "in_time"
    if case.outcome == Ended.WITHDRAWN:
        was_late = case.verified_at is not None and case.closed_at.astimezone(zone).date() > case.due_on
        return "answered_late" if was_late else "in_time"
    others = {*_ON_THE_WAY, case_types()[case.type].acknowledged}
    since = case.closed_at - _SAME_TIME
    answers = [letter for letter in letters if letter.queued_at >= since and letter.kind not in others]
    if answers and all(letter.has_failed for letter in answers):
        return "undelivered"
    sent = [letter.ended_at for letter in answers if letter.is_sent and letter.ended_at is not None]
    if answers and not sent:
        return "answered_late" if case.due_on < today else "in_time"
    answered = max(case.closed_at, min(sent, default=case.closed_at))
    return "answered_late" if answered.astimezone(zone).date() > case.due_on else "in_time"


def _deadline(
    case: Case, letters: Sequence[_Letter], declaration: Declaration, now: dt.datetime, zone: dt.tzinfo
) -> dt.date | None:
    """The deadline on record, or an earlier one that the same rule of law sets: Art. 12(3) allows a single extension,
    of which the person was told within the first period."""
    last = max([case.closed_at or now, *(it.ended_at or now for it in letters)])
    if case.due_on is None or last - case.received_at < _SHORTEST:
        return case.due_on
    asked = ClockInputs(case.kind, case.right, case.received_at, case.verified_at, case.residence)
    asked = replace(asked, pauses=tuple(ClockPause(it.asked_at, it.answered_at) for it in case.pauses.all()))

    def by_law(*, is_extended: bool) -> dt.date:
        reckoned = clocks(replace(asked, is_extended=is_extended), declaration, now=now).answer
        return min([it.on for it in reckoned if it.rule == case.due_by], default=day)

    day = case.due_on
    if day <= (first := by_law(is_extended=False)):
        return day
    announced = [it.ended_at for it in letters if it.kind == "extended" and it.is_sent and it.ended_at is not None]
    if case.extended_at is not None and all(it.has_failed for it in letters):  # in another way, as staff noted
        announced = [case.extended_at]
    is_in_time = any(at.astimezone(zone).date() <= first for at in announced)
    return min(day, by_law(is_extended=True) if is_in_time else first)


def _is_unacknowledged(
    case: Case, letters: Sequence[_Letter], declaration: Declaration, now: dt.datetime, within: dt.timedelta | None
) -> bool:
    """Whether the deadline for the acknowledgement passed without one."""
    end = min((now, *_acknowledgements(case, letters)))
    if end - case.received_at < _SOONEST or _is_out_of_reach(case, letters):
        return False
    asked = ClockInputs(case.kind, case.right, case.received_at, residence=case.residence)
    due = clocks(asked, declaration, now=now).acknowledge
    deadline = earliest(due).ends if due else case.received_at + within if within is not None else None
    return deadline is not None and end > deadline


def _acknowledgements(case: Case, letters: Sequence[_Letter]) -> Iterator[dt.datetime]:
    """When the person learned that their case has arrived: by its acknowledgement, or any other e-mail about it. What
    staff acknowledged without e-mail counts as they noted it."""
    yield from (letter.ended_at for letter in letters if letter.is_sent and letter.ended_at is not None)
    kind = case_types()[case.type].acknowledged
    if case.acknowledged_at is not None and not any(letter.kind == kind for letter in letters):
        yield case.acknowledged_at
    if case.closed_at is not None and not letters:
        yield case.closed_at


def _is_out_of_reach(case: Case, letters: Sequence[_Letter]) -> bool:
    """Whether nobody showed that the address is theirs, and no e-mail got there: anybody can type an address."""
    is_unproved = case.verified_at is None and (case.state == CaseState.VERIFYING or case.closed_at is not None)
    return (is_unproved or bool(letters)) and all(letter.has_failed for letter in letters)
