"""Ordinary business and breaches of the staff: grants, second factors, undertakings, accesses."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.utils.crypto import get_random_string

from troth.ledger import DeclaredName, Entry, Pseudonym, Value
from troth.rehearsal import Inapplicable, World, breach
from troth.service.core.deployment import current
from troth.service.core.ledger import record
from troth.service.staff import actions
from troth.service.staff.factors import fresh_codes
from troth.service.staff.models import AccessRow, Grant, StaffMember, Undertaking
from troth.service.staff.rights import StaffRight, StaffRole
from troth.service.staff.undertaking import document_hash

_TEAM = {
    "ann.officer@example.org": StaffRole.OFFICER,
    "ben.deputy@example.org": StaffRole.DEPUTY,
    "chloe.handler@example.org": StaffRole.HANDLER,
}


def ordinary(world: World) -> None:
    """An officer, a deputy and a handler work here, and one of them looks at a person's data."""
    ceiling = world.declaration.access.ceiling if world.declaration.access else len(_TEAM)
    for email, role in list(_TEAM.items())[: max(1, ceiling - len(_accounts(world)))]:
        member, token = actions.invite(email, [role], reason="works here", now=world.now)
        actions.accept(token, get_random_string(20), now=world.now)
        actions.sign(member, document_hash(), now=world.now)
        fresh_codes(member.user)
        User.objects.filter(pk=member.user.pk).update(last_login=world.now)
    _look(world, next(iter(world.declaration.purposes), ""))


def _accounts(world: World) -> set[str]:
    return {account for system in world.declaration.systems.values() for account in system.accounts}


def _look(world: World, purpose: str, *, is_recorded: bool = True) -> None:
    """Somebody looks at a person's data."""
    member = StaffMember.objects.first()
    if member is None or not purpose:
        raise Inapplicable("nobody who could look")
    subject = str(current().keyring.pseudonym("subject", "rehearsed"))
    fields: dict[str, Value] = {
        "actor": "staff",
        "purpose": DeclaredName.of(purpose),
        "by": Pseudonym(member.pseudonym),
        "subject": Pseudonym(subject),
    }
    [entry] = record(Entry("subject.viewed", world.now, fields))
    AccessRow.objects.create(
        subject=subject, by=member.pseudonym, role="handler", purpose=purpose, about="", at=world.now, entry=entry
    )
    if not is_recorded:
        entry.delete()


def _somebody() -> StaffMember:
    member = StaffMember.objects.order_by("id").last()
    if member is None:
        raise Inapplicable("nobody works here")
    return member


@breach("staff.ceiling", "Access is given to everybody in the company.")
def everybody(world: World) -> None:
    now, until = world.now, world.now + dt.timedelta(days=90)
    for number in range(world.declaration.access.ceiling + 1 if world.declaration.access else 0):
        user = User.objects.create(username=f"ann.{number}@example.org", last_login=now)
        name = str(current().keyring.pseudonym("staff", f"rehearsed {number}"))
        member = StaffMember.objects.create(user=user, pseudonym=name, invited_at=now)
        Grant.objects.create(
            member=member,
            right=str(StaffRight.PERSONAL_SEE),
            given_at=now,
            reviewed_at=now,
            starts_at=now,
            until=until,
        )


@breach("staff.ceiling", "The administrator of the site makes superusers.")
def superusers(world: World) -> None:
    for number in range(world.declaration.access.ceiling + 1 if world.declaration.access else 0):
        User.objects.create(username=f"root.{number}@example.org", is_superuser=True, is_active=True)


@breach("staff.mfa", "Somebody removes their second factor.")
def no_factor(world: World) -> None:
    from allauth.mfa.models import Authenticator

    Authenticator.objects.filter(user=_somebody().user).delete()


@breach("staff.undertakings", "Somebody's undertaking to keep data confidential runs out.")
def lapsed_undertaking(world: World) -> None:
    Undertaking.objects.filter(member=_somebody()).delete()


@breach("staff.recertified", "Nobody reviews the grants for a year.")
def unreviewed(world: World) -> None:
    Grant.objects.update(reviewed_at=world.now - dt.timedelta(days=300))


@breach("staff.access_recorded", "A script reads data, and its entry in the ledger is removed.")
def unrecorded(world: World) -> None:
    _look(world, next(iter(world.declaration.purposes), ""), is_recorded=False)


@breach("staff.purpose_on_every_read", "Somebody looks at data for a purpose that the policy does not name.")
def other_purpose(world: World) -> None:
    _look(world, "curiosity")


@breach("staff.officer_appointed", "The officer's deputy leaves, and nobody follows.")
def no_deputy(world: World) -> None:
    for member in StaffMember.objects.filter(grants__role=StaffRole.DEPUTY.value).distinct():
        actions.leave(member, now=world.now)
