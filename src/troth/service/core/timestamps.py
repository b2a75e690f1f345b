"""Moments to remember by name, such as when the clock was last trusted."""

from __future__ import annotations

import datetime as dt

from troth.service.core.models import Timestamp


def noted(name: str) -> dt.datetime | None:
    """The moment noted as *name*, if there is one."""
    return Timestamp.objects.filter(name=name).values_list("at", flat=True).first()


def note(name: str, at: dt.datetime) -> None:
    """Note *at* as *name*, in place of the moment before."""
    Timestamp.objects.update_or_create(name=name, defaults={"at": at})


def note_first(name: str, at: dt.datetime) -> bool:
    """Note *at* as *name* unless there is a moment already. True if it is new."""
    return Timestamp.objects.get_or_create(name=name, defaults={"at": at})[1]


def forget(name: str) -> bool:
    """Forget *name*. True if it was noted."""
    return bool(Timestamp.objects.filter(name=name).delete()[0])
