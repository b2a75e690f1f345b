"""Limits e-mails to unverified addresses, because anyone who knows an address can make us write to its owner.

An address gets at most three messages a day, over all forms, the API and e-mail, until someone proves that they read
it. Requests beyond that are still received, but no message confirms them. Addresses are stored as fingerprints, which
are deleted after a day; ``ann+shop@example.org`` counts as ``ann@example.org``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from troth.service.cases.models import UnprovedAddress
from troth.service.core.deployment import Deployment

MESSAGES_MAX = 3
_DAY = dt.timedelta(days=1)


def folded(address: str) -> str:
    """The probable mailbox of *address*: the part after ``+`` is a tag of the owner and is removed. Dots are kept."""
    local, at, domain = address.strip().casefold().rpartition("@")
    mailbox, plus, _ = local.strip('"').partition("+")
    return f"{mailbox if mailbox and plus else local}{at}{domain}"


def take(address: str, deployment: Deployment, *, now: dt.datetime) -> bool:
    """Count one more message to *address*, in the caller's transaction. True if it may be sent."""
    [row] = _locked([_mark(address, deployment)], now)
    lately = [at for at in row.sent if dt.datetime.fromisoformat(at) > now - _DAY]
    if len(lately) >= MESSAGES_MAX:
        return False
    row.sent, row.until = [*lately, now.isoformat()], now + _DAY
    row.save(update_fields=["sent", "until"])
    return True


def hold(addresses: Iterable[str], deployment: Deployment, *, now: dt.datetime) -> None:
    """Lock the counters of several addresses for one transaction, always in the same order, so that no two transactions
    deadlock."""
    _locked([_mark(address, deployment) for address in addresses], now)


def forget(*, now: dt.datetime) -> None:
    """Delete expired counters."""
    old = UnprovedAddress.objects.filter(until__lte=now)
    if old.exists():  # checked without a transaction, which would lock SQLite
        old.delete()


def _locked(marks: Iterable[bytes], now: dt.datetime) -> list[UnprovedAddress]:
    wanted = sorted(set(marks))
    with transaction.atomic():
        UnprovedAddress.objects.bulk_create(
            [UnprovedAddress(mark=mark, until=now + _DAY) for mark in wanted], ignore_conflicts=True
        )
        return list(UnprovedAddress.objects.select_for_update().filter(mark__in=wanted).order_by("mark"))


def _mark(address: str, deployment: Deployment) -> bytes:
    [mark] = deployment.keyring.fingerprints("unproved", [folded(address).encode()])
    return mark
