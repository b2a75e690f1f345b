"""What staff and people do with newsletters: plan an edition, sign up, stop."""

from __future__ import annotations

import datetime as dt

from troth.declaration import IdentityKind
from troth.service.core.deployment import Deployment
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.stops import actions as stops
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters.editions.kind import KIND
from troth.service.newsletters.editions.text import EditionText
from troth.service.preferences.rules import fingerprints


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


def list_of(token: tokens.StopToken, deployment: Deployment) -> str:
    """The declared newsletter that *token* is of; empty if it is declared no more."""
    return next((name for name in deployment.declaration.newsletters if tokens.list_mark(name) == token.list), "")


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
