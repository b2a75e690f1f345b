"""The ledger in our own database keeps the promises of every ledger."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from django.db import connections
from tests.rig.ledger import LogContract
from tests.service.conftest import TestSigner

from troth.ledger import Entry, Log
from troth.service.core.ledger import DatabaseLog
from troth.service.core.models import EntryRow

pytestmark = pytest.mark.sampled


class _Threaded(DatabaseLog):
    """Gives back the connection of a thread that ends after its append, as Django does after a request."""

    def append(self, entries: Sequence[Entry]) -> range:
        try:
            return super().append(entries)
        finally:
            if threading.current_thread() is not threading.main_thread():
                connections.close_all()


class TestDatabaseLog(LogContract):
    """On SQLite and on PostgreSQL alike."""

    @pytest.fixture
    def log(self, database: str, signer: TestSigner) -> Log:
        return _Threaded(signer)

    def spoil(self, log: Log, leaf: int) -> None:
        stored = bytearray(EntryRow.objects.get(leaf=leaf).content)
        stored[-2] ^= 1
        EntryRow.objects.filter(leaf=leaf).update(content=bytes(stored))
