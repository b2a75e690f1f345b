"""Sealed values of mailing lists, and their contexts."""

from __future__ import annotations

from troth.service.core.resealing import SealedPlace
from troth.service.processors.actions import event_context, person_context
from troth.service.processors.models import ListedPerson, ListEvent

SEALED = (
    SealedPlace(ListedPerson, "sealed", ("system", "fingerprint"), person_context),
    SealedPlace(ListEvent, "sealed", ("digest",), event_context),
)
