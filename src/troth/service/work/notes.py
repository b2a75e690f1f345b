"""Flow notes beside an SQLite file, and databases restored from a backup.

Notes newer than the rows would skip steps whose effects are gone (docs/decisions/0011). A worker renews its lease every
few seconds and writes no note without it; so rows without a lease from the time of the notes are older than the notes.
Without notes a flow restarts at its first step.
"""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

from django.db.models import Max

from troth.service.configuration import Settings
from troth.service.work.models import WorkerRow

_LOG = logging.getLogger("troth.work")
_MARGIN = dt.timedelta(minutes=1)
_ENDS = ("", "-wal", "-shm")


def forget_newer(settings: Settings) -> bool:
    """Delete the notes if they are newer than the rows; True if they were. Call under the lock that only one worker
    has, before it takes a lease. Does not detect a backup from a time when no worker ran: `troth migrate --restored` is
    for that."""
    if settings.database.engine != "sqlite":
        return False
    files = [Path(settings.database.name).with_name(f"work.sqlite3{end}") for end in _ENDS]
    written = max((file.stat().st_mtime for file in files if file.exists()), default=None)
    lease = WorkerRow.objects.aggregate(latest=Max("lease_until"))["latest"]
    if written is None or lease is None or dt.datetime.fromtimestamp(written, dt.UTC) <= lease + _MARGIN:
        return False
    for file in files:
        file.unlink(missing_ok=True)
    _LOG.warning(
        "the database is older than the recorded steps of its flows, as after a restore: flows restart at their "
        "first step"
    )
    return True
