"""Ordinary business and breaches of the e-mails that are owed."""

from __future__ import annotations

import datetime as dt
import threading

from troth.rehearsal import Inapplicable, World, breach
from troth.service.core.jobs.worker import Pace, run_jobs
from troth.service.mail.message_kinds import kinds
from troth.service.mail.models import LetterRow


def conclude(world: World) -> None:
    """What the other duties have written is sent."""
    run_jobs(threading.Event(), clock=lambda: world.now, pace=Pace(look_s=0.02), only=["mail"], until_idle=True)


def _letter() -> LetterRow:
    """The first e-mail that was owed to somebody."""
    owed = [name for name, kind in kinds().items() if kind.is_owed]
    letter = LetterRow.objects.filter(kind__in=owed).order_by("id").first()
    if letter is None:
        raise Inapplicable("no e-mail that is owed")
    return letter


@breach("mail.owed_sent", "The mail server refuses an answer, and nobody tries again.")
def refused(world: World) -> None:
    LetterRow.objects.filter(pk=_letter().pk).update(state=LetterRow.State.FAILED, reason="550", sealed=b"-")


@breach("mail.owed_sent", "The process that sends e-mails stops for a day.")
def unsent(world: World) -> None:
    queued = world.now - dt.timedelta(days=1)
    waiting = {"state": LetterRow.State.QUEUED, "ended_at": None, "queued_at": queued, "sealed": b"-"}
    LetterRow.objects.filter(pk=_letter().pk).update(**waiting)


@breach("mail.owed_sent", "Somebody gives up an answer that could not be sent, and tells nobody.")
def given_up(world: World) -> None:
    LetterRow.objects.filter(pk=_letter().pk).update(state=LetterRow.State.FAILED, reason="550", ended_at=world.now)


@breach(
    "mail.owed_sent",
    "Somebody deletes an answer that waits to be sent.",
    unseen="nothing but its own row shows that an e-mail was owed",
)
def deleted(world: World) -> None:
    unsent(world)
    _letter().delete()
