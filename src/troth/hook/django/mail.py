"""An e-mail backend that asks Troth before it hands messages to the backend that sends them.

    EMAIL_BACKEND = "troth.hook.django.mail.Backend"
    TROTH_MAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"      # the one that sends; this is the default
    TROTH_MAIL_URL = "https://privacy.example.org"
    TROTH_MAIL_TOKEN = os.environ["TROTH_MAIL_TOKEN"]                       # with the scope mail.ask
    TROTH_MAIL_PURPOSE = "owed"                                             # of messages that name none; default: none
    TROTH_MAIL_TIMEOUT_S = 5.0

    EmailMessage(…, headers={"X-Troth-Purpose": "news"}).send()

`troth.hook.django` need not be among the installed apps.
"""

from __future__ import annotations

import copy
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string

from troth.hook.mail import OWED, MailDecision, MailGuard, MailRefused, MailUndecided, address_in

PURPOSE_HEADER: Final = "X-Troth-Purpose"
STOP_LINK: Final = "{{troth_stop_link}}"
"""Stands in a text for the link by which its reader stops such e-mails."""
_LOG = logging.getLogger("troth.hook.mail")
_SENDER = "django.core.mail.backends.smtp.EmailBackend"


class Backend(BaseEmailBackend):
    """Hands on what may be sent: messages that are owed as they are, and others once Troth allows them, a copy for each
    recipient, who sees no other. Those that nobody may get are left out, and not counted."""

    def __init__(self, fail_silently: bool = False, **kwargs: Any) -> None:
        super().__init__(fail_silently=fail_silently)
        sender = getattr(settings, "TROTH_MAIL_BACKEND", _SENDER)
        if issubclass(import_string(sender), Backend):
            raise MailRefused("TROTH_MAIL_BACKEND names this backend again: name the one that sends")
        self._sender = get_connection(sender, fail_silently=fail_silently, **kwargs)

    def open(self) -> bool | None:
        return self._sender.open()

    def close(self) -> None:
        self._sender.close()

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send what may be sent, and return how many messages were: one to several people counts if the copies of all
        who may get it left. Troth is asked once for all, after what is owed was sent. Raises `MailRefused`, before
        anything is sent, for a message without a purpose or with a recipient that is not an address, and
        `MailUndecided` unless the backend is to fail silently."""
        owed, others = list[EmailMessage](), list[tuple[EmailMessage, list[tuple[str, str]]]]()
        for message in email_messages:
            purpose = _purpose_of(message)
            if purpose == OWED:
                owed.append(_copied(message, {}))
            elif recipients := message.recipients():
                others.append((message, [(address_in(str(text)), purpose) for text in recipients]))
        sent = self._hand_on([[message] for message in owed])
        try:
            decisions = iter(_guard().ask_each([mail for _, mails in others for mail in mails]) if others else ())
        except MailUndecided as error:
            if not self.fail_silently:
                raise
            _LOG.error("messages not sent: %d (%s)", len(others), error)
            return sent
        return sent + self._hand_on([list(_copies(message, decisions)) for message, _ in others])

    def _hand_on(self, messages: Sequence[Sequence[EmailMessage]]) -> int:
        """Send the copies of each message; the number of messages whose copies are known to have left."""
        copies = [copied for group in messages for copied in group]
        sent = (self._sender.send_messages(copies) or 0) if copies else 0
        return max(0, sum(map(bool, messages)) - (len(copies) - sent))


def _guard() -> MailGuard:
    url, token = (str(getattr(settings, name, "")) for name in ("TROTH_MAIL_URL", "TROTH_MAIL_TOKEN"))
    return MailGuard(url, token, float(getattr(settings, "TROTH_MAIL_TIMEOUT_S", 5.0)))


def _purpose_of(message: EmailMessage) -> str:
    named = {str(value) for name, value in message.extra_headers.items() if name.lower() == PURPOSE_HEADER.lower()}
    if len(named) > 1:
        raise MailRefused(f"a message has several {PURPOSE_HEADER}: name one purpose")
    purpose = next(iter(named), None) or getattr(settings, "TROTH_MAIL_PURPOSE", "")
    if not purpose:
        raise MailRefused(
            f'a message names no purpose: add headers={{"{PURPOSE_HEADER}": "news"}} with one of troth.yaml, or '
            f'"{OWED}" if its reader is owed it; or set TROTH_MAIL_PURPOSE for all messages without one'
        )
    return str(purpose)


def _copies(message: EmailMessage, decisions: Iterator[MailDecision]) -> Iterator[EmailMessage]:
    """A copy for each recipient whose decision, the next of *decisions*, allows it."""
    refused = Counter[str]()
    for recipient in message.recipients():
        decision = next(decisions)
        if decision.allowed:
            yield _copied(message, {"To": "", "Cc": "", "Bcc": "", **decision.headers}, recipient, decision.stop)
        else:
            refused[decision.reason] += 1
    for reason, count in refused.items():
        _LOG.info("copies of a message not sent: %d (%s)", count, reason)


def _copied(message: EmailMessage, headers: dict[str, str], recipient: str = "", stop: str = "") -> EmailMessage:
    """A copy for *recipient*, or as it is, with *headers* in place of its own; empty ones are left out."""
    replaced = {name.lower() for name in (PURPOSE_HEADER, *headers)}
    copied = copy.copy(message)
    kept = {name: value for name, value in message.extra_headers.items() if name.lower() not in replaced}
    copied.extra_headers = kept | {name: value for name, value in headers.items() if value}
    if recipient:
        copied.to, copied.cc, copied.bcc = [recipient], [], []
        _write_link(copied, stop)
    return copied


def _write_link(message: EmailMessage, link: str) -> None:
    """Put *link* in the place of `STOP_LINK`. Raises `MailRefused` if there is none."""
    texts = [str(message.body)]
    alternatives = list(message.alternatives or ()) if isinstance(message, EmailMultiAlternatives) else []
    texts += [content for content, _ in alternatives if isinstance(content, str)]
    if not any(STOP_LINK in text for text in texts):
        return
    if not link:
        raise MailRefused(f"a text has {STOP_LINK}, but its purpose is none that a link stops")
    message.body = str(message.body).replace(STOP_LINK, link)
    if isinstance(message, EmailMultiAlternatives):
        message.alternatives = []
        for content, kind in alternatives:
            message.attach_alternative(content.replace(STOP_LINK, link) if isinstance(content, str) else content, kind)
