"""Control on e-mail: those owed to somebody were sent."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count

from troth.controls import ControlFinding, ControlResult, Evidence, answers
from troth.service.mail.message_kinds import kinds
from troth.service.mail.models import LetterRow
from troth.text import counted

_PERIOD = dt.timedelta(days=90)
_HOURS_MAX = 4
"""How long an e-mail may wait for a mail server."""


@dataclass(frozen=True, slots=True)
class MessageCounts:
    """Counts of owed e-mails: recently *sent*, *waiting*, of these too long (*late*, by error code), and *failed*, by
    kind and code."""

    sent: int = 0
    waiting: int = 0
    late: Counter[str] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)


def letters(context: object, now: dt.datetime) -> MessageCounts:
    """Counts at *now*. A failed e-mail counts until it is sent again or its message is deleted."""
    owed = LetterRow.objects.filter(kind__in=[name for name, kind in kinds().items() if kind.is_owed])
    waiting = owed.filter(ended_at__isnull=True)
    late = waiting.filter(queued_at__lt=now - dt.timedelta(hours=_HOURS_MAX)).values_list("reason")
    failed = owed.filter(state=LetterRow.State.FAILED, sealed__isnull=False).values_list("kind", "reason")
    return MessageCounts(
        sent=owed.filter(state=LetterRow.State.SENT, ended_at__gt=now - _PERIOD).count(),
        waiting=waiting.count(),
        late=Counter(dict(late.annotate(Count("pk")))),
        failed=Counter({(kind, reason): letters for kind, reason, letters in failed.annotate(Count("pk"))}),
    )


@answers("mail.owed_sent")
def letters_sent(letters: MessageCounts, now: dt.datetime) -> ControlResult:
    """No owed e-mail has failed or waits for more than a few hours."""
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
    looked, population = frozenset({"letters"}), letters.sent + letters.waiting + failed
    return ControlResult.of(
        f"{counted(letters.sent, 'e-mail')} sent within {_PERIOD.days} days, {failed:,} failed, {late:,} late.",
        evidence=Evidence(looked, looked, population=population, tested=population, period=(now - _PERIOD, now)),
        findings=findings,
        figures={"sent": letters.sent, "waiting": letters.waiting, "late": late, "failed": failed},
    )
