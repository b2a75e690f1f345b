"""What the base gives controls to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial

from troth.protect import Inventory, Keyring
from troth.service.core.deployment import Deployment
from troth.service.core.holds import HoldInForce, in_force
from troth.service.core.journal import DatabaseJournal
from troth.service.core.key_lifecycle import look_at_keys
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog
from troth.service.core.tombstones import Tombstones


def log(deployment: Deployment, now: dt.datetime) -> DatabaseLog:
    return DatabaseLog(ledger_signer(deployment.keyring, deployment.declaration.organisation))


def keyring(deployment: Deployment, now: dt.datetime) -> Keyring:
    return deployment.keyring


def keys(deployment: Deployment, now: dt.datetime) -> Callable[[], Inventory]:
    assert deployment.home is not None, "controls look at the keys in a folder"
    declaration = deployment.declaration
    lasts, domains = declaration.cryptoperiods.field_lasts, declaration.token_domains
    return partial(look_at_keys, deployment.home, deployment.keyring, now=now, field=lasts, domains=domains)


def holds(deployment: Deployment, now: dt.datetime) -> Sequence[HoldInForce]:
    return in_force(now)


def tombstones(deployment: Deployment, now: dt.datetime) -> Tombstones:
    return Tombstones(deployment.keyring)


def journal(deployment: Deployment, now: dt.datetime) -> DatabaseJournal:
    return DatabaseJournal()
