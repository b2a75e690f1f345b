"""A company for tests of the service's pages, and people who work there."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from troth.ledger import Pseudonym
from troth.service.core.keys import keyring, make_keys
from troth.service.staff import actions
from troth.service.staff.models import FactorSecret, StaffMember
from troth.service.staff.rights import StaffRight, StaffRole
from troth.service.staff.sealed_fields import secret_context
from troth.service.staff.undertaking import document_hash

PASSWORD = "a horse of some other colour"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
DECLARED = """
troth: 1
organisation:
  {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org, site: "http://localhost:8000"}
policy: {file: policy.md, effective: 2026-11-01}
access: {ceiling: 3}
purposes:
  support: {title: To answer you, basis: contract, use: essential.service, data: [user.contact.email]}
"""


class StaffClient(Client):
    """A browser of somebody who works here."""

    member: StaffMember


def lay(folder: Path) -> Any:
    """Lay a small company down in *folder*, with keys; the settings that describe it."""
    from troth.service.configuration import Settings

    (folder / "policy.md").write_text("# Privacy policy\n\nWe keep our word.\n")
    (folder / "troth.yaml").write_text(DECLARED)
    make_keys(folder)
    return Settings.read({"TROTH_HOME": str(folder), "TROTH_DECLARATION": str(folder / "troth.yaml")})


def new_member(email: str, *rights: StaffRight, roles: Sequence[StaffRole] = (), signed: bool = True) -> StaffMember:
    """Somebody who was invited and given *rights*, has a password, and has signed the undertaking."""
    now = timezone.now()
    member, token = actions.invite(email, roles, reason="a test", now=now)
    if rights:
        actions.give(member, rights, reason="a test", now=now)
    actions.accept(token, PASSWORD, now=now)
    if signed:
        actions.sign(member, document_hash(), now=now)
    return StaffMember.objects.select_related("user").get(pk=member.pk)


def bare_member(name: str) -> StaffMember:
    """An account with no right and no password, for tests that only need somebody."""
    user, _ = get_user_model().objects.get_or_create(username=name, defaults={"email": f"{name}@example.org"})
    made = {"pseudonym": Pseudonym.keyed(hashlib.sha256(name.encode()).digest()).text, "invited_at": timezone.now()}
    return StaffMember.objects.get_or_create(user=user, defaults=made)[0]


def add_totp(member: StaffMember) -> Authenticator:
    """An app with codes, of a secret that is known."""
    ref = secrets.token_hex(16)
    sealed = keyring(settings.TROTH.home).seal(TOTP_SECRET.encode(), secret_context(ref))
    FactorSecret.objects.create(user=member.user, ref=ref, sealed=sealed)
    return Authenticator.objects.create(user=member.user, type=Authenticator.Type.TOTP, data={"secret": ref})


def signed_in_client(member: StaffMember, *, factor: bool = True) -> StaffClient:
    """A browser in which *member* has signed in, with a second factor unless told otherwise."""
    client = StaffClient(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.7")
    client.member = member
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    if factor:
        if not Authenticator.objects.filter(user=member.user).exists():
            add_totp(member)
        session = client.session
        at = dt.datetime.now(dt.UTC).timestamp()
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": at}, {"method": "mfa", "at": at}]
        session["account_authentication_methods_user"] = str(member.user.pk)
        session.save()
    return client
