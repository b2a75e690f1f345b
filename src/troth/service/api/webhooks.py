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
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from troth.protect import Keyring, SealingContext
from troth.service.api.models import Delivery, Webhook
from troth.service.configuration import ServiceError, is_local
from troth.service.core.jobs.queue import enqueue
from troth.service.core.jobs.running import RunningJob
from troth.service.core.keys import keyring
from troth.service.duty import gathered

if TYPE_CHECKING:  # the HTTP client takes 10 MB, and the web server delivers nothing
    import httpx

    from troth.site import Allowed

_LOG = logging.getLogger("troth.hooks")
NOT_PUBLIC = "not public"
"""Reason of a failed delivery if the receiver's address is neither public nor allowed."""
_LATER = dt.timedelta(seconds=10)
"""Pause of messages behind one that was not accepted."""
WAITS = tuple(dt.timedelta(seconds=wait) for wait in (10, 60, 300, 1_800, 7_200, 21_600, 43_200))
"""Pauses before each retry of a message."""
_TIMEOUT_S, _PASS_S_MAX = 10.0, 30.0


class WebhookRefused(ServiceError):
    """The webhook is refused; the message says why."""


def make(url: str, events: Collection[str], *, keys: Keyring, now: dt.datetime) -> tuple[Webhook, str]:
    """Create a webhook; returns it and its signing secret, shown only now. Raises `WebhookRefused`."""
    import httpx

    try:
        read = httpx.URL(url)
    except httpx.InvalidURL:
        read = httpx.URL("")
    is_safe = read.scheme == "https" or (read.scheme == "http" and is_local(read.host))
    if not read.host or not is_safe or read.userinfo or read.fragment:
        raise WebhookRefused("a webhook needs an https:// address without a password in it")
    _refuse_private(read.raw_host.decode("ascii"))
    if not events or set(events) - gathered("webhooks").keys():
        known = ", ".join(gathered("webhooks"))
        raise WebhookRefused(f"a webhook receives one or more of these events: {known}")
    secret = secrets.token_bytes(32)
    with transaction.atomic():
        hook = Webhook.objects.create(url=url, events=sorted(events), secret=b"", made_at=now)
        hook.secret = keys.seal(secret, _context(hook))
        hook.save(update_fields=["secret"])
    return hook, "whsec_" + base64.b64encode(secret).decode()


def _refuse_private(host: str) -> None:
    """Raise `WebhookRefused` if *host* is known to be private. Hosts without an address yet are checked before each
    delivery."""
    from troth.site import NotPublic, addresses_of

    try:
        addresses_of(host, 443, _allowed())
    except (OSError, UnicodeError):
        return
    except NotPublic as refused:
        raise WebhookRefused(
            f"{refused}, and TROTH_WEBHOOKS_PRIVATE does not allow it; the operator can add it there"
        ) from None


def _allowed() -> Allowed:
    from troth.site import Allowed

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
    made = Delivery.objects.bulk_create(
        [Delivery(hook=hook, event=event, body=body, at=now) for hook in wanted for body in messages]
    )
    enqueue("api.webhook", *(str(message.pk) for message in made))


def signature(secret: bytes, id_: str, timestamp: int, body: bytes) -> str:
    """Value of ``webhook-signature``."""
    signed = hmac.new(secret, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def deliver(jobs: Sequence[RunningJob], *, now: dt.datetime) -> None:
    """Send the messages that *jobs* name, for about half a minute; the rest waits for the next pass."""
    import httpx

    from troth.site import PublicOnly

    messages = Delivery.objects.select_related("hook").in_bulk([int(job.key) for job in jobs])
    by_hook: dict[int, list[RunningJob]] = {}
    for job in sorted(jobs, key=lambda job: int(job.key)):
        if int(job.key) in messages:
            by_hook.setdefault(messages[int(job.key)].hook_id, []).append(job)
    # An environment proxy would resolve names itself, and a redirect may lead anywhere.
    way, keys = PublicOnly(_allowed()), keyring(settings.TROTH.home)
    ends = time.monotonic() + _PASS_S_MAX
    with httpx.Client(transport=way, timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
        # Receivers with failed messages come last, so that silent ones delay only each other.
        for waiting in sorted(by_hook.values(), key=lambda waiting: max(job.attempts for job in waiting)):
            is_silent = False
            for job in waiting:
                if time.monotonic() >= ends:
                    job.put_back()
                elif is_silent:
                    job.put_back(_LATER)
                else:
                    job.go_on()
                    is_silent = not _deliver(job, messages[int(job.key)], client, keys, now)


def _deliver(job: RunningJob, message: Delivery, client: httpx.Client, keys: Keyring, now: dt.datetime) -> bool:
    """Send one message; True if its receiver may get the next one."""
    why = "ended" if message.hook.ended_at is not None else _send(message, client, keys, now)
    is_over = why in ("", "ended") or job.attempts >= len(WAITS)
    if is_over and why not in ("", "ended"):
        _LOG.error("a webhook did not accept a message, and its last retry is over: %s", why)
    with transaction.atomic():
        Delivery.objects.filter(pk=message.pk).update(why=why, done_at=now if is_over else None)
        if is_over:
            job.finish()
        else:
            job.retry("not_accepted")
    return why in ("", "ended")


def _send(message: Delivery, client: httpx.Client, keys: Keyring, now: dt.datetime) -> str:
    """Send one message; why it was not accepted, or empty."""
    import httpx

    from troth.site import NotPublic

    body = json.dumps(message.body, separators=(",", ":"), sort_keys=True).encode()
    timestamp = int(now.timestamp())
    id_ = f"msg_{message.pk}"
    secret = keys.unseal(bytes(message.hook.secret), _context(message.hook))
    headers = {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, id_, timestamp, body),
    }
    try:
        with client.stream("POST", message.hook.url, content=body, headers=headers) as answer:  # its body is not read
            return "" if answer.is_success else f"status {answer.status_code}"
    except NotPublic:
        return NOT_PUBLIC
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__[:40]


def _context(hook: Webhook) -> SealingContext:
    return SealingContext(domain="api", table="webhook", field="secret", subject=str(hook.pk))
