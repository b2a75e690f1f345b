"""Ordinary business and breaches of the e-mails that are owed."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

from django.db.models import QuerySet

from troth.rehearsal import Inapplicable, World, register
from troth.service.core.jobs.worker import Pace, run_jobs
from troth.service.mail.message_kinds import kinds
from troth.service.mail.models import LetterRow


def conclude(world: World) -> None:
    """What the other duties have written is sent."""
    run_jobs(threading.Event(), clock=lambda: world.now, pace=Pace(look_s=0.02), only=["mail"], until_idle=True)


def change_letters(letters: QuerySet[LetterRow], missing: str, **fields: Any) -> None:
    """Change rows of e-mails. Raises `Inapplicable` with what is *missing* if there are none."""
    if not letters.update(**fields):
        raise Inapplicable(missing)


def refuse(letters: QuerySet[LetterRow], world: World, missing: str = "no answer by e-mail") -> None:
    """The mail server has refused them, and nobody tries again."""
    change_letters(letters, missing, state=LetterRow.State.FAILED, reason="550", ended_at=world.now)


def queue(letters: QuerySet[LetterRow], missing: str = "no answer by e-mail", **fields: Any) -> None:
    """They still wait to be sent."""
    change_letters(letters, missing, state=LetterRow.State.QUEUED, ended_at=None, sealed=b"-", **fields)


def _letter() -> QuerySet[LetterRow]:
    """The first e-mail that was owed to somebody."""
    owed = [name for name, kind in kinds().items() if kind.is_owed]
    return LetterRow.objects.filter(pk=LetterRow.objects.filter(kind__in=owed).order_by("id").values("pk")[:1])


def refused(world: World) -> None:
    change_letters(_letter(), "no e-mail that is owed", state=LetterRow.State.FAILED, reason="550", sealed=b"-")


def unsent(world: World) -> None:
    queue(_letter(), "no e-mail that is owed", queued_at=world.now - dt.timedelta(days=1))


def given_up(world: World) -> None:
    refuse(_letter(), world, "no e-mail that is owed")


def deleted(world: World) -> None:
    unsent(world)
    _letter().delete()


register(__name__)
