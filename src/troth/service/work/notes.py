"""The notes of flows beside an SQLite file, and a database that came back from a backup.

Notes that are newer than the rows would skip steps whose effects are gone (docs/decisions/0011). A worker renews its
lease every few seconds and writes no note without it; so rows that know of no lease from the time of the notes are
older than these. Without notes a flow begins at its first step.
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
    """Delete the notes where they are newer than the rows, under the lock that only one worker has, before it takes a
    lease. Whether they were. A backup of a time when no worker ran does not show: `troth migrate --restored` is for
    that."""
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
        "the database is older than the notes of its flows, as after a restore: flows begin at their first step"
    )
    return True
