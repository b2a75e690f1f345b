"""Sign-in attempts, counted before they are tried, so that concurrent ones stay within the limit.

Ten failures lock a name for half an hour (PCI DSS 8.3.4), existing or not; thirty from one network within an hour block
that network, whatever the names. Only a keyed mark of the name and a count are stored, as long as they count; no IP
address.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction

from troth.ledger import Entry, Pseudonym
from troth.service.core.keys import keyring
from troth.service.core.ledger import record
from troth.service.networks import Networks
from troth.service.staff.models import Attempts, StaffMember
from troth.service.staff.rules import LOCK_AFTER, LOCKED_FOR

NETWORK_MAX = 30
"""Wrong passwords per network, hour and process."""
_FORGOTTEN_MAX = 20

networks = Networks(NETWORK_MAX)


def mark_of(what: str, value: str) -> bytes:
    """Keyed mark that counts attempts of one kind at one account."""
    return keyring(settings.TROTH.home).fingerprints("sign-in", [f"{what}\x1f{value.strip().casefold()}"])[0]


def begin(mark: bytes, *, now: dt.datetime) -> bool:
    """Count one attempt. False if it must not be tried."""
    _forget_old(now)
    with transaction.atomic():
        row, _ = Attempts.objects.select_for_update().get_or_create(mark=mark, defaults={"latest_at": now})
        if row.locked_until is not None and now < row.locked_until:
            return False
        if row.locked_until is not None or now - row.latest_at > LOCKED_FOR:
            row.failures, row.locked_until = 0, None
        row.failures, row.latest_at = row.failures + 1, now
        if row.failures >= LOCK_AFTER:  # the tenth may be right; then `succeeded` deletes the row
            row.locked_until = now + LOCKED_FOR
        row.save()
    return True


def _forget_old(now: dt.datetime) -> None:
    """Delete some expired rows: more than one attempt adds, but few enough to stay fast."""
    old = Attempts.objects.filter(latest_at__lt=now - LOCKED_FOR)
    if some := list(old.values_list("pk", flat=True)[:_FORGOTTEN_MAX]):
        old.filter(pk__in=some).delete()


def failed(mark: bytes, *, now: dt.datetime, member: StaffMember | None = None) -> None:
    """Note a failure; record once that the name is locked, if it is now."""
    with transaction.atomic():
        full = Attempts.objects.filter(mark=mark, failures=LOCK_AFTER, locked_until__isnull=False)
        if full.update(failures=LOCK_AFTER + 1):
            record(_entry(LOCK_AFTER, now, member, locked=True))


def succeeded(mark: bytes, *, now: dt.datetime, member: StaffMember | None = None) -> None:
    """Note a success: delete earlier attempts, and record their number."""
    with transaction.atomic():
        row = Attempts.objects.select_for_update().filter(mark=mark).first()
        if row is None:
            return
        if row.failures > 1 and row.locked_until is None:
            record(_entry(row.failures - 1, now, member, locked=False))
        row.delete()


def _entry(count: int, now: dt.datetime, member: StaffMember | None, *, locked: bool) -> Entry:
    who = {"staff": Pseudonym(member.pseudonym)} if member is not None else {}
    return Entry("sign_in.failed", now, {"count": count, "locked": "yes" if locked else "no", **who})
