"""Changes of staff and their rights: invitations, grants, reviews, undertakings, leaving.

Every change commits together with its ledger entry. *by* is the acting member, None for the operator at the command
line. Grant changes take a row lock so that the ceiling cannot be exceeded concurrently.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection, Iterable, Sequence

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from troth.ledger import DeclaredName, Entry, Hash, Opening, Pseudonym, Value
from troth.protect import Keyring, commit
from troth.service.configuration import ServiceError
from troth.service.core import checks
from troth.service.core.deployment import current
from troth.service.core.keys import keyring
from troth.service.core.ledger import record
from troth.service.staff.effective_rights import person_of
from troth.service.staff.models import Confidence, Grant, GrantLock, Invitation, StaffMember, Undertaking
from troth.service.staff.rights import StaffRight, StaffRole, conflicts, right_named, rights, rights_of_role
from troth.service.staff.rules import (
    GRANT_LASTS_MAX,
    INACTIVE,
    INVITATION_LASTS,
    UNDERTAKING_LASTS,
    is_inactive,
    later,
    rights_of,
)
from troth.service.staff.sealed_fields import confidence_context, reason_context
from troth.service.staff.undertaking import document_hash

GRANT_LASTS_DAYS = 180
"""Default duration of a grant."""


class StaffError(ServiceError):
    """The requested change of staff is not possible."""


class GrantRefused(StaffError):
    """The grant is refused; the message says why."""


class CeilingReached(GrantRefused):
    """The number of people who can see personal data has reached the policy's maximum."""


# --- joining --------------------------------------------------------------------------------------------------------


def invite(
    email: str,
    roles: Sequence[StaffRole],
    *,
    reason: str,
    now: dt.datetime,
    until: dt.datetime | None = None,
    by: StaffMember | None = None,
) -> tuple[StaffMember, str]:
    """Create an account for *email* with the grants of *roles*, and an invitation. Returns the member and the link's
    token, which is stored nowhere else. Former members get their account back, without earlier password, factors or
    grants.

    Raises `StaffError` if there is such an account, `GrantRefused` as `give` does.
    """
    email = _address(email)
    with transaction.atomic():
        _hold_book()
        member = _back(email, now) or _new(email, now)
        record(Entry("staff.invited", now, {"staff": Pseudonym(member.pseudonym), **_actor(by)}))
        for role in roles:
            give(member, rights_of_role(role), role=role, reason=reason, now=now, until=until, by=by)
        return member, renew_invitation(member, now=now)


def _new(email: str, now: dt.datetime) -> StaffMember:
    if User.objects.filter(username=email).exists():
        raise StaffError("an account with this address exists already; see troth staff list")
    user = User.objects.create_user(email, email=email, password=None, is_staff=True)
    pseudonym = _keys().pseudonym("staff", secrets.token_hex(16))
    return StaffMember.objects.create(user=user, pseudonym=pseudonym.text, invited_at=now)


def _back(email: str, now: dt.datetime) -> StaffMember | None:
    member = StaffMember.objects.select_related("user").filter(user__username=email, left_at__isnull=False).first()
    if member is not None:
        member.user.is_active = member.user.is_staff = True
        member.user.save(update_fields=["is_active", "is_staff"])
        member.invited_at, member.seen_at, member.left_at = now, None, None
        member.save(update_fields=["invited_at", "seen_at", "left_at"])
    return member


def renew_invitation(member: StaffMember, *, now: dt.datetime) -> str:
    """A new token for the member's link; older ones expire. Also for forgotten passwords."""
    if member.left_at is not None:
        raise StaffError("this member has left; invite them again: troth staff invite")
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        member.invitations.filter(used_at__isnull=True).update(used_at=now)
        Invitation.objects.create(member=member, token_hash=_hash(token), made_at=now, until=now + INVITATION_LASTS)
    return token


def invitation_of(token: str, *, now: dt.datetime) -> Invitation | None:
    """The invitation that *token* is valid for now; None if there is none."""
    rows = Invitation.objects.select_related("member__user").filter(token_hash=_hash(token), used_at__isnull=True)
    return rows.filter(until__gt=now, member__left_at__isnull=True).first()


def accept(token: str, password: str, *, now: dt.datetime) -> StaffMember:
    """Set the password and use up the invitation. Earlier sessions end with the old password. Raises `StaffError` if
    the link is no longer valid."""
    with transaction.atomic():
        used = Invitation.objects.filter(token_hash=_hash(token), used_at__isnull=True, until__gt=now)
        invitation = invitation_of(token, now=now)
        if invitation is None or not used.update(used_at=now):
            raise StaffError("this link was used or has expired; ask for a new one")
        member = invitation.member
        member.user.set_password(password)
        member.user.save(update_fields=["password"])
        StaffMember.objects.filter(pk=member.pk).update(seen_at=now)
    return member


# --- grants ---------------------------------------------------------------------------------------------------------


def give(
    member: StaffMember,
    rights: Collection[StaffRight],
    *,
    reason: str,
    now: dt.datetime,
    role: StaffRole | None = None,
    starts: dt.datetime | None = None,
    until: dt.datetime | None = None,
    by: StaffMember | None = None,
) -> list[Grant]:
    """Give *rights* to *member*, from *starts* (now) until *until*; existing ones are renewed.

    Raises `GrantRefused`: to oneself, without a reason, for more than a year, or together with a conflicting right; and
    `CeilingReached`.
    """
    starts = starts or now
    terms = {
        "role": role.value if role else "",
        "given_by": by.pseudonym if by else "",
        "given_at": now,
        "reviewed_at": now,
        "starts_at": starts,
        "until": until or starts + dt.timedelta(days=GRANT_LASTS_DAYS),
    }
    grants = [Grant(member=member, right=str(right), **terms) for right in rights]
    with transaction.atomic():
        _hold_book()
        member.refresh_from_db()
        _refuse_wrong(member, grants, reason, by, now)
        _end(member.grants.filter(right__in=list(map(str, rights)), ended_at__isnull=True), now, "over", by)
        _require_room(member, rights, now)
        for grant in grants:
            _record_grant(grant, reason, by)
    return grants


def revoke(grants: Iterable[Grant], *, now: dt.datetime, by: StaffMember | None = None, why: str = "revoked") -> int:
    """End *grants* at once. Returns how many were open."""
    with transaction.atomic():
        _hold_book()
        rows = Grant.objects.filter(pk__in=[grant.pk for grant in grants], ended_at__isnull=True)
        return _end(rows, now, why, by)


def review(
    keep: Iterable[Grant], end: Iterable[Grant], *, now: dt.datetime, by: StaffMember | None = None
) -> tuple[int, int]:
    """Confirm or end grants; returns the number of each. Nobody reviews their own (`GrantRefused`)."""
    kept, ended = {grant.pk for grant in keep}, {grant.pk for grant in end}
    with transaction.atomic():
        _hold_book()
        rows = Grant.objects.filter(ended_at__isnull=True)
        if by is not None and rows.filter(pk__in=kept | ended, member=by).exists():
            raise GrantRefused("you cannot review your own grants; somebody else who manages staff must do it")
        count = rows.filter(pk__in=kept - ended).update(reviewed_at=now)
        gone = _end(rows.filter(pk__in=ended), now, "not_needed", by)
        record(Entry("grants.reviewed", now, {"kept": count, "ended": gone, **_actor(by)}))
    return count, gone


def holders(now: dt.datetime) -> list[int]:
    """Accounts that can see personal data, or could once they sign or are reviewed."""
    personal = [str(right) for right in rights() if right.shows_personal]
    rows = Grant.objects.filter(right__in=personal, ended_at__isnull=True, until__gt=now)
    held = rows.filter(member__left_at__isnull=True, member__user__is_active=True)
    return sorted(held.values_list("member__user_id", flat=True).distinct())


def reason_of(grant: Grant) -> str:
    """Why it was given, for reviewers."""
    sealed = bytes(grant.sealed_reason)
    return Opening.load(_keys().unseal(sealed, reason_context(grant.member.pseudonym))).text


def _refuse_wrong(
    member: StaffMember, grants: Sequence[Grant], reason: str, by: StaffMember | None, now: dt.datetime
) -> None:
    if by is not None and by.pk == member.pk:
        raise GrantRefused("you cannot give yourself a grant; ask somebody else who manages staff")
    if member.left_at is not None:
        raise GrantRefused("this member has left")
    if not reason.strip():
        raise GrantRefused("say why the grant is needed: its review depends on the reason")
    for grant in grants:
        last = later(max(grant.starts_at, now), GRANT_LASTS_MAX)
        if not now < grant.until <= last or grant.starts_at >= grant.until:
            raise GrantRefused(f"a grant must end after it starts, and within {GRANT_LASTS_MAX}")
    open_now = member.grants.filter(ended_at__isnull=True, until__gt=now)
    held = {right_named(right) for right in open_now.values_list("right", flat=True)}
    if clash := conflicts(held | {right_named(grant.right) for grant in grants}):
        raise GrantRefused(f"one person cannot hold {' and '.join(sorted(clash))} together (GDPR Art. 38(6))")


def _require_room(member: StaffMember, rights: Collection[StaffRight], now: dt.datetime) -> None:
    if not any(right.shows_personal for right in rights):
        return
    access = current().declaration.access
    people = {*holders(now), member.user.pk}
    accounts = _accounts()
    if access is None or len(people) + accounts <= access.ceiling:
        return
    beside = f", beside {accounts} accounts of the stores" if accounts else ""
    raise CeilingReached(
        f"the policy lets at most {access.ceiling} people and accounts see personal data (access.ceiling), and with "
        f"this grant {len(people)} people in Troth could{beside}; end a grant first, or change the promised number"
    )


def _accounts() -> int:
    """Store accounts that could read personal data at the last check of the ceiling."""
    check = checks.latest("staff.ceiling")
    figure = check.figures.get("accounts", 0) if check is not None else 0
    return figure if isinstance(figure, int) else 0


def _record_grant(grant: Grant, reason: str, by: StaffMember | None) -> None:
    commitment, opening = commit("grant.given/reason", reason.strip())
    grant.sealed_reason = _keys().seal(opening.dump(), reason_context(grant.member.pseudonym))
    grant.save()
    fields: dict[str, Value] = {
        "staff": Pseudonym(grant.member.pseudonym),
        "right": DeclaredName.of(grant.right),
        "starts": grant.starts_at.date(),
        "until": grant.until.date(),
        "reason": commitment,
        **({"role": DeclaredName.of(grant.role)} if grant.role else {}),
        **_actor(by),
    }
    record(Entry("grant.given", grant.given_at, fields))


def _end(rows: QuerySet[Grant], now: dt.datetime, why: str, by: StaffMember | None) -> int:
    gone = list(rows.select_related("member"))
    Grant.objects.filter(pk__in=[row.pk for row in gone]).update(ended_at=now)
    record(
        *(
            Entry(
                "grant.ended",
                now,
                {
                    "staff": Pseudonym(row.member.pseudonym),
                    "right": DeclaredName.of(row.right),
                    "why": why,
                    **_actor(by),
                },
            )
            for row in gone
        )
    )
    return len(gone)


# --- undertakings, leaving ------------------------------------------------------------------------------------------


def sign(member: StaffMember, document: str, *, now: dt.datetime) -> Undertaking:
    """Record a member's undertaking to the text with hash *document*. Raises `StaffError` if that text is not in force:
    it changed while they read it."""
    if document != document_hash():
        raise StaffError("the text has changed; read it again")
    until = later(now, UNDERTAKING_LASTS)
    with transaction.atomic():
        row = Undertaking.objects.create(member=member, document=document, signed_at=now, until=until)
        given: dict[str, Value] = {
            "staff": Pseudonym(member.pseudonym),
            "document": Hash(document),
            "until": until.date(),
        }
        record(Entry("undertaking.signed", now, given))
    return row


def leave(member: StaffMember, *, now: dt.datetime, by: StaffMember | None = None, why: str = "left") -> None:
    """Close the account at once: grants end, factors are deleted, and sessions become invalid."""
    with transaction.atomic():
        _hold_book()
        if member.left_at is not None:
            return
        _end(member.grants.filter(ended_at__isnull=True), now, "left", by)
        user = member.user
        user.is_active = user.is_staff = user.is_superuser = False  # Django ends sessions of inactive users
        user.set_unusable_password()
        user.save()
        Authenticator.objects.filter(user=user).delete()
        SocialAccount.objects.filter(user=user).delete()
        member.invitations.filter(used_at__isnull=True).update(used_at=now)
        member.left_at = now
        member.save(update_fields=["left_at"])
        record(Entry("staff.left", now, {"staff": Pseudonym(member.pseudonym), "why": why, **_actor(by)}))


def close_inactive(now: dt.datetime) -> int:
    """Close accounts unused for 90 days (PCI DSS 8.2.6), and end expired grants. Returns the number of accounts."""
    late = StaffMember.objects.select_related("user").filter(left_at__isnull=True, invited_at__lt=now - INACTIVE)
    closed = [member for member in late if is_inactive(person_of(member), now=now)]
    for member in closed:
        leave(member, now=now, why="inactive")
    revoke(Grant.objects.filter(ended_at__isnull=True, until__lte=now), now=now, why="over")
    return len(closed)


def acting(email: str, right: StaffRight, *, now: dt.datetime) -> StaffMember:
    """The member with that address, in whose name the operator acts. Raises `StaffError` without an active grant of
    *right*."""
    member = find(email)
    if right not in rights_of(member.grants.filter(ended_at__isnull=True), person_of(member), now=now):
        raise StaffError(f"this account has no active grant of {right}; troth staff list says what it lacks")
    return member


def find(email: str) -> StaffMember:
    """The member with that address. Raises `StaffError`."""
    member = StaffMember.objects.select_related("user").filter(user__username=email.strip().casefold()).first()
    if member is None:
        raise StaffError("no member of staff has this address; see troth staff list")
    return member


# --- the officer's confidential queue -------------------------------------------------------------------------------


def mark_confidential(text: str, *, now: dt.datetime) -> Confidence:
    """Send the data-protection officer a text that nobody else reads (GDPR Art. 38(5)). The sender is not stored,
    unless the text says so."""
    return Confidence.objects.create(sealed_text=_keys().seal(text.encode(), confidence_context()), told_at=now)


def confidences() -> list[tuple[Confidence, str]]:
    """Open texts of the confidential queue, oldest first. For officers only."""
    rows = Confidence.objects.filter(closed_at__isnull=True).order_by("told_at")
    return [(row, _keys().unseal(bytes(row.sealed_text or b""), confidence_context()).decode()) for row in rows]


def close_confidence(pk: int, *, now: dt.datetime) -> bool:
    """Remove one from the queue and delete its text. True if it was open."""
    return bool(Confidence.objects.filter(pk=pk, closed_at__isnull=True).update(closed_at=now, sealed_text=None))


# --- internal -------------------------------------------------------------------------------------------------------


def _hold_book() -> None:
    """Lock grant changes until the transaction ends."""
    GrantLock.objects.get_or_create(pk=1)
    GrantLock.objects.select_for_update().get(pk=1)


def _actor(by: StaffMember | None) -> dict[str, Value]:
    return {"actor": "staff", "by": Pseudonym(by.pseudonym)} if by is not None else {"actor": "owner"}


def _address(email: str) -> str:
    try:
        validate_email(email.strip())
    except ValidationError:
        raise StaffError("that is not an e-mail address; write it like ann@example.org") from None
    return email.strip().casefold()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _keys() -> Keyring:
    return keyring(settings.TROTH.home)
