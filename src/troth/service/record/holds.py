"""Legal holds as values: what is covered, for whoever disposes or erases."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from troth.service.record.models import Hold

__all__ = ["HoldInForce", "in_force"]


@dataclass(frozen=True, slots=True)
class HoldInForce:
    """*subject* (a pseudonym; None for everyone) and *scope* (a system or a table; None for everywhere) stay."""

    matter: str
    citation: str
    subject: str | None
    scope: str | None

    def is_on(self, place: str) -> bool:
        """Whether *place* (a ``system.table``) is in its scope."""
        return self.scope is None or place == self.scope or place.startswith(f"{self.scope}.")


def in_force(now: dt.datetime) -> tuple[HoldInForce, ...]:
    """The holds that are placed and not released at *now*, the oldest first."""
    rows = Hold.objects.filter(Q(released_at__isnull=True) | Q(released_at__gt=now), placed_at__lte=now)
    return tuple(
        HoldInForce(row.matter, row.citation, row.subject or None, row.scope or None)
        for row in rows.order_by("placed_at", "id")
    )
