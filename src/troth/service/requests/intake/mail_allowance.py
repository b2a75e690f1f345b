"""How much is mailed to an address that nobody has proved: whoever knows an address has us write to its owner.

An address gets three messages a day, over all forms, the API and mail, until somebody shows that they read it. What is
asked beyond that is received all the same, and no message says so. Addresses are known by a keyed mark, which goes
after a day; ``ann+shop@example.org`` counts as ``ann@example.org``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from troth.service.requests.deployment import CaseDeployment
from troth.service.requests.models import UnprovedAddress

MESSAGES_MAX = 3
_DAY = dt.timedelta(days=1)


def folded(address: str) -> str:
    """The mailbox that *address* most likely is: what follows a ``+`` is the owner's own mark for it. Dots count."""
    local, at, domain = address.strip().casefold().rpartition("@")
    mailbox, plus, _ = local.strip('"').partition("+")
    return f"{mailbox if mailbox and plus else local}{at}{domain}"


def take(address: str, desk: CaseDeployment, *, now: dt.datetime) -> bool:
    """Count one more message to *address*, in the transaction that is open: whether it may be sent."""
    [row] = _locked([_mark(address, desk)], now)
    lately = [at for at in row.sent if dt.datetime.fromisoformat(at) > now - _DAY]
    if len(lately) >= MESSAGES_MAX:
        return False
    row.sent, row.until = [*lately, now.isoformat()], now + _DAY
    row.save(update_fields=["sent", "until"])
    return True


def hold(addresses: Iterable[str], desk: CaseDeployment, *, now: dt.datetime) -> None:
    """Lock what is counted of these, for a transaction that takes from several: always in the same order, so that no
    two of them wait for each other."""
    _locked([_mark(address, desk) for address in addresses], now)


def forget(*, now: dt.datetime) -> None:
    """Drop the marks that count no more."""
    old = UnprovedAddress.objects.filter(until__lte=now)
    if old.exists():  # a look without a transaction, which on SQLite would lock everybody out
        old.delete()


def _locked(marks: Iterable[bytes], now: dt.datetime) -> list[UnprovedAddress]:
    wanted = sorted(set(marks))
    with transaction.atomic():
        UnprovedAddress.objects.bulk_create(
            [UnprovedAddress(mark=mark, until=now + _DAY) for mark in wanted], ignore_conflicts=True
        )
        return list(UnprovedAddress.objects.select_for_update().filter(mark__in=wanted).order_by("mark"))


def _mark(address: str, desk: CaseDeployment) -> bytes:
    [mark] = desk.keyring.fingerprints("unproved", [folded(address).encode()])
    return mark
