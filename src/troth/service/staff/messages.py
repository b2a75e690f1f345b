"""E-mail to invited members."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.urls import reverse

from troth.service.core.deployment import current
from troth.service.core.keys import keyring
from troth.service.mail.actions import post
from troth.service.mail.rules import Letter
from troth.service.staff.models import StaffMember
from troth.service.staff.rights import role_title


def link_of(token: str) -> str:
    """Link of the invitation, on the declared site."""
    site = current().declaration.organisation.site or "http://localhost:8000"
    return site.rstrip("/") + reverse("invitation", args=[token])


def post_invitation(member: StaffMember, token: str, *, now: dt.datetime) -> None:
    """Queue the e-mail with the link, in the open transaction. Raises `troth.service.mail.rules.LetterRefused` for an
    address that cannot receive e-mail."""
    declaration = current().declaration
    latest = member.invitations.order_by("-pk")[0]
    grants = member.grants.filter(ended_at__isnull=True)
    roles = sorted({role_title(grant.role or grant.right) for grant in grants})
    letter = Letter(
        kind="staff_invite",
        to=member.user.email,
        language=declaration.policy.language,
        about=f"staff:invitation-{latest.pk}",
        facts={"link": link_of(token), "until": latest.until, "roles": roles},
        once=f"staff:invitation-{latest.pk}",
    )
    post(letter, keyring=keyring(settings.TROTH.home), organisation=declaration.organisation, now=now)
