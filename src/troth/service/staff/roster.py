"""Staff, their rights and their accesses, as values for controls."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from allauth.mfa.models import Authenticator
from django.db.models import Prefetch

from troth.ledger import DeclaredName, Entry, LedgerError
from troth.service.staff.actions import holders
from troth.service.staff.effective_rights import person_of
from troth.service.staff.models import AccessRow, Grant, Refusal, StaffMember
from troth.service.staff.rights import right_named
from troth.service.staff.rules import MemberFacts

PERIOD = dt.timedelta(days=31)
"""Period over which accesses are counted."""
LOOKS_TESTED_MAX = 5_000
"""Number of accesses compared with their entries, latest first."""


@dataclass(frozen=True, slots=True)
class Employed:
    """A member: facts, open grants, and whether they have a second factor and ever signed in."""

    person: MemberFacts
    grants: tuple[Grant, ...]
    has_factor: bool
    has_come: bool

    @property
    def sees_personal(self) -> bool:
        """True if one of the grants shows personal data when active."""
        return any(right_named(grant.right).shows_personal for grant in self.grants)


@dataclass(frozen=True, slots=True)
class Looks:
    """Accesses to personal data within the period: total, number compared with entries, number of those without the
    right entry; counts by purpose; refusals by reason."""

    count: int = 0
    compared: int = 0
    without_entry: int = 0
    purposes: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Roster:
    """Current members, accounts that can see personal data, and the last month's accesses."""

    people: tuple[Employed, ...]
    holders: tuple[int, ...]
    looks: Looks


def roster(now: dt.datetime) -> Roster:
    """Roster at *now*."""
    return Roster(tuple(_employed()), tuple(holders(now)), _looks(now))


def _employed() -> Iterator[Employed]:
    factored = set(
        Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES).values_list("user_id", flat=True)
    )
    open_grants = Prefetch("grants", Grant.objects.filter(ended_at__isnull=True), to_attr="open_grants")
    for member in StaffMember.objects.filter(left_at__isnull=True).select_related("user").prefetch_related(open_grants):
        yield Employed(
            person_of(member), tuple(member.open_grants), member.user_id in factored, member.seen_at is not None
        )


def _looks(now: dt.datetime) -> Looks:
    since = now - PERIOD
    rows = AccessRow.objects.filter(at__gt=since)
    compared = rows.select_related("entry").order_by("-at", "-pk")[:LOOKS_TESTED_MAX]
    faults = [not _fits(row) for row in compared]
    return Looks(
        count=rows.count(),
        compared=len(faults),
        without_entry=sum(faults),
        purposes=Counter(rows.values_list("purpose", flat=True).iterator()),
        refused=Counter(Refusal.objects.filter(at__gt=since).values_list("why", flat=True).iterator()),
    )


def _fits(row: AccessRow) -> bool:
    """True if the row's ledger entry confirms it."""
    if row.entry is None:
        return False
    try:
        entry = Entry.decode(bytes(row.entry.content))
    except LedgerError:
        return False
    recorded = (entry.kind, *(str(entry.fields.get(name)) for name in ("subject", "by", "purpose")))
    expected = ("subject.viewed", row.subject, row.by, DeclaredName.of(row.purpose).text)
    return recorded == expected and entry.at <= row.at
