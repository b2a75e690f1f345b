"""Webhooks: notify other programs of events, in signed messages without personal data.

Messages follow the Standard Webhooks convention: ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``, an
HMAC-SHA256 over all three parts. They go to public addresses, and to those that ``TROTH_WEBHOOKS_PRIVATE`` allows:
webhooks reach nothing else in this machine's network. A message is retried until it is accepted, for up to 21 hours; a
receiver may get it twice, with the same id. A receiver that fails is skipped for the rest of a pass, which is short:
other work waits for its end.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import logging
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min

from troth.protect import Keyring, SealingContext
from troth.service.api.models import Answered, Delivery, Webhook
from troth.service.configuration import ServiceError, is_local
from troth.service.core.clock import may_end
from troth.service.core.keys import keyring
from troth.service.core.periodic_jobs import periodic_job
from troth.site import Allowed, NotPublic, PublicOnly, addresses_of

_LOG = logging.getLogger("troth.hooks")
EVENTS = (
    "case.received",
    "case.verified",
    "case.changed",
    "case.closed",
    "case.escalated",
    "line.stopped",
    "control.failing",
    "control.passing",
    "attestation.expiring",
)
NOT_PUBLIC = "not public"
"""Reason of a failed delivery if the receiver's address is neither public nor allowed."""
_EVERY = dt.timedelta(seconds=10)
_WAITS_S = (10, 60, 300, 1_800, 7_200, 21_600, 43_200)
_TIMEOUT_S, _PASS_S_MAX = 10.0, 30.0
_AT_ONCE = 200
_ANSWERS_KEPT = dt.timedelta(days=2)


class WebhookRefused(ServiceError):
    """The webhook is refused; the message says why."""


def make(url: str, events: Collection[str], *, keys: Keyring, now: dt.datetime) -> tuple[Webhook, str]:
    """Create a webhook; returns it and its signing secret, shown only now. Raises `WebhookRefused`."""
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL:
        read = httpx.URL("")
    is_safe = read.scheme == "https" or (read.scheme == "http" and is_local(read.host))
    if not read.host or not is_safe or read.userinfo or read.fragment:
        raise WebhookRefused("a webhook needs an https:// address without a password in it")
    _refuse_private(read.raw_host.decode("ascii"))
    if not events or set(events) - set(EVENTS):
        raise WebhookRefused(f"a webhook receives one or more of these events: {', '.join(EVENTS)}")
    secret = secrets.token_bytes(32)
    with transaction.atomic():
        hook = Webhook.objects.create(url=url, events=sorted(events), secret=b"", made_at=now)
        hook.secret = keys.seal(secret, _context(hook))
        hook.save(update_fields=["secret"])
    return hook, "whsec_" + base64.b64encode(secret).decode()


def _refuse_private(host: str) -> None:
    """Raise `WebhookRefused` if *host* is known to be private. Hosts without an address yet are checked before each
    delivery."""
    try:
        addresses_of(host, 443, _allowed())
    except (OSError, UnicodeError):
        return
    except NotPublic as refused:
        raise WebhookRefused(
            f"{refused}, and TROTH_WEBHOOKS_PRIVATE does not allow it; the operator can add it there"
        ) from None


def _allowed() -> Allowed:
    return Allowed(settings.TROTH.webhook_hosts, settings.TROTH.webhook_networks)


def end(hook_id: int, *, now: dt.datetime) -> bool:
    """End a webhook at once. True if there was one."""
    return bool(Webhook.objects.filter(pk=hook_id, ended_at=None).update(ended_at=now))


def tell(event: str, *facts: Mapping[str, Any], now: dt.datetime) -> None:
    """Queue a message to every subscribed webhook for each of *facts*, in the open transaction. Facts are references,
    states and dates: nothing personal."""
    wanted = [hook for hook in Webhook.objects.filter(ended_at=None) if event in hook.events]
    at = now.isoformat(timespec="seconds")
    messages = [{"type": event, "timestamp": at, "data": dict(one)} for one in facts] if wanted else []
    Delivery.objects.bulk_create(
        [Delivery(hook=hook, event=event, body=body, at=now, due=now) for hook in wanted for body in messages]
    )


def signature(secret: bytes, id_: str, timestamp: int, body: bytes) -> str:
    """Value of ``webhook-signature``."""
    signed = hmac.new(secret, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


@periodic_job("api:hooks")
def deliver_due(now: dt.datetime) -> dt.datetime:
    """Send due messages, and delete old idempotency responses."""
    if may_end(now):
        Answered.objects.filter(at__lt=now - _ANSWERS_KEPT).delete()
    waiting = Delivery.objects.filter(done_at=None)
    due = waiting.filter(due__lte=now)
    # Receivers with failed messages come last, so that silent ones delay only each other.
    wanted = waiting.values("hook").annotate(first=Min("due"), tried=Max("tries")).filter(first__lte=now)
    if hooks := list(wanted.order_by("tried", "hook").values_list("hook", flat=True)):
        # An environment proxy would resolve names itself, and a redirect may lead anywhere.
        way, keys = PublicOnly(_allowed()), keyring(settings.TROTH.home)
        ends = time.monotonic() + _PASS_S_MAX
        with httpx.Client(transport=way, timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            for hook in hooks:
                for message in due.filter(hook=hook).select_related("hook").order_by("due", "id")[:_AT_ONCE]:
                    if time.monotonic() >= ends or not _deliver(message, client, keys, now):
                        break
    return now + _EVERY


def _deliver(message: Delivery, client: httpx.Client, keys: Keyring, now: dt.datetime) -> bool:
    """Send one message; True if its receiver may get the next one."""
    hook = message.hook
    if hook.ended_at is not None:
        Delivery.objects.filter(pk=message.pk).update(done_at=now, why="ended")
        return True
    body = json.dumps(message.body, separators=(",", ":"), sort_keys=True).encode()
    timestamp = int(now.timestamp())
    id_ = f"msg_{message.pk}"
    secret = keys.unseal(bytes(hook.secret), _context(hook))
    headers = {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, id_, timestamp, body),
    }
    try:
        with client.stream("POST", hook.url, content=body, headers=headers) as answer:  # the response body is not read
            why = "" if answer.is_success else f"status {answer.status_code}"
    except NotPublic:
        why = NOT_PUBLIC
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = type(error).__name__[:40]
    if not why:
        Delivery.objects.filter(pk=message.pk).update(done_at=now, why="")
    elif message.tries >= len(_WAITS_S):
        _LOG.error("a webhook did not accept a message, and its last retry is over: %s", why)
        Delivery.objects.filter(pk=message.pk).update(done_at=now, why=why)
    else:
        again = now + dt.timedelta(seconds=_WAITS_S[message.tries])
        Delivery.objects.filter(pk=message.pk).update(due=again, tries=message.tries + 1, why=why)
    return not why


def _context(hook: Webhook) -> SealingContext:
    return SealingContext(domain="api", table="webhook", field="secret", subject=str(hook.pk))
