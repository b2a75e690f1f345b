"""Staff, their rights and their accesses, as values for controls."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db.models import Prefetch

from troth.ledger import DeclaredName, Entry, LedgerError
from troth.service.staff.effective_rights import person_of
from troth.service.staff.models import AccessRow, Grant, Refusal, StaffMember
from troth.service.staff.rights import right_named
from troth.service.staff.rules import REVIEW_EVERY, MemberFacts, later, review_due

PERIOD = dt.timedelta(days=31)
"""Period over which accesses are counted."""
LOOKS_TESTED_MAX = 5_000
"""Number of accesses compared with their entries, latest first."""


@dataclass(frozen=True, slots=True)
class Employed:
    """A member or a superuser: facts, open grants, whether they have a second factor and ever signed in, and since when
    they are a superuser, as far as is known."""

    person: MemberFacts
    grants: tuple[Grant, ...]
    has_factor: bool
    has_come: bool
    superuser_since: dt.datetime | None = None

    def sees_personal(self, now: dt.datetime) -> bool:
        """True if the account is open, and is a superuser's or has a grant that shows personal data when active."""
        shown = (right_named(grant.right).shows_personal and grant.until > now for grant in self.grants)
        return self.person.is_open and (self.superuser_since is not None or any(shown))

    def is_reviewed(self, now: dt.datetime) -> bool:
        """True if each access was given or confirmed within half a year. Nothing confirms that of a superuser."""
        in_force = [grant for grant in self.grants if grant.until > now]
        since = self.superuser_since
        return all(grant.reviewed_at <= now < review_due(grant) for grant in in_force) and (
            since is None or since <= now < later(since, REVIEW_EVERY)
        )


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
    """Current members, the people among them and the superusers who can see personal data, and the last month's
    accesses. Troth makes no superusers; somebody else may have."""

    people: tuple[Employed, ...]
    holders: tuple[Employed, ...]
    looks: Looks


def roster(now: dt.datetime) -> Roster:
    """Roster at *now*."""
    people = tuple(_employed())
    every = (*people, *_superusers_besides())
    return Roster(people, tuple(it for it in every if it.sees_personal(now)), _looks(now))


def _factored() -> Set[int]:
    return set(Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES).values_list("user_id", flat=True))


def _superusers_besides() -> Iterator[Employed]:
    """Superusers who are no current members of staff."""
    factored = _factored()
    members = StaffMember.objects.filter(left_at__isnull=True).values("user_id")
    for user in User.objects.filter(is_active=True, is_superuser=True).exclude(pk__in=members):
        facts = MemberFacts(is_open=True, seen_at=user.last_login or user.date_joined, undertaking_until=None)
        yield Employed(facts, (), user.pk in factored, user.last_login is not None, user.date_joined)


def _employed() -> Iterator[Employed]:
    factored = _factored()
    open_grants = Prefetch("grants", Grant.objects.filter(ended_at__isnull=True), to_attr="open_grants")
    for member in StaffMember.objects.filter(left_at__isnull=True).select_related("user").prefetch_related(open_grants):
        has_come = member.seen_at is not None or member.user.last_login is not None
        since = member.user.date_joined if member.user.is_superuser else None
        yield Employed(person_of(member), tuple(member.open_grants), member.user_id in factored, has_come, since)


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
