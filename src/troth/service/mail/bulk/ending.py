"""How an edition stands, and its end: once each of its recipients has an outcome, and not before."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Count

from troth.ledger import Entry
from troth.protect import Keyring
from troth.service.core.ledger import record
from troth.service.mail.models import DeliveryGroup, Edition, EditionDelivery

State = EditionDelivery.State
_OUTCOMES = (State.SENT, State.REFUSED, State.STOPPED, State.IN_DOUBT)


def counts(edition_id: int) -> dict[str, int]:
    """How many deliveries of an edition are in each state."""
    rows = EditionDelivery.objects.filter(edition=edition_id).values_list("state").annotate(Count("pk"))
    return {state.value: 0 for state in State} | dict(rows)


def end_if_done(edition_id: int, keyring: Keyring, *, now: dt.datetime) -> bool:
    """End an edition of which no delivery is open, with its figures in the ledger, and delete the keys of its
    recipients' rows. True if it ended now."""
    if EditionDelivery.objects.filter(edition=edition_id, ended_at=None).exists():
        return False
    with transaction.atomic():
        edition = Edition.objects.filter(pk=edition_id, state=Edition.State.SENDING)
        if not edition.update(state=Edition.State.FINISHED, ended_at=now):
            return False
        DeliveryGroup.objects.filter(edition=edition_id).update(keys=None)
        figures = counts(edition_id)
        ended = {state.value: figures[state.value] for state in _OUTCOMES}
        record(Entry("edition.finished", now, {"edition": keyring.pseudonym("edition", str(edition_id)), **ended}))
    return True
