"""Reseals values of Troth's own database from older field keys to the active one.

Everything stays readable: an older key opens what it sealed, and a value is replaced only if it is still the old one.
The remaining rows are the work list, so a killed process loses nothing and the next one continues.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Count, F, Func, Q, Value

from troth.protect import NUMBER_AT, ROOT_AT, Keyring, OpenError, SealingContext

_BATCH = 500
"""Rows per transaction; it bounds how long SQLite's writers wait."""


@dataclass(frozen=True, slots=True)
class SealedPlace:
    """A column of sealed values, and how a value's *context* follows from the columns that it *needs*. Rows matching
    *theirs* are sealed under subjects' keys, and not handled here."""

    model: type[models.Model]
    column: str
    needs: tuple[str, ...]
    context: Callable[..., SealingContext]
    theirs: Q = field(default_factory=lambda: Q(pk__in=()))

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"


@dataclass(frozen=True, slots=True)
class Resealed:
    """Result of one `reseal`. *closed* values do not open, including those of another root key, and stay as they are;
    *finished* is False if rows remain beyond its limit."""

    done: int
    closed: int
    finished: bool


def hanging(places: Sequence[SealedPlace]) -> Mapping[int, Counter[str]]:
    """Number of values sealed under each field key, by key number and place."""
    found: dict[int, Counter[str]] = {}
    for place in places:
        counted = _rows(place).values("number").annotate(values=Count("pk")).values_list("number", "values")
        for number, values in counted:
            found.setdefault(int.from_bytes(bytes(number), "big"), Counter())[str(place)] += values
    return found


def reseal(
    keyring: Keyring,
    places: Sequence[SealedPlace],
    *,
    most: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Resealed:
    """Reseal up to *most* values. *progress* gets the number done.

    Idempotent and safe to kill at any point, beside any number of readers and writers.
    """
    older, done, closed = _older(keyring), 0, 0
    for place in places if older else ():
        for rows in _stale(place, keyring, older):
            if most is not None and done >= most:
                return Resealed(done, closed, finished=False)
            fresh = [(new, key, old) for key, new, old in _sealed_anew(keyring, place, rows)]
            closed += len(rows) - len(fresh)
            done += _swap(place, fresh)
            progress(done)
    return Resealed(done, closed, finished=True)


def _older(keyring: Keyring) -> Sequence[int]:
    """Numbers of the field keys that still open and no longer seal."""
    if keyring.chain is None or keyring.chain.active("field") is None:
        return ()
    infos = [info for info in keyring.chain.infos() if info.purpose == "field"]
    return [0, *(info.number for info in infos if info.state.opens and not info.state.seals)]


def _rows(place: SealedPlace) -> models.QuerySet[Any]:
    """Rows of a place with a value, each with the *root* key and field key *number* stored in it."""
    filled = place.model._default_manager.filter(**{f"{place.column}__isnull": False}).exclude(place.theirs)
    rows: models.QuerySet[Any] = filled.annotate(root=_part(place, ROOT_AT), number=_part(place, NUMBER_AT))
    return rows


def _part(place: SealedPlace, at: slice) -> Func:
    begins, length = Value(at.start + 1), Value(at.stop - at.start)
    return Func(F(place.column), begins, length, function="SUBSTR", output_field=models.BinaryField())


def _stale(place: SealedPlace, keyring: Keyring, older: Sequence[int]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Batches of rows under these keys, or under another root key: primary key, value, and context columns."""
    last = 0
    ours = bytes.fromhex(keyring.id.text.partition(":")[2])
    is_stale = Q(number__in=[number.to_bytes(4, "big") for number in older]) | ~Q(root=ours)
    rows = _rows(place).filter(is_stale).order_by("pk")
    while batch := list(rows.filter(pk__gt=last).values_list("pk", place.column, *place.needs)[:_BATCH]):
        yield batch
        last = batch[-1][0]


def _sealed_anew(
    keyring: Keyring, place: SealedPlace, rows: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[int, bytes, bytes]]:
    for key, stored, *needs in rows:
        old = bytes(stored)
        try:
            yield key, keyring.reseal(old, place.context(*needs)), old
        except OpenError:
            continue


def _swap(place: SealedPlace, values: Sequence[tuple[bytes, int, bytes]]) -> int:
    """Replace old values that are unchanged by their new forms. Returns how many."""
    if not values:
        return 0
    table, column, key = map(connection.ops.quote_name, (place.model._meta.db_table, place.column, "id"))
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s",  # noqa: S608 - our own names
            values,
        )
        return int(cursor.rowcount)
