"""After a restore of Troth's own database: never issue again what was issued since the backup."""

from __future__ import annotations

import datetime as dt

from django.apps import apps
from django.db import connection, transaction

from troth.ledger import Entry
from troth.service.configuration import ServiceError
from troth.service.core.jobs.models import WorkerRow
from troth.service.core.ledger import record
from troth.service.core.models import EntryRow

_GAP = 100_000
"""More rows than any table is likely to have gained since the backup."""


def begin_again(*, now: dt.datetime) -> None:
    """Start from a restored backup, before anything else uses it. Idempotent.

    Case references, webhook message ids and all other ids that somebody may know continue well after those issued
    since. The ledger records the restore. Raises `ServiceError` while a worker runs.
    """
    if WorkerRow.objects.filter(lease_until__gt=now).exists():
        raise ServiceError("a worker runs on this database; stop Troth, then run the command again in a minute")
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
