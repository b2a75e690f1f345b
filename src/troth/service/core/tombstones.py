"""Tombstones: who was erased from which system, as keyed marks that can only be matched (clause C07).

A mark is *pseudonymous*: with the deployment's key and a candidate identifier it can be recognised. That is its
purpose, and why it has its own purpose and period. Identifiers are normalised before they are marked.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, Count, Min, Q, Value, When
from django.db.models.functions import Greatest

from troth.declaration import IdentityKind
from troth.protect import Keyring
from troth.service.core.models import Tombstone

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """An identifier erased from one system. Its `repr` does not show it."""

    system: str
    kind: IdentityKind
    value: str

    def __repr__(self) -> str:
        return f"Erased({self.system}, {self.kind})"


@dataclass(frozen=True, slots=True)
class Grave:
    """Record of an erased identifier: its mark, date of erasure, and whether its owner has returned since."""

    mark: bytes
    erased_at: dt.datetime
    is_lifted: bool = False


class Tombstones:
    """Tombstones of this deployment, set and matched under *keyring*."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def bury(self, gone: Iterable[Erased], *, erased_at: dt.datetime, until: dt.datetime) -> int:
        """Set a tombstone for each, all or none; an existing one takes the later erasure and the later end.
        A lifted one is in force again. Returns how many."""
        several = list(gone)
        rows = {
            mark: Tombstone(system=one.system, kind=one.kind.value, mark=mark, erased_at=erased_at, until=until)
            for one, mark in zip(several, self._marks(several), strict=True)
        }
        marks = sorted(rows)  # always in the same order, so that no two transactions deadlock
        with transaction.atomic():
            Tombstone.objects.bulk_create([rows[mark] for mark in marks], ignore_conflicts=True, batch_size=_BATCH)
            for start in range(0, len(marks), _BATCH):
                known = Tombstone.objects.filter(mark__in=marks[start : start + _BATCH])
                list(known.select_for_update().order_by("mark").values_list("pk"))
                known.filter(Q(erased_at__lt=erased_at) | Q(until__lt=until) | Q(returned_at__lt=erased_at)).update(
                    erased_at=Greatest("erased_at", Value(erased_at)),
                    until=Greatest("until", Value(until)),
                    returned_at=Case(When(returned_at__gte=erased_at, then="returned_at"), default=None),
                )
        return len(several)

    def lift(self, returned: Iterable[Erased], *, at: dt.datetime) -> int:
        """Record that these people returned of their own accord: their identifiers are no fault from *at* on. The
        tombstones stay, because a backup from before the erasure holds what was erased. Returns how many were
        lifted."""
        several = list(returned)
        return sum(
            Tombstone.objects.filter(
                system=one.system, kind=one.kind.value, mark=mark, erased_at__lte=at, returned_at=None
            ).update(returned_at=at)
            for one, mark in zip(several, self._marks(several), strict=True)
        )

    def count(self, system: str, *, now: dt.datetime) -> Mapping[IdentityKind, int]:
        """Tombstones in force in *system*, counted by kind of identifier, without lifted ones."""
        rows = (
            Tombstone.objects.filter(system=system, until__gt=now, returned_at=None)
            .values_list("kind")
            .annotate(Count("pk"))
        )
        return {IdentityKind(kind): count for kind, count in rows.order_by("kind")}

    def first(self, *, now: dt.datetime) -> dt.datetime:
        """Date of the earliest tombstone in force; *now* if there is none."""
        rows = Tombstone.objects.filter(until__gt=now, returned_at=None)
        return min(rows.aggregate(first=Min("erased_at"))["first"] or now, now)

    def reappeared(self, system: str, kind: IdentityKind, values: Iterable[str], *, now: dt.datetime) -> int:
        """Number of distinct tombstones of *system* that *values* match. Values are compared on our side only."""
        marks = set(self._marks([Erased(system, kind, value) for value in values]))
        found = 0
        wanted = sorted(marks)
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            rows = Tombstone.objects.filter(system=system, kind=kind.value, mark__in=batch, until__gt=now)
            found += rows.filter(returned_at=None).count()
        return found

    def erased(
        self, system: str, kind: IdentityKind, values: Iterable[str], *, now: dt.datetime
    ) -> Mapping[str, Grave]:
        """Those of *values* that were erased from *system*, with their records. Compared on our side only."""
        several = list(dict.fromkeys(values))
        marks = dict(zip(several, self._marks([Erased(system, kind, value) for value in several]), strict=True))
        known: dict[bytes, Grave] = {}
        wanted = sorted(set(marks.values()))
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            rows = Tombstone.objects.filter(system=system, kind=kind.value, mark__in=batch, until__gt=now)
            known |= {
                bytes(row.mark): Grave(bytes(row.mark), row.erased_at, row.returned_at is not None) for row in rows
            }
        return {value: known[mark] for value, mark in marks.items() if mark in known}

    def erased_at(self, kind: IdentityKind, value: str, systems: Iterable[str], *, now: dt.datetime) -> dt.date | None:
        """Last day on which this identifier was erased from one of *systems*; None if there is no tombstone."""
        marks = self._marks([Erased(system, kind, value) for system in systems])
        rows = Tombstone.objects.filter(kind=kind.value, mark__in=marks, until__gt=now).order_by("-erased_at")
        last = rows.first()
        return last.erased_at.date() if last is not None else None

    def _marks(self, several: Iterable[Erased]) -> list[bytes]:
        parts = [f"{one.system}\x1f{one.kind}\x1f{_one_spelling(one.kind, one.value)}" for one in several]
        return [mark.text.encode() for mark in self._keyring.pseudonyms("tombstone", parts)]


def _one_spelling(kind: IdentityKind, value: str) -> str:
    value = value.strip()
    if kind is IdentityKind.PHONE:
        digits = re.sub(r"\D", "", value)
        return digits[-9:] or value  # the national part: +44 20 … and 020 … are the same number
    return value.casefold()
