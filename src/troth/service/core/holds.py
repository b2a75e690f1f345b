"""Legal holds: placing, reviewing and releasing on record; and what they cover, for disposal and erasure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from troth.ledger import DeclaredName, Entry, Pseudonym, Value
from troth.protect import Keyring
from troth.service.configuration import ServiceError
from troth.service.core.ledger import record
from troth.service.core.models import LegalHold


class HoldRefused(ServiceError):
    """The hold cannot be placed, kept or released like this; the message says why."""


@dataclass(frozen=True, slots=True)
class HoldInForce:
    """*subject* (a pseudonym; None for everyone) and *scope* (a system or a table; None for everywhere) are kept.
    *is_provisional*: it stops disposal by period, but no erasure that the person requests."""

    matter: str
    citation: str
    subject: str | None
    scope: str | None
    is_provisional: bool = False

    def is_on(self, place: str) -> bool:
        """True if *place* (a ``system.table``) is in its scope."""
        return self.scope is None or place == self.scope or place.startswith(f"{self.scope}.")


def in_force(now: dt.datetime) -> tuple[HoldInForce, ...]:
    """Holds in force at *now*, oldest first."""
    rows = LegalHold.objects.filter(Q(released_at__isnull=True) | Q(released_at__gt=now), placed_at__lte=now)
    return tuple(
        HoldInForce(row.matter, row.citation, row.subject or None, row.scope or None, row.is_provisional)
        for row in rows.order_by("placed_at", "id")
    )


# --- by staff ---------------------------------------------------------------------------------------------------------


def place(
    matter: str,
    citation: str,
    *,
    subject: str = "",
    scope: str = "",
    review_on: dt.date,
    keyring: Keyring,
    by: str,
    now: dt.datetime,
) -> LegalHold:
    """Exempt from deletion *subject* (a keyed reference), *scope* (a system or a table), or the subject's rows there.
    *review_on* is the day to review the hold. *by* is a staff pseudonym. Raises `HoldRefused`."""
    if not subject and not scope:
        raise HoldRefused("name a person or a place; a hold cannot cover everything")
    _require_later(review_on, now)
    with transaction.atomic():
        hold = LegalHold.objects.create(
            matter=matter,
            citation=citation,
            subject=subject,
            scope=scope,
            placed_at=now,
            review_at=dt.datetime.combine(review_on, dt.time(), dt.UTC),
        )
        record(Entry("hold.placed", now, _fields(hold, keyring, by) | {"review": review_on}))
    return hold


def review(pk: int, review_on: dt.date, *, keyring: Keyring, by: str, now: dt.datetime) -> None:
    """Extend the hold; its next review is on *review_on*. Raises `HoldRefused`."""
    _require_later(review_on, now)
    with transaction.atomic():
        hold = _standing(pk)
        hold.review_at = dt.datetime.combine(review_on, dt.time(), dt.UTC)
        hold.save(update_fields=["review_at"])
        said = {name: value for name, value in _fields(hold, keyring, by).items() if name not in ("subject", "place")}
        record(Entry("hold.reviewed", now, said | {"review": review_on}))


def release(pk: int, *, keyring: Keyring, by: str, now: dt.datetime) -> None:
    """Release the hold: its rows may be deleted again, and are, once their period is over. Raises `HoldRefused`."""
    with transaction.atomic():
        hold = _standing(pk)
        hold.released_at = now
        hold.save(update_fields=["released_at"])
        record(Entry("hold.released", now, _fields(hold, keyring, by)))


def _standing(pk: int) -> LegalHold:
    hold = LegalHold.objects.select_for_update().filter(pk=pk, released_at=None).first()
    if hold is None:
        raise HoldRefused("that hold is no longer in force; reload the list")
    return hold


def _require_later(review_on: dt.date, now: dt.datetime) -> None:
    if review_on <= now.date():
        raise HoldRefused("the review date must be after today")


def _fields(hold: LegalHold, keyring: Keyring, by: str) -> dict[str, Value]:
    said: dict[str, Value] = {"hold": keyring.pseudonym("hold", str(hold.pk)), "actor": "staff" if by else "owner"}
    said |= {"by": Pseudonym(by)} if by else {}
    said |= {"subject": Pseudonym(hold.subject)} if hold.subject else {}
    return said | ({"place": DeclaredName.of(hold.scope)} if hold.scope else {})
