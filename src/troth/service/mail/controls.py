"""Control on e-mail: those owed to somebody were sent."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count, Q

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.service.mail.message_kinds import kinds
from troth.service.mail.models import REACHED, RETURNED, LetterRow
from troth.text import counted

_PERIOD = dt.timedelta(days=90)
_HOURS_MAX = 4
"""How long an e-mail may wait for a mail server."""


@dataclass(frozen=True, slots=True)
class MessageCounts:
    """Counts of owed e-mails: recently *sent*, *waiting*, of these too long (*late*, by error code), *failed*, by kind
    and code, *given_up*: recently failed, and their messages deleted since, and those that came back recently and whose
    people were *reached* in another way."""

    sent: int = 0
    waiting: int = 0
    late: Counter[str] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    given_up: int = 0
    reached: int = 0


def letters(context: object, now: dt.datetime) -> MessageCounts:
    """Counts at *now*. A failed e-mail counts as such until it is sent again or its message is deleted; one that came
    back, until its person was reached in another way."""
    owed = LetterRow.objects.filter(kind__in=[name for name, kind in kinds().items() if kind.is_owed])
    waiting = owed.filter(ended_at__isnull=True)
    late = waiting.filter(queued_at__lt=now - dt.timedelta(hours=_HOURS_MAX)).values_list("reason")
    unsent = owed.filter(state=LetterRow.State.FAILED)
    is_open = Q(sealed__isnull=False) | Q(reason__startswith=RETURNED)
    failed = unsent.filter(is_open).values_list("kind", "reason")
    return MessageCounts(
        sent=owed.filter(state=LetterRow.State.SENT, ended_at__gt=now - _PERIOD).count(),
        waiting=waiting.count(),
        late=Counter(dict(late.annotate(Count("pk")))),
        failed=Counter({(kind, reason): letters for kind, reason, letters in failed.annotate(Count("pk"))}),
        reached=owed.filter(reason=REACHED, ended_at__gt=now - _PERIOD).exclude(state=LetterRow.State.SENT).count(),
        given_up=unsent.filter(ended_at__gt=now - _PERIOD).exclude(is_open).exclude(reason=REACHED).count(),
    )


@answers("mail.owed_sent")
def letters_sent(letters: MessageCounts, now: dt.datetime) -> ControlResult:
    """No owed e-mail has failed or waits for more than a few hours. One that was given up leaves the question open:
    nobody can send it any more, and nothing shows that its person was reached in another way."""
    findings = [
        ControlFinding(
            f"e-mails of the kind {kind}",
            f"{counted(number, 'e-mail')} could not be sent: {reason}",
            "fix what the code says and send it again, or contact the person in another way and settle it",
        )
        for (kind, reason), number in sorted(letters.failed.items())
    ]
    findings += [
        ControlFinding(
            "waiting e-mails",
            f"{counted(number, 'e-mail')} waited for more than {_HOURS_MAX} hours: {reason or 'no process sends them'}",
            "check that the mail server of TROTH_MAIL_URL accepts e-mails, and that troth serve or troth keep runs",
        )
        for reason, number in sorted(letters.late.items())
    ]
    failed, late = letters.failed.total(), letters.late.total()
    looked, given_up, reached = frozenset({"letters"}), letters.given_up, letters.reached
    tested = letters.sent + letters.waiting + failed + reached
    summary = f"{counted(letters.sent, 'e-mail')} sent within {_PERIOD.days} days, {failed:,} failed, {late:,} late, "
    summary += f"{given_up:,} given up."
    summary += f" {reached:,} failed or came back, and their people were reached in another way." if reached else ""
    figures = {
        "sent": letters.sent,
        "waiting": letters.waiting,
        "late": late,
        "failed": failed,
        "given_up": given_up,
    }
    period = (now - _PERIOD, now)
    evidence = Evidence(looked, looked, population=tested + given_up, tested=tested, excluded=given_up, period=period)
    if not evidence.population:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No e-mail was owed to anybody.", evidence, figures)
    if given_up and not findings:
        return ControlResult(CheckOutcome.ERROR, summary, evidence, figures)
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)
