"""Restore drill: tries every available key on a restored backup of Troth's database, read-only.

After their horizon, erased people's keys must not open from it; everybody else's must, with the wrapping in the backup
or with today's. This proves that erasure reaches earlier copies, and that nobody else was lost to it.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from troth.ledger import Entry, KeyId
from troth.protect import KeyInfo, Keyring, KeyState, OpenError, epoch_of
from troth.service.configuration import ServiceError
from troth.service.core import timestamps
from troth.service.core.ledger import record
from troth.service.core.models import Subject
from troth.service.core.subject_keys import day_after, final_day
from troth.stores import Store, UnknownName

_BATCH = 500
_MARK = "drill:"


class DrillRefused(ServiceError):
    """Not a backup that says anything about these keys."""


@dataclass(frozen=True, slots=True)
class Drill:
    """Result of a drill. *tried* are the subject keys in the backup, *opened* those of people not erased since,
    *through_today* those of them that only today's wrapping opens.

    *erased_opened* counts erased people past their horizon whose key still opens; it must be 0. The keys of
    *not_final_yet* others may open until *final_on* at the latest. *lost* people were not erased, and nothing opens for
    them; it must be 0.
    """

    tried: int
    opened: int
    through_today: int
    erased: int
    erased_opened: int
    not_final_yet: int
    final_on: dt.date | None
    lost: int

    @property
    def is_passed(self) -> bool:
        """A drill that tried no key shows nothing."""
        return bool(self.tried) and not (self.erased_opened or self.lost)


def drill(
    backup: Store, keyring: Keyring, *, now: dt.datetime, progress: Callable[[int], None] = lambda _: None
) -> Drill:
    """Try every available key on every subject key in *backup*. Raises `DrillRefused` for today's database and for
    anything but a backup of this deployment, and `StoreError`."""
    _require_ours(backup, keyring)
    _require_not_today(backup, now)
    trial = _Trial(keyring, now)
    for rows in backup.scan("core_subject", ["pseudonym", "wrapped_key"], batch=_BATCH):
        trial.take([(str(who), bytes(wrapped)) for who, wrapped in rows if isinstance(wrapped, bytes)])
        progress(trial.counts["tried"])
    counts = trial.counts
    return Drill(
        tried=counts["tried"],
        opened=counts["directly"] + counts["through today"],
        through_today=counts["through today"],
        erased=counts["erased"],
        erased_opened=counts["erased opened"],
        not_final_yet=counts["not final yet"],
        final_on=trial.final_on,
        lost=counts["lost"],
    )


def note_drill(drill: Drill, *, now: dt.datetime) -> None:
    """Record the drill."""
    record(
        Entry(
            "backup.drilled",
            now,
            {
                "tried": drill.tried,
                "opened": drill.opened,
                "erased": drill.erased,
                "erased_opened": drill.erased_opened,
                "not_final_yet": drill.not_final_yet,
                "lost": drill.lost,
            },
        )
    )


def _require_ours(backup: Store, keyring: Keyring) -> None:
    try:
        known = {str(key) for rows in backup.scan("core_key", ["key_id"], batch=_BATCH) for (key,) in rows}
    except UnknownName:
        raise DrillRefused("this is not a backup of Troth's own database: it has no table core_key") from None
    if keyring.id.text not in known:
        raise DrillRefused(
            "this backup belongs to another deployment, or is older than its keys: it does not know the root key "
            f"{keyring.id}"
        )


def _require_not_today(backup: Store, now: dt.datetime) -> None:
    """However *backup* was named, it must not contain what is written to today's database now. A server's own
    identifiers would not tell it from a copy of all its files."""
    mark = f"{_MARK}{secrets.token_hex(16)}"
    timestamps.note(mark, now)
    try:
        is_today = any((mark,) in rows for rows in backup.scan("core_timestamp", ["name"], batch=_BATCH))
    finally:
        timestamps.forget(mark)
    if is_today:
        raise DrillRefused("this is the database in use; restore a backup beside it and name that one")


class _Trial:
    """Running counts. Each subject in the backup is counted once."""

    def __init__(self, keyring: Keyring, now: dt.datetime) -> None:
        assert keyring.chain is not None, "the keyring comes from TROTH_HOME"
        self._keyring, self._now = keyring, now
        self._epochs = {info.number: info for info in keyring.chain.infos() if info.purpose == "epoch"}
        self.counts: Counter[str] = Counter()
        self.final_on: dt.date | None = None

    def take(self, subjects: Sequence[tuple[str, bytes]]) -> None:
        today = Subject.objects.in_bulk([who for who, _ in subjects], field_name="pseudonym")
        kept = {who: bytes(row.wrapped_key) for who, row in today.items() if row.wrapped_key is not None}
        then = self._keyring.try_every_key((wrapped, who) for who, wrapped in subjects)
        now = dict(zip(kept, self._keyring.try_every_key((kept[who], who) for who in kept), strict=True))
        for (who, wrapped), opened in zip(subjects, then, strict=True):
            row = today.get(who)
            self.counts["tried"] += 1
            if who in kept:
                self._alive(wrapped, opened, now[who])
            else:
                self._erased(opened, self._horizon(row.erased_at if row is not None else None))

    def _alive(self, wrapped: bytes, then: KeyId | None, now: KeyId | None) -> None:
        if then is not None and now is not None and then != now:  # erased since, and returned with a new key
            self._erased(then, self._end_of_epoch(wrapped))
        elif then is not None:
            self.counts["directly"] += 1
        else:
            self.counts["lost" if now is None else "through today"] += 1

    def _erased(self, opened: KeyId | None, horizon: dt.date) -> None:
        self.counts["erased"] += 1
        if opened is None:
            return
        if self._now.date() >= horizon:
            self.counts["erased opened"] += 1
        else:
            self.counts["not final yet"] += 1
            self.final_on = max(self.final_on or horizon, horizon)

    def _horizon(self, erased: dt.datetime | None) -> dt.date:
        """Horizon stated in the receipt. A missing row was disposed of long after its erasure."""
        return final_day(self._epochs.values(), erased=erased) if erased is not None else dt.date.min

    def _end_of_epoch(self, wrapped: bytes) -> dt.date:
        """Horizon of the wrapping's epoch, for a subject whose date of erasure is lost."""
        try:
            info = self._epochs[epoch_of(wrapped)]
        except (OpenError, KeyError):
            return dt.date.min
        return _gone_after(info, self._now)


def _gone_after(info: KeyInfo, now: dt.datetime) -> dt.date:
    ended = info.since.get(KeyState.DEACTIVATED)
    if ended is None:
        return final_day([info], erased=now)
    return day_after(ended)
