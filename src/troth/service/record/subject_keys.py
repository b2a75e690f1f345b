"""Keys of subjects: made when first needed, wrapped under the key of an epoch, destroyed with the person's erasure.

Erasing takes the wrapped key out of the table, and nothing that hangs on it opens any more. A backup still has it; so
epochs end. At the end of one, the keys of everybody else are wrapped anew under the next epoch's key, and the old
epoch's key is destroyed in TROTH_HOME, where no database backup reaches. From then on no backup of before opens for the
erased, although the root key is at hand, and every newer backup opens for everyone else (GDPR Art. 17, clause C50).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from troth.protect import EPOCH_GRACE, EPOCH_LASTS, WRAPPED_BYTES, KeyInfo, Keyring, KeyState, OpenError, epoch_of
from troth.service.record.key_registry import note_destruction, note_keys
from troth.service.record.models import Subject

__all__ = ["Rolled", "SubjectKeys", "final_day"]

_Wrapped = tuple[int, str, bytes]
_BATCH = 20_000
_ROW = ("pk", "pseudonym", "wrapped_key")
_ERASED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Rolled:
    """What one `SubjectKeys.roll` did: how many keys it wrapped anew, and the epochs whose keys it destroyed. *closed*
    keys of subjects do not open, whatever is done: they are left as they are, and hold no epoch up."""

    rewrapped: int
    destroyed: tuple[KeyInfo, ...]
    closed: int = 0


class SubjectKeys:
    """The keys of this deployment's subjects, named by their pseudonyms, under *keyring*, which has a keychain."""

    def __init__(self, keyring: Keyring) -> None:
        assert keyring.chain is not None, "epoch keys stand in TROTH_HOME"
        self._keyring, self._chain = keyring, keyring.chain

    def of(self, subject: str, *, now: dt.datetime) -> Keyring:
        """The keyring of one subject, made where there is none. What it seals opens until the subject is erased; one
        who comes back afterwards gets another."""
        row = Subject.objects.filter(pseudonym=subject).first()
        if row is None or row.wrapped_key is None:
            row = self._made(subject, now)
        assert row.wrapped_key is not None
        return self._keyring.open_key(bytes(row.wrapped_key), subject)

    def _made(self, subject: str, now: dt.datetime) -> Subject:
        with transaction.atomic():
            row, _ = Subject.objects.select_for_update().get_or_create(pseudonym=subject, defaults={"created_at": now})
            if row.wrapped_key is None:
                row.wrapped_key = self._keyring.make_key(subject)
                row.epoch, row.erased_at = epoch_of(row.wrapped_key), None
                row.save(update_fields=["wrapped_key", "epoch", "erased_at"])
        return row

    def erase(self, subjects: Iterable[str], *, now: dt.datetime) -> int:
        """Destroy the keys of *subjects*, in the transaction that is open: how many had one. Call `scrub` after it
        has committed."""
        wanted, erased = list(subjects), 0
        for start in range(0, len(wanted), _ERASED_AT_ONCE):
            some = Subject.objects.filter(pseudonym__in=wanted[start : start + _ERASED_AT_ONCE])
            erased += some.filter(wrapped_key__isnull=False).update(wrapped_key=None, erased_at=now)
        return erased

    def final_after(self, subjects: Iterable[str], *, now: dt.datetime) -> dict[str, dt.date]:
        """For those of *subjects* who have a key, the first day on which no backup opens any more if they are erased
        *now*: the epoch is over by then, its key destroyed."""
        wanted, held = list(subjects), list[str]()
        for start in range(0, len(wanted), _ERASED_AT_ONCE):
            some = Subject.objects.filter(pseudonym__in=wanted[start : start + _ERASED_AT_ONCE])
            held += some.filter(wrapped_key__isnull=False).values_list("pseudonym", flat=True)
        return dict.fromkeys(held, final_day(self._chain.infos(), erased=now))

    def roll(self, *, now: dt.datetime, early: bool = False, progress: Callable[[int], None] | None = None) -> Rolled:
        """Go on with what the end of an epoch asks for: begin the next, wrap keys anew, destroy what is over.

        Harmless at any time, killed at any point and called again; the work is in the rows that are left. An epoch
        ends when it has lasted, or at once with *early*. *progress* is told how many keys were wrapped anew.
        """
        active = self._chain.active("epoch")
        if active is not None and (early or now - active.since[KeyState.ACTIVE] >= EPOCH_LASTS):
            self._chain.rotate("epoch", now=now)
        over = [info for info in self._chain.infos() if info.purpose == "epoch" and info.state is KeyState.DEACTIVATED]
        if not over:
            return Rolled(0, ())
        note_keys(self._keyring, now=now)
        rewrapped, closed = self._rewrap(progress)
        ready = [info for info in over if now - info.since[KeyState.DEACTIVATED] >= EPOCH_GRACE]
        destroyed = tuple(self._destroyed(info, now) for info in ready if not self._used(info))
        return Rolled(rewrapped, destroyed, closed)

    def _rewrap(self, progress: Callable[[int], None] | None) -> tuple[int, int]:
        epoch, done, closed, last = self._epoch(), 0, 0, 0
        older = [info.number for info in self._chain.infos() if info.purpose == "epoch" and info.state.opens]
        while rows := self._older([number for number in older if number < epoch], last):
            fresh = self._fresh(rows)
            with transaction.atomic(durable=True):
                _store(epoch, fresh)
            done, closed, last = done + len(fresh), closed + len(rows) - len(fresh), rows[-1][0]
            if progress is not None:
                progress(done)
        if done:
            scrub()
        return done, closed

    def _older(self, epochs: Sequence[int], last: int) -> Sequence[_Wrapped]:
        rows = Subject.objects.filter(pk__gt=last, epoch__in=epochs, wrapped_key__isnull=False).order_by("pk")
        return [(key, subject, bytes(wrapped or b"")) for key, subject, wrapped in rows.values_list(*_ROW)[:_BATCH]]

    def _fresh(self, rows: Sequence[_Wrapped]) -> list[tuple[bytes, int]]:
        """The keys that open, wrapped anew, each with its row; one that is damaged holds nobody else up."""
        try:
            fresh = self._keyring.rewrap([(wrapped, subject) for _, subject, wrapped in rows])
            return list(zip(fresh, (key for key, _, _ in rows), strict=True))
        except OpenError:
            return [made for row in rows for made in self._fresh([row])] if len(rows) > 1 else []

    def _used(self, info: KeyInfo) -> bool:
        """Whether a key hangs on it that opens: a process was slow to store it. Raises `OpenError` where the epoch's
        own key does not open: then nothing is known about what hangs on it."""
        self._chain.secret("epoch", info.number)
        rows = Subject.objects.filter(epoch=info.number, wrapped_key__isnull=False).values_list(*_ROW)
        return any(self._fresh([(key, subject, bytes(wrapped or b""))]) for key, subject, wrapped in rows.iterator())

    def _destroyed(self, info: KeyInfo, now: dt.datetime) -> KeyInfo:
        """The entry commits first; where we are killed in between, the next roll destroys the key after all."""
        note_destruction(info, now=now)
        return self._chain.move(info.name, KeyState.DESTROYED, now=now)

    def _epoch(self) -> int:
        active = self._chain.active("epoch") or self._chain.rotate("epoch", now=dt.datetime.now(dt.UTC))
        return active.number


def final_day(epochs: Iterable[KeyInfo], *, erased: dt.datetime) -> dt.date:
    """The first day on which no backup opens any more for somebody whose key was *erased* then, under *epochs*."""
    starts = [info.since.get(KeyState.ACTIVE, erased) for info in epochs if info.purpose == "epoch"]
    begun = max((start for start in starts if start <= erased), default=erased)
    return (max(begun, erased - EPOCH_LASTS) + EPOCH_LASTS + EPOCH_GRACE).date() + dt.timedelta(days=1)


def _store(epoch: int, keys: Sequence[tuple[bytes, int]]) -> None:
    """Put the new wrappings in place of the older ones. A key that was erased meanwhile stays erased, and one that was
    made since is wrapped under this epoch already."""
    if not keys:
        return
    if connection.vendor == "postgresql":
        _store_at_once(epoch, keys)
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE record_subject SET wrapped_key = %s, epoch = {epoch:d}"  # noqa: S608 - a number of ours
            f" WHERE id = %s AND epoch < {epoch:d} AND wrapped_key IS NOT NULL",
            keys,
        )


def _store_at_once(epoch: int, keys: Sequence[tuple[bytes, int]]) -> None:
    """One statement with binary parameters: all wrappings in one piece, as each is as long as the next."""
    from psycopg import Cursor

    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        cursor.execute(
            "UPDATE record_subject AS s SET wrapped_key = substr(%b, ((k.n - 1) * %b + 1)::int, %b), epoch = %b"
            " FROM unnest(%b) WITH ORDINALITY AS k (id, n)"
            " WHERE s.id = k.id AND s.epoch < %b AND s.wrapped_key IS NOT NULL",
            [b"".join(key for key, _ in keys), WRAPPED_BYTES, WRAPPED_BYTES, epoch, [row for _, row in keys], epoch],
        )


def scrub() -> None:
    """See to it that SQLite's write-ahead log keeps no page with what was erased. Call it outside of transactions.

    PostgreSQL keeps old row versions and its log for a while: there the end of the epoch is the horizon.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
