"""Subject keys: created when first needed, wrapped under an epoch key, destroyed with the person's erasure.

Erasing deletes the wrapped key from the table, and nothing sealed under it opens any more. Backups still hold it; so
epochs end. Then all other keys are rewrapped under the next epoch's key, and the old epoch's key is destroyed in
TROTH_HOME, where no database backup reaches. From then on no earlier backup opens for erased people, even with the root
key, and every newer backup opens for everyone else (GDPR Art. 17, clause C50).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from troth.ledger import Pseudonym
from troth.protect import EPOCH_GRACE, EPOCH_LASTS, WRAPPED_BYTES, KeyInfo, Keyring, KeyState, OpenError, epoch_of
from troth.service.core.key_erasure import erase_key
from troth.service.core.key_registry import end_key, make_key, note_destruction, note_keys, require_newest
from troth.service.core.models import Subject

_LOOP_ROOM = dt.timedelta(hours=1)
"""How late after the end of an epoch its job may run without making a receipt's date wrong."""

_Wrapped = tuple[int, str, bytes]
_Fresh = tuple[bytes, int, bytes]
_BATCH = 20_000
_ROW = ("pk", "pseudonym", "wrapped_key")
_AT_ONCE = 500
_OVER = (KeyState.DEACTIVATED, KeyState.COMPROMISED)
_CLOCKS_DIFFER = dt.timedelta(minutes=5)
"""Largest clock difference between two machines; later dates come from a wrong clock."""
_SCRUB_WAITS_MS = 250
"""How long a reader may take; nobody else writes meanwhile."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """Result of one `SubjectKeys.roll`: number of rewrapped keys, and the epochs whose keys were destroyed. *closed*
    subject keys can never be opened: they are left as they are, and block no epoch."""

    rewrapped: int
    destroyed: tuple[KeyInfo, ...]
    closed: int = 0


class SubjectKeys:
    """Subject keys of this deployment, by pseudonym, under *keyring*, which must have a keychain."""

    def __init__(self, keyring: Keyring) -> None:
        assert keyring.chain is not None, "epoch keys are in TROTH_HOME"
        self._keyring, self._chain = keyring, keyring.chain

    def of(self, subject: str, *, now: dt.datetime) -> Keyring:
        """Keyring of a subject, created if there is none. What it seals opens until the subject is erased; a subject
        who returns afterwards gets another. Raises `KeyRefused` if one is needed beside an older keys.toml."""
        row = Subject.objects.filter(pseudonym=subject).first()
        if row is None or row.wrapped_key is None:
            row = self._made(subject, now)
        assert row.wrapped_key is not None
        return self._keyring.open_key(bytes(row.wrapped_key), subject)

    def _made(self, subject: str, now: dt.datetime) -> Subject:
        self._require_epoch(now)
        with transaction.atomic():
            row, _ = Subject.objects.select_for_update().get_or_create(pseudonym=subject, defaults={"created_at": now})
            if row.wrapped_key is None:
                row.wrapped_key = self._keyring.make_key(subject)
                row.epoch, row.erased_at = epoch_of(row.wrapped_key), None
                row.save(update_fields=["wrapped_key", "epoch", "erased_at"])
        return row

    def each(self, subjects: Iterable[str], *, now: dt.datetime) -> dict[str, tuple[Subject, Keyring]]:
        """Row and keyring of each of *subjects*, created if there is none, for rows to be sealed under them in the open
        transaction: until it ends none of them can be erased. Raises `KeyRefused` as `of` does."""
        wanted = sorted(set(subjects))
        rows = {row.pseudonym: row for row in self._held(wanted)}
        if missing := [name for name in wanted if name not in rows]:
            fresh = [Subject(pseudonym=name, created_at=now) for name in missing]
            Subject.objects.bulk_create(fresh, batch_size=_AT_ONCE, ignore_conflicts=True)
            rows |= {row.pseudonym: row for row in self._held(missing)}
        bare = [row for row in rows.values() if row.wrapped_key is None]
        if bare:
            self._require_epoch(now)
        for row in bare:
            row.wrapped_key = self._keyring.make_key(row.pseudonym)
            row.epoch, row.erased_at = epoch_of(row.wrapped_key), None
        Subject.objects.bulk_update(bare, ["wrapped_key", "epoch", "erased_at"], batch_size=_AT_ONCE)
        open_key = self._keyring.open_key
        return {name: (row, open_key(bytes(row.wrapped_key or b""), name)) for name, row in rows.items()}

    def _held(self, subjects: Sequence[str]) -> Iterator[Subject]:
        """Lock their rows until the transaction ends; in one order, to avoid deadlocks."""
        for start in range(0, len(subjects), _AT_ONCE):
            some = Subject.objects.filter(pseudonym__in=subjects[start : start + _AT_ONCE])
            yield from some.select_for_update().order_by("pseudonym")

    def _require_epoch(self, now: dt.datetime) -> None:
        if self._chain.active("epoch") is None:
            make_key(self._keyring, "epoch", now=now)
        require_newest(self._keyring, "epoch")

    def erase(self, subjects: Iterable[str], *, now: dt.datetime) -> int:
        """Destroy the keys of *subjects* and the rows that reference them, in the open transaction; returns how many
        had one. Call `scrub` after the commit."""
        wanted, erased = list(subjects), 0
        for start in range(0, len(wanted), _AT_ONCE):
            some = Subject.objects.filter(pseudonym__in=wanted[start : start + _AT_ONCE])
            erased += erase_key(some, now=now)
        return erased

    def final_after(self, subjects: Iterable[str], *, now: dt.datetime) -> dict[str, dt.date]:
        """For those of *subjects* with a key, the first day on which no backup opens any more if they are erased *now*:
        by then the epoch is over and its key destroyed."""
        wanted, held = list(subjects), list[str]()
        for start in range(0, len(wanted), _AT_ONCE):
            some = Subject.objects.filter(pseudonym__in=wanted[start : start + _AT_ONCE])
            held += some.filter(wrapped_key__isnull=False).values_list("pseudonym", flat=True)
        return dict.fromkeys(held, final_day(self._chain.infos(), erased=now))

    def roll(self, *, now: dt.datetime, early: bool = False, progress: Callable[[int], None] | None = None) -> Rolled:
        """Advance the end of an epoch: start the next one, rewrap keys, destroy expired epoch keys.

        Idempotent and safe to kill at any point; the remaining rows are the work list. An epoch ends after its period,
        or at once with *early*. *progress* gets the number of rewrapped keys.
        """
        active = self._chain.active("epoch")
        if active is not None and (early or not _lasts(active.since[KeyState.ACTIVE], EPOCH_LASTS, now)):
            make_key(self._keyring, "epoch", now=now)
        over = [info for info in self._chain.infos() if info.purpose == "epoch" and info.state in _OVER]
        if not over:
            return Rolled(0, ())
        note_keys(self._keyring, now=now)
        rewrapped, closed = self._rewrap(now, progress)
        ready = [info for info in over if not _lasts(info.since[info.state], EPOCH_GRACE, now)]
        return Rolled(rewrapped, tuple(info for info in ready if self._ended(info, now)), closed)

    def _rewrap(self, now: dt.datetime, progress: Callable[[int], None] | None) -> tuple[int, int]:
        epoch = (self._chain.active("epoch") or make_key(self._keyring, "epoch", now=now)).number
        done, closed, last = 0, 0, 0
        older = [info.number for info in self._chain.infos() if info.purpose == "epoch" and info.state.opens]
        while rows := self._older([number for number in older if number < epoch], last):
            fresh = self._fresh(rows)
            with transaction.atomic(durable=True):
                _store(epoch, fresh)
            done, last = done + len(fresh), rows[-1][0]
            if len(fresh) < len(rows):
                closed += _as_they_were({key for key, _, _ in rows} - {key for _, key, _ in fresh}, rows)
            if progress is not None:
                progress(done)
        if done:
            scrub()
        return done, closed

    def _older(self, epochs: Sequence[int], last: int) -> Sequence[_Wrapped]:
        rows = Subject.objects.filter(pk__gt=last, epoch__in=epochs, wrapped_key__isnull=False).order_by("pk")
        return [(key, subject, bytes(wrapped or b"")) for key, subject, wrapped in rows.values_list(*_ROW)[:_BATCH]]

    def _fresh(self, rows: Sequence[_Wrapped]) -> list[_Fresh]:
        """Rewrapped keys that open, each with its row and old form; a damaged one blocks no other."""
        try:
            fresh = self._keyring.rewrap([(wrapped, subject) for _, subject, wrapped in rows])
            return [(new, key, old) for new, (key, _, old) in zip(fresh, rows, strict=True)]
        except OpenError:
            return [made for row in rows for made in self._fresh([row])] if len(rows) > 1 else []

    def _ended(self, info: KeyInfo, now: dt.datetime) -> bool:
        """Destroy the key of a finished epoch, unless something depends on it; True if we did. The entry commits first;
        if we are killed in between, the next roll destroys the key."""
        try:
            if self._used(info):
                return False
        except OpenError:
            if self._chain.opens("epoch", info.number):
                raise
            return False  # another process has just destroyed it
        note_destruction(info, now=now)
        return end_key(self._keyring, info, now=now)

    def _used(self, info: KeyInfo) -> bool:
        """True if a key that opens depends on it: a process was slow to store it. Raises `OpenError` if the epoch's own
        key does not open: then its dependants are unknown."""
        self._chain.secret("epoch", info.number)
        rows = Subject.objects.filter(epoch=info.number, wrapped_key__isnull=False).values_list(*_ROW)
        return any(self._fresh([(key, subject, bytes(wrapped or b""))]) for key, subject, wrapped in rows.iterator())


def sealing_keys(
    keyring: Keyring, subjects: Iterable[Pseudonym | None], *, now: dt.datetime
) -> dict[Pseudonym | None, tuple[int | None, Keyring]]:
    """Row id and keyring of each of *subjects*, as `SubjectKeys.each`; for None, no row and *keyring* itself."""
    named = {str(subject): subject for subject in subjects if subject is not None}
    held = SubjectKeys(keyring).each(named, now=now) if named else {}
    return {None: (None, keyring)} | {named[name]: (row.pk, key) for name, (row, key) in held.items()}


def _lasts(begun: dt.datetime, period: dt.timedelta, now: dt.datetime) -> bool:
    """True if *period* is not over. A start that a wrong clock dated in the future counts as over, since it would never
    be."""
    return -_CLOCKS_DIFFER <= now - begun < period


def final_day(epochs: Iterable[KeyInfo], *, erased: dt.datetime) -> dt.date:
    """First day on which no backup opens any more for somebody whose key was *erased* then, under *epochs*."""
    starts = [info.since.get(KeyState.ACTIVE, erased) for info in epochs if info.purpose == "epoch"]
    begun = max((start for start in starts if start <= erased), default=erased)
    return day_after(max(begun, erased - EPOCH_LASTS) + EPOCH_LASTS)


def day_after(ended: dt.datetime) -> dt.date:
    """First day on which the key of an epoch that *ended* then is surely destroyed."""
    return (ended + EPOCH_GRACE + _LOOP_ROOM).date() + dt.timedelta(days=1)


def _as_they_were(left: Collection[int], rows: Sequence[_Wrapped]) -> int:
    """Number of *left* rows that still hold what was read: rows changed meanwhile need no more work."""
    return sum(Subject.objects.filter(pk=key, wrapped_key=wrapped).exists() for key, _, wrapped in rows if key in left)


def _store(epoch: int, keys: Sequence[_Fresh]) -> None:
    """Replace older wrappings that are unchanged: subjects erased meanwhile stay erased, and those who returned keep
    their new key."""
    if not keys:
        return
    if connection.vendor == "postgresql":
        _store_at_once(epoch, keys)
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE core_subject SET wrapped_key = %s, epoch = {epoch:d}"  # noqa: S608 - a number of ours
            " WHERE id = %s AND wrapped_key = %s",
            keys,
        )


def _store_at_once(epoch: int, keys: Sequence[_Fresh]) -> None:
    """One statement with binary parameters: all wrappings concatenated, as all have the same length."""
    from psycopg import Cursor

    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        cursor.execute(
            "UPDATE core_subject AS s SET wrapped_key = substr(%b, k.starts::int, %b), epoch = %b"
            " FROM (SELECT id, (n - 1) * %b + 1 AS starts FROM unnest(%b) WITH ORDINALITY AS t (id, n)) AS k"
            " WHERE s.id = k.id AND s.wrapped_key = substr(%b, k.starts::int, %b)",
            [
                b"".join(new for new, _, _ in keys),
                WRAPPED_BYTES,
                epoch,
                WRAPPED_BYTES,
                [row for _, row, _ in keys],
                b"".join(old for _, _, old in keys),
                WRAPPED_BYTES,
            ],
        )


def scrub() -> bool:
    """Ensure that SQLite's write-ahead log keeps no page with erased data. Call it outside transactions.

    False if a reader is in the way: then repeat it; a job does so every few minutes. PostgreSQL keeps old row
    versions and its log for a while: there the end of the epoch is the horizon.
    """
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        waits = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {_SCRUB_WAITS_MS:d}")
        try:
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {waits:d}")
    return not busy
