"""What the statuses of a member of a mailing list mean, and what we may change. Pure.

The words are Mailchimp's. Whoever is on the list in any status is never set to ``subscribed`` or ``pending``: only the
person can come back.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class MemberStatus(enum.StrEnum):
    """Statuses of a member, and `FORGOTTEN` and `COMPLIANCE`, which are what the API answers to an addition."""

    SUBSCRIBED = "subscribed"
    PENDING = "pending"
    TRANSACTIONAL = "transactional"
    UNSUBSCRIBED = "unsubscribed"
    CLEANED = "cleaned"
    ARCHIVED = "archived"
    FORGOTTEN = "forgotten"
    COMPLIANCE = "compliance"


@dataclass(frozen=True, slots=True)
class StatusMeaning:
    """Whether members of a status get campaigns, or will after one click of theirs; what we may set it to; and what
    it means."""

    is_mailed: bool
    may_become: frozenset[MemberStatus]
    meaning: str


_DOWN = frozenset((MemberStatus.UNSUBSCRIBED,))
_FINAL = frozenset[MemberStatus]()
STATUSES: Final[Mapping[MemberStatus, StatusMeaning]] = {
    MemberStatus.SUBSCRIBED: StatusMeaning(True, _DOWN, "gets campaigns"),
    MemberStatus.PENDING: StatusMeaning(True, _DOWN, "was asked to confirm, and is subscribed by one click"),
    MemberStatus.TRANSACTIONAL: StatusMeaning(False, _FINAL, "bought something or was imported; gets no campaigns"),
    MemberStatus.UNSUBSCRIBED: StatusMeaning(False, _FINAL, "has stopped; only the person can return"),
    MemberStatus.CLEANED: StatusMeaning(False, _FINAL, "bounced, or reported a campaign; cannot be archived (405)"),
    MemberStatus.ARCHIVED: StatusMeaning(False, _FINAL, "was put aside with all data, which is no erasure"),
    MemberStatus.FORGOTTEN: StatusMeaning(False, _FINAL, "was deleted for good; only the person can return"),
    MemberStatus.COMPLIANCE: StatusMeaning(False, _FINAL, "stopped, bounced or is under review; only the person can"),
}
"""What each status means."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a list. *status* is the provider's word, also one that we do not know. Its `repr` shows only that."""

    id: str
    address: str
    status: str
    changed_at: dt.datetime | None = None

    def __repr__(self) -> str:
        return f"Member({self.status})"


def member_id(address: str) -> str:
    """The member's id: the MD5 of the address in lower case."""
    return hashlib.md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()


def is_mailed(status: str) -> bool:
    """Whether members of a status get campaigns, or will after one click; those of one that we do not know may."""
    return status not in STATUSES or STATUSES[MemberStatus(status)].is_mailed
