"""What staff and people do with newsletters: plan an edition, sign up, stop."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

from django.db import transaction

from troth.declaration import IdentityKind, in_language
from troth.ledger import Hash
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import enqueue
from troth.service.mail.actions import post
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.rules import Letter
from troth.service.mail.stops import actions as stops
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope
from troth.service.mail.stops.inbox import list_of
from troth.service.newsletters.duty import CONFIRM_LINK
from troth.service.newsletters.editions.kind import KIND, audience_table
from troth.service.newsletters.editions.text import EditionText
from troth.service.newsletters.models import SignUp
from troth.service.newsletters.sealed_fields import signup_context
from troth.service.portal import links
from troth.service.preferences.actions import may_named, record_named
from troth.service.preferences.models import ChoiceState
from troth.service.preferences.rules import OWN_ACT, Reason, Scope, Source, fingerprints

_LINKS_MAX = 3
"""Most links that are mailed to an address within the week in which a sign-up waits."""


def plan(
    source: str,
    list_name: str,
    deployment: Deployment,
    *,
    actor: str,
    now: dt.datetime,
    send_at: dt.datetime | None = None,
) -> bulk.EditionPlan:
    """Store a draft of the edition whose Markdown is *source*, and count whom it would go to. Raises `EditionRefused`,
    `LetterRefused` and the errors of the company's store."""
    newsletter = deployment.declaration.newsletters.get(list_name)
    if newsletter is None:
        known = ", ".join(deployment.declaration.newsletters) or "none"
        raise bulk.EditionRefused(f"no newsletter '{list_name}' is declared; there are: {known}")
    text = EditionText.read(source)
    return bulk.plan(
        KIND,
        f"newsletter:{list_name}",
        newsletter.purpose,
        {"subject": text.subject, "markdown": text.markdown},
        deployment,
        actor=actor,
        now=now,
        send_at=send_at,
    )


def sign_up(
    list_name: str,
    address: str,
    values: Mapping[str, str],
    deployment: Deployment,
    *,
    shown: str,
    language: str,
    now: dt.datetime,
) -> bool:
    """Ask for a newsletter: a link goes to *address*, and nothing is sent before its owner has pressed the button
    behind it. *shown* is the text by which it was asked for. False, and no e-mail, if the address has it already, or
    got several links within a week. Raises `LetterRefused` and `IdentityRefused`."""
    newsletter = deployment.declaration.newsletters[list_name]
    [fingerprint] = fingerprints([(IdentityKind.EMAIL, address)], deployment.keyring)
    [permission] = may_named([fingerprint], newsletter.purpose, deployment)
    if permission.reason == Reason.GIVEN:
        return False
    given = json.dumps({"address": address, "values": dict(values), "language": language}).encode()
    sealed = deployment.keyring.seal(given, signup_context(fingerprint))
    with transaction.atomic():
        row, _ = SignUp.objects.select_for_update().get_or_create(
            list=list_name,
            fingerprint=fingerprint,
            confirmed_at=None,
            defaults={"asked_at": now, "shown": str(Hash.of(shown.encode())), "sealed": sealed},
        )
        if row.mailed >= _LINKS_MAX:
            return False
        row.mailed, row.sealed, row.shown = row.mailed + 1, sealed, str(Hash.of(shown.encode()))
        row.save(update_fields=["mailed", "sealed", "shown"])
        secret = links.make(CONFIRM_LINK, row.pk, language=language, now=now)
        title = in_language(newsletter.title, language) or str(newsletter.title)
        facts = {"title": title, "link": links.address_of(secret, deployment)}
        letter = Letter(
            "newsletter_confirm", address, language, f"signup:{row.pk}", facts, once=f"signup:{row.pk}/{row.mailed}"
        )
        post(letter, keyring=deployment.keyring, organisation=deployment.declaration.organisation, now=now)
    return True


def confirm(pk: int, deployment: Deployment, *, now: dt.datetime) -> SignUp | None:
    """The button behind the link was pressed: record consent, and have the person added to the audience. Idempotent.
    None if the sign-up is gone."""
    with transaction.atomic():
        row = SignUp.objects.select_for_update().filter(pk=pk).first()
        newsletter = deployment.declaration.newsletters.get(row.list) if row is not None else None
        if row is None or newsletter is None or row.confirmed_at is not None:
            return row
        source = Source("newsletters", f"signup:{row.pk}", OWN_ACT)
        scopes, shown = [Scope.of(newsletter.purpose)], Hash(row.shown)
        record_named([row.fingerprint], ChoiceState.GIVEN, scopes, source, deployment.keyring, now=now, shown=shown)
        row.confirmed_at = now
        row.save(update_fields=["confirmed_at"])
        enqueue("newsletters.add", str(row.pk), not_before=now)
    return row


def add_confirmed(pk: int, deployment: Deployment, *, now: dt.datetime) -> None:
    """Add the person of a confirmed sign-up to the audience, in the company's store. Idempotent. Raises the store's
    errors."""
    row = SignUp.objects.filter(pk=pk, added_at=None, confirmed_at__isnull=False).first()
    newsletter = deployment.declaration.newsletters.get(row.list) if row is not None else None
    if row is None or newsletter is None or row.sealed is None:
        return
    given = json.loads(deployment.keyring.unseal(bytes(row.sealed), signup_context(row.fingerprint)))
    notice = deployment.declaration.policy.effective.isoformat()
    with audience_table(newsletter, deployment, read_only=False) as table:
        assert row.confirmed_at is not None, "it is confirmed"
        table.add(given["address"], given["values"], now=row.confirmed_at, notice=notice)
    SignUp.objects.filter(pk=pk).update(sealed=None, added_at=max(now, row.confirmed_at))


def stop_by_token(
    token: str, scope: StopScope, deployment: Deployment, *, channel: str, now: dt.datetime
) -> tokens.StopToken | None:
    """Stop what *token* is of; None if it is none of ours. Idempotent."""
    read = tokens.read(token, deployment.keyring)
    if read is not None:
        stops.stop(read.fingerprint, list_of(read, deployment), scope, deployment, channel=channel, now=now)
    return read


def stop_by_address(
    address: str, list_name: str, scope: StopScope, deployment: Deployment, *, channel: str, now: dt.datetime
) -> bool:
    """Stop for *address*, whoever asks. Idempotent: False if it is stopped already. Raises `IdentityRefused`."""
    [fingerprint] = fingerprints([(IdentityKind.EMAIL, address)], deployment.keyring)
    return stops.stop(fingerprint, list_name, scope, deployment, channel=channel, now=now)
