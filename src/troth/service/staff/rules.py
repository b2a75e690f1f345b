"""Pure decisions about grants, undertakings and members."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from troth.declaration import Period

if TYPE_CHECKING:
    from troth.service.staff.models import Grant

# PCI DSS 4.0.1: 7.2.4 (review), 8.2.6 (inactive), 8.2.8 (idle), 8.3.4 (lockout). Clauses C11, C12.
REVIEW_EVERY = Period(count=6, unit="month")
INACTIVE = dt.timedelta(days=90)
IDLE = dt.timedelta(minutes=15)
LOCK_AFTER = 10
LOCKED_FOR = dt.timedelta(minutes=30)
GRANT_LASTS_MAX = Period(count=1, unit="year")
UNDERTAKING_LASTS = Period(count=1, unit="year")
INVITATION_LASTS = dt.timedelta(hours=72)


class InactiveReason(enum.StrEnum):
    """Reason why a grant is inactive now."""

    LEFT = "left"
    ENDED = "ended"
    NOT_YET = "not_yet"
    OVER = "over"
    NOT_REVIEWED = "not_reviewed"
    NO_UNDERTAKING = "no_undertaking"


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """Facts about a member: whether the account is open, its last use, and the end of the undertaking to the present
    text."""

    is_open: bool
    seen_at: dt.datetime
    undertaking_until: dt.datetime | None


def why_not(grant: Grant, person: MemberFacts, *, now: dt.datetime) -> InactiveReason | None:
    """Why *grant* is inactive at *now*; None if it is active. Permanent reasons come first."""
    if not person.is_open or is_inactive(person, now=now):
        return InactiveReason.LEFT
    if grant.ended_at is not None and grant.ended_at <= now:
        return InactiveReason.ENDED
    if now < grant.starts_at:
        return InactiveReason.NOT_YET
    if grant.until <= now:
        return InactiveReason.OVER
    if review_due(grant) <= now:
        return InactiveReason.NOT_REVIEWED
    if person.undertaking_until is None or person.undertaking_until <= now:
        return InactiveReason.NO_UNDERTAKING
    return None


def rights_of(grants: Iterable[Grant], person: MemberFacts, *, now: dt.datetime) -> dict[str, str]:
    """Active rights, each with the role that gives it (the right itself if given by itself)."""
    return {grant.right: grant.role or grant.right for grant in grants if why_not(grant, person, now=now) is None}


def is_inactive(person: MemberFacts, *, now: dt.datetime) -> bool:
    """True if the account has been unused for so long that it must be closed."""
    return now - person.seen_at > INACTIVE


def review_due(grant: Grant) -> dt.datetime:
    """When the grant becomes inactive unless somebody confirms it."""
    return later(grant.reviewed_at, REVIEW_EVERY)


def end_of(day: dt.date) -> dt.datetime:
    """Midnight after *day*, to include it."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.UTC)


def later(start: dt.datetime, period: Period) -> dt.datetime:
    """The same time of day, a calendar *period* later."""
    return dt.datetime.combine(period.after(start.date()), start.timetz())
