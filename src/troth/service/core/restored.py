"""After a restore of Troth's own database: never issue again what was issued since the backup."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from pathlib import Path

from django.apps import apps
from django.db import connection, transaction

from troth.ledger import Entry
from troth.service.configuration import Database, ServiceError, Settings
from troth.service.core.ledger import record
from troth.service.core.models import EntryRow

_GAP = 100_000
"""More rows than any table is likely to have gained since the backup."""


def begin_again(settings: Settings, *, now: dt.datetime) -> None:
    """Start from a restored backup, before anything else uses it. Idempotent.

    Case references, webhook message ids and all other ids that somebody may know continue well after those issued
    since. Flow notes beside an SQLite file are deleted, as they may be newer than its rows (docs/decisions/0011). The
    ledger records the restore. Raises `ServiceError` while a worker runs.
    """
    if settings.database.engine == "sqlite":
        _forget_notes(settings.database)
    with transaction.atomic():
        record(Entry("records.restored", now, {"entries": EntryRow.objects.count()}))
        for model in apps.get_models():
            numbered = model._meta.auto_field
            if numbered is not None and numbered.column and model._meta.managed:
                _skip(model._meta.db_table, numbered.column)


def _skip(table: str, column: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = "pg_get_serial_sequence(%s, %s)"
            quoted = connection.ops.quote_name(table)
            cursor.execute(f"SELECT setval({sequence}, nextval({sequence}) + %s)", [quoted, column] * 2 + [_GAP])
            return
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s", [_GAP, table])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, _GAP])


def _forget_notes(database: Database) -> None:
    """Delete ``work.sqlite3`` under the worker lock."""
    file = Path(database.name)
    lock = os.open(file.with_name("work.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ServiceError("a worker runs on this database; stop Troth, then run the command again") from None
    else:
        for end in ("", "-wal", "-shm"):
            file.with_name(f"work.sqlite3{end}").unlink(missing_ok=True)
    finally:
        os.close(lock)
