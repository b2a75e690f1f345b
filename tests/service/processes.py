"""What the concurrency tests start in processes of their own: ``python -m``, with the database in the environment."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import sys

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)


def write_entries(first: int, count: int) -> None:
    """Write *count* entries, each in a transaction of its own."""
    from django.db import transaction

    from troth.ledger import DeclaredName, Entry
    from troth.service.core.ledger import record

    for number in range(first, first + count):
        with transaction.atomic():
            record(Entry("demo.fault_planted", NOW, {"fault": DeclaredName("overdue"), "rows": number}))


def acknowledge_forever(first: int) -> None:
    """Write entries in transactions of their own until we are killed; say each number once it has committed."""
    from django.db import transaction

    from troth.ledger import DeclaredName, Entry
    from troth.service.core.ledger import record

    for number in itertools.count(first):
        with transaction.atomic(durable=True):
            record(Entry("demo.fault_planted", NOW, {"fault": DeclaredName("overdue"), "rows": number}))
        os.write(1, b"%d\n" % number)


def sequence_forever() -> None:
    """Sequence until we are killed. Says when it has begun."""
    from tests.service.conftest import TestSigner

    from troth.service.core.ledger import sequence

    print("begun", flush=True)  # noqa: T201 - the parent waits for it
    while True:
        sequence(TestSigner(), now=NOW)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    import django

    django.setup()
    role, *numbers = sys.argv[1:]
    if role == "write":
        write_entries(*map(int, numbers))
    elif role == "acknowledge":
        acknowledge_forever(*map(int, numbers))
    else:
        sequence_forever()
