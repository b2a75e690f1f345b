"""Effective rights of the person behind a request: active grants, and what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.db.models import Max, Q
from django.http import HttpRequest
from django.utils import timezone

from troth.service.core.keys import keyring
from troth.service.staff.models import Grant, StaffMember, Undertaking
from troth.service.staff.rights import StaffRight, rights
from troth.service.staff.rules import InactiveReason, MemberFacts, rights_of, why_not
from troth.service.staff.undertaking import document_hash
from troth.subjects import Identity, references

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EffectiveRights:
    """Rights of a person now. *rights* maps active rights to the roles that give them."""

    member: StaffMember | None
    rights: Mapping[str, str] = field(default_factory=dict)
    unused: frozenset[str] = frozenset()
    """Rights of grants whose use was not noted within a day."""
    has_factor: bool = False
    """True if this session was opened with a second factor."""
    lacks: frozenset[InactiveReason] = frozenset()
    """Reasons why some grants are inactive."""

    @property
    def pseudonym(self) -> str | None:
        """Pseudonym in the ledger."""
        return self.member.pseudonym if self.member is not None else None

    @property
    def is_ready(self) -> bool:
        """True if they need to do nothing more themselves."""
        return self.has_factor and InactiveReason.NO_UNDERTAKING not in self.lacks

    def may(self, right: StaffRight) -> bool:
        """True if a grant of *right* is active, in a session with a second factor."""
        return self.has_factor and right in self.rights

    @property
    def sees_personal(self) -> bool:
        return any(self.may(right) for right in rights() if right.shows_personal)

    def role(self, right: StaffRight) -> str:
        """Role that gives them *right*."""
        return self.rights[right]

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(self.rights.values())

    @property
    def is_officer(self) -> bool:
        """True for the data-protection officer and the deputy."""
        return self.may(StaffRight.OFFICER)

    def use(self, right: StaffRight, *, now: dt.datetime) -> None:
        """Note, once a day, that the grant is used: reviewers see unused ones."""
        if right not in self.unused:
            return
        stale = Q(used_at__isnull=True) | Q(used_at__lt=now - _DAY)
        Grant.objects.filter(stale, member=self.member, right=right, ended_at__isnull=True).update(used_at=now)


def standing_of(request: HttpRequest) -> EffectiveRights:
    """Effective rights of the sender of *request*, cached per request."""
    known = getattr(request, "_troth_standing", None)
    if isinstance(known, tuple) and known[0] == request.user.pk:  # signing in changes the user
        found: EffectiveRights = known[1]
        return found
    fresh = _look_up(request)
    request._troth_standing = (request.user.pk, fresh)  # type: ignore[attr-defined]
    return fresh


def _look_up(request: HttpRequest) -> EffectiveRights:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return EffectiveRights(None)
    member = StaffMember.objects.filter(user=user).first()
    if member is None:
        return EffectiveRights(None)
    member.user = user  # spares a query
    now, person = timezone.now(), person_of(member)
    grants = list(member.grants.filter(ended_at__isnull=True))
    lacks = frozenset(why for grant in grants if (why := why_not(grant, person, now=now)) is not None)
    unused = frozenset(grant.right for grant in grants if grant.used_at is None or grant.used_at < now - _DAY)
    return EffectiveRights(member, rights_of(grants, person, now=now), unused, _has_factor(request), lacks)


def _has_factor(request: HttpRequest) -> bool:
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


def person_of(member: StaffMember) -> MemberFacts:
    """Facts about a member, as a value."""
    return people_of([member])[member.pk]


def people_of(members: Sequence[StaffMember]) -> dict[int, MemberFacts]:
    """Facts about *members*, by their keys, in one query."""
    signed = Undertaking.objects.filter(member__in=members, document=document_hash())
    until = dict(signed.values_list("member").annotate(Max("until")))
    return {
        member.pk: MemberFacts(
            is_open=member.left_at is None and member.user.is_active,
            seen_at=member.seen_at or member.invited_at,
            undertaking_until=until.get(member.pk),
        )
        for member in members
    }


def own_subject(standing: EffectiveRights) -> str | None:
    """Their own pseudonym as a subject, by the address of their account."""
    if standing.member is None:
        return None
    identity = Identity.of(email=standing.member.user.email)
    return references([identity], keyring(settings.TROTH.home))[0].text
