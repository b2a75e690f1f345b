"""Ordinary business and breaches of the staff: grants, second factors, undertakings, accesses."""

from __future__ import annotations

import datetime as dt
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import QuerySet
from django.utils.crypto import get_random_string

from troth.declaration import StaffAccess
from troth.ledger import DeclaredName, Entry, Hash, Pseudonym, Value
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
        Grant.objects.filter(member=member).update(used_at=world.now)
    _look(world, _purpose(world))


def _accounts(world: World) -> set[str]:
    return {account for system in world.declaration.systems.values() for account in system.accounts}


def _look(world: World, purpose: str) -> AccessRow:
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
    return AccessRow.objects.create(
        subject=subject, by=member.pseudonym, role="handler", purpose=purpose, about="", at=world.now, entry=entry
    )


def _purpose(world: World) -> str:
    return next(iter(world.declaration.purposes), "")


def _somebody() -> StaffMember:
    member = StaffMember.objects.order_by("id").last()
    if member is None:
        raise Inapplicable("nobody works here")
    return member


def _hire(world: World) -> StaffMember:
    """A new colleague comes, signs in with a password, and does nothing else."""
    try:
        _, token = actions.invite("ann.new@example.org", [StaffRole.HANDLER], reason="works here", now=world.now)
    except actions.GrantRefused:
        raise Inapplicable("the ceiling is reached") from None
    return actions.accept(token, get_random_string(20), now=world.now)


def _read_past_troth(world: World) -> None:
    """Somebody reads a table with a tool of the database."""
    place, _ = world.table()
    system, _, table = place.partition(".")
    if not world.stores.is_database(system):
        raise Inapplicable("no database")
    world.stores.run(system, f"SELECT * FROM `{table}`")  # noqa: S608


def _send_list(world: World) -> None:
    """Somebody writes personal data into a file, and sends it."""
    (world.folder / "list.csv").write_text("ann@example.org\n", encoding="utf-8")


# --- how many see personal data ---------------------------------------------------------------------------------------


def _ceiling(world: World) -> int:
    if world.declaration.access is None:
        raise Inapplicable("no ceiling")
    return world.declaration.access.ceiling


@breach("staff.ceiling", "Access is given to everybody in the company.")
def everybody(world: World) -> None:
    now, until = world.now, world.now + dt.timedelta(days=90)
    for number in range(_ceiling(world) + 1):
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
    for number in range(_ceiling(world) + 1):
        User.objects.create(username=f"root.{number}@example.org", is_superuser=True, is_active=True)


@breach("staff.ceiling", "A smaller number is promised, and nobody loses access.")
def lower_ceiling(world: World) -> None:
    _ceiling(world)
    world.declare(access=StaffAccess(ceiling=1))


@breach(
    "staff.ceiling",
    "Somebody sends a list of customers to the whole company.",
    unseen="it counts accounts, and knows no copies",
)
def list_for_everybody(world: World) -> None:
    _send_list(world)


# --- second factors ---------------------------------------------------------------------------------------------------


@breach("staff.mfa", "Somebody removes their second factor.")
def no_factor(world: World) -> None:
    Authenticator.objects.filter(user=_somebody().user).delete()


@breach("staff.mfa", "Somebody loses their phone and goes on with recovery codes.")
def only_recovery_codes(world: World) -> None:
    codes = Authenticator.Type.RECOVERY_CODES
    Authenticator.objects.filter(user=_somebody().user).exclude(type=codes).delete()


@breach("staff.mfa", "A new colleague signs in with a password alone.")
def password_alone(world: World) -> None:
    actions.sign(_hire(world), document_hash(), now=world.now)


def _superuser(world: World, *, since: dt.datetime, **facts: Any) -> None:
    User.objects.create(username="root@example.org", is_superuser=True, date_joined=since, **facts)


@breach("staff.mfa", "A superuser who was made by hand signs in with a password alone.")
def superuser_by_password(world: World) -> None:
    _superuser(world, since=world.now, last_login=world.now)


@breach(
    "staff.mfa",
    "A superuser is made by hand, and somebody writes their session into the database.",
    unseen="rows of our own database are believed",
)
def superuser_by_session(world: World) -> None:
    _superuser(world, since=world.now)


@breach(
    "staff.mfa",
    "Somebody signs in to the database itself, with a password alone.",
    unseen="it knows the accounts of Troth, and not those of the databases",
)
def database_password(world: World) -> None:
    _read_past_troth(world)


# --- undertakings -----------------------------------------------------------------------------------------------------


@breach("staff.undertakings", "Somebody's undertaking to keep data confidential is not there any more.")
def no_undertaking(world: World) -> None:
    Undertaking.objects.filter(member=_somebody()).delete()


@breach("staff.undertakings", "Somebody's undertaking runs out, and is not renewed.")
def lapsed_undertaking(world: World) -> None:
    signed, until = world.now - dt.timedelta(days=400), world.now - dt.timedelta(days=35)
    Undertaking.objects.filter(member=_somebody()).update(signed_at=signed, until=until)


@breach("staff.undertakings", "The text of the undertaking changes, and only the old one was signed.")
def other_text(world: World) -> None:
    Undertaking.objects.filter(member=_somebody()).update(document=Hash.of(b"an older text").text)


@breach("staff.undertakings", "A new colleague starts to work before they have signed.")
def unsigned_colleague(world: World) -> None:
    colleague = _hire(world)
    fresh_codes(colleague.user)
    Grant.objects.filter(member=colleague).update(used_at=world.now)


@breach("staff.undertakings", "A superuser who was made by hand signs in, and has signed nothing.")
def unsigned_superuser(world: World) -> None:
    _superuser(world, since=world.now, last_login=world.now)


@breach(
    "staff.undertakings",
    "Somebody who has signed sends a list of customers to a friend.",
    unseen="it sees that the promise was given, not that it is kept",
)
def list_for_a_friend(world: World) -> None:
    _send_list(world)


@breach(
    "staff.undertakings",
    "Somebody writes an undertaking into the database for a colleague who has not signed.",
    unseen="rows of our own database are believed",
)
def invented_undertaking(world: World) -> None:
    member, until = _hire(world), world.now + dt.timedelta(days=300)
    Undertaking.objects.create(member=member, document=document_hash(), signed_at=world.now, until=until)


# --- reviews ----------------------------------------------------------------------------------------------------------


@breach("staff.recertified", "Nobody reviews the grants for a year.")
def unreviewed(world: World) -> None:
    Grant.objects.update(reviewed_at=world.now - dt.timedelta(days=300))


@breach("staff.recertified", "A review leaves out the access of one person.")
def left_out_of_review(world: World) -> None:
    reviewed = world.now - dt.timedelta(days=190)
    if not Grant.objects.filter(member=_somebody()).update(reviewed_at=reviewed):
        raise Inapplicable("no grant")


@breach("staff.recertified", "A review is dated ahead, so that none is due for long.")
def review_of_next_year(world: World) -> None:
    Grant.objects.update(reviewed_at=world.now + dt.timedelta(days=300))


@breach("staff.recertified", "A superuser who was made by hand is left for a year.")
def superuser_for_ever(world: World) -> None:
    _superuser(world, since=world.now - dt.timedelta(days=300))


@breach(
    "staff.recertified",
    "Somebody sets the date of every review to today in the database, without a review.",
    unseen="dates in our own database are believed",
)
def review_only_dated(world: World) -> None:
    unreviewed(world)
    Grant.objects.update(reviewed_at=world.now)


# --- accesses ---------------------------------------------------------------------------------------------------------


@breach("staff.access_recorded", "Somebody removes the entry of an access from the ledger.")
def removed_entry(world: World) -> None:
    entry = _look(world, _purpose(world)).entry
    assert entry is not None, "it has just been recorded"
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_entry WHERE id = %s", [entry.pk])


@breach("staff.access_recorded", "A new page shows data without recording it.")
def unrecorded(world: World) -> None:
    AccessRow.objects.filter(pk=_look(world, _purpose(world)).pk).update(entry=None)


@breach("staff.access_recorded", "Somebody changes afterwards who it was that looked.")
def somebody_else(world: World) -> None:
    AccessRow.objects.filter(pk=_look(world, _purpose(world)).pk).update(by=str(Hash.of(b"somebody else")))


@breach("staff.access_recorded", "Data is shown an hour before its access is recorded.")
def recorded_late(world: World) -> None:
    AccessRow.objects.filter(pk=_look(world, _purpose(world)).pk).update(at=world.now - dt.timedelta(hours=1))


@breach(
    "staff.access_recorded",
    "Somebody reads a table with a tool of the database.",
    unseen="what does not go through Troth leaves no access there",
)
def read_past_troth(world: World) -> None:
    _read_past_troth(world)


@breach("staff.purpose_on_every_read", "Somebody looks at data for a purpose that the policy does not name.")
def other_purpose(world: World) -> None:
    _look(world, "curiosity")


@breach("staff.purpose_on_every_read", "A purpose is given up, and people look at data for it all the same.")
def purpose_given_up(world: World) -> None:
    purpose = _look(world, _purpose(world)).purpose
    left = {name: it for name, it in world.declaration.purposes.items() if name != purpose}
    world.declare(purposes=left)


@breach("staff.purpose_on_every_read", "A new page lets people look at data without saying why.")
def without_purpose(world: World) -> None:
    AccessRow.objects.filter(pk=_look(world, _purpose(world)).pk).update(purpose="")


@breach(
    "staff.purpose_on_every_read",
    "Somebody looks up a neighbour, and says that it is for work.",
    unseen="whether the purpose that somebody states is the true one does not show",
)
def untrue_purpose(world: World) -> None:
    _look(world, _purpose(world))


# --- the officer ------------------------------------------------------------------------------------------------------


def _with_role(role: StaffRole) -> QuerySet[StaffMember]:
    return StaffMember.objects.filter(grants__role=role.value, left_at=None).distinct()


@breach("staff.officer_appointed", "The officer's deputy leaves, and nobody follows.")
def no_deputy(world: World) -> None:
    for member in _with_role(StaffRole.DEPUTY):
        actions.leave(member, now=world.now)


@breach("staff.officer_appointed", "The officer's grant runs out, and nobody renews it.")
def officer_without_grant(world: World) -> None:
    started, until = world.now - dt.timedelta(days=90), world.now - dt.timedelta(days=1)
    Grant.objects.filter(role=StaffRole.OFFICER.value).update(starts_at=started, until=until)


@breach("staff.officer_appointed", "The officer is ill for four months, and nobody takes over.")
def officer_away(world: World) -> None:
    seen = world.now - dt.timedelta(days=120)
    StaffMember.objects.filter(pk__in=[it.pk for it in _with_role(StaffRole.OFFICER)]).update(seen_at=seen)


@breach(
    "staff.officer_appointed",
    "The officer opens a second account, and is their own deputy.",
    unseen="whether two accounts are two people does not show",
)
def own_deputy(world: World) -> None:
    officer = _with_role(StaffRole.OFFICER).first()
    deputy = _with_role(StaffRole.DEPUTY).first()
    if officer is None or deputy is None:
        raise Inapplicable("no officer with a deputy")
    User.objects.filter(pk=deputy.user_id).update(email=officer.user.email)
