"""What the base gives controls to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial

from troth.protect import Inventory, Keyring
from troth.service.core.deployment import Context
from troth.service.core.holds import HoldInForce, in_force
from troth.service.core.journal import DatabaseJournal
from troth.service.core.key_lifecycle import look_at_keys
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog
from troth.service.core.tombstones import Tombstones


def log(context: Context, now: dt.datetime) -> DatabaseLog:
    return DatabaseLog(ledger_signer(context.keyring, context.company.declaration.organisation))


def keyring(context: Context, now: dt.datetime) -> Keyring:
    return context.keyring


def keys(context: Context, now: dt.datetime) -> Callable[[], Inventory]:
    assert context.home is not None, "controls look at the keys in a folder"
    declaration = context.company.declaration
    lasts, domains = declaration.cryptoperiods.field_lasts, declaration.token_domains
    return partial(look_at_keys, context.home, context.keyring, now=now, field=lasts, domains=domains)


def holds(context: Context, now: dt.datetime) -> Sequence[HoldInForce]:
    return in_force(now)


def tombstones(context: Context, now: dt.datetime) -> Tombstones:
    return Tombstones(context.keyring)


def journal(context: Context, now: dt.datetime) -> DatabaseJournal:
    return DatabaseJournal()
