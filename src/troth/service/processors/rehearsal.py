"""Ordinary business and breaches of mailing lists of processors."""

from __future__ import annotations

import datetime as dt
from typing import Any

from troth.rehearsal import Inapplicable, World, register
from troth.service.core.deployment import current
from troth.service.processors.actions import lists_of
from troth.service.processors.models import SyncedList


def ordinary(world: World) -> None:
    """Each list was compared, and agrees."""
    for name in lists_of(current()):
        SyncedList.objects.create(
            system=name, reconciled_at=world.now, changes_seen_at=world.now, has_webhook=True, figures={"members": 3}
        )


def _first() -> SyncedList:
    row = SyncedList.objects.first()
    if row is None:
        raise Inapplicable("no mailing list of a processor is declared")
    return row


def shown(world: World, **figures: Any) -> None:
    """The next comparison shows this."""
    row = _first()
    row.figures |= figures
    row.save()


def uncalled(world: World) -> None:
    SyncedList.objects.filter(pk=_first().pk).update(has_webhook=False)


def uncompared(world: World) -> None:
    SyncedList.objects.filter(pk=_first().pk).update(reconciled_at=world.now - dt.timedelta(hours=27))


def exported(world: World) -> None:
    _first()


register(__name__)
