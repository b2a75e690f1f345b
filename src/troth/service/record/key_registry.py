"""The registry of keys: which there are, in what state, since when (NIST SP 800-57 part 1 §7). Never a key itself."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from troth.ledger import Entry
from troth.protect import Keyring
from troth.service.record.ledger import record
from troth.service.record.models import KeyRow

__all__ = ["note_root_key"]


def note_root_key(keyring: Keyring, *, now: dt.datetime) -> None:
    """See to it that the registry and the ledger know the root key in use, since the first time that we saw it."""
    if KeyRow.objects.filter(key_id=keyring.id.text).exists():
        return
    try:
        with transaction.atomic(durable=True):
            KeyRow.objects.create(
                key_id=keyring.id.text, purpose="root", state=KeyRow.State.ACTIVE, created_at=now, activated_at=now
            )
            record(Entry("keys.created", now, {"key": keyring.id, "purpose": "root"}))
    except IntegrityError:  # another process has just done the same
        return
