"""E-mail through a provider's own interface, by django-anymail, in place of a mail server.

The provider makes the message anew, so what stands on its bytes does not hold there: our DKIM signature is replaced by
the provider's, and reports about undeliverable messages go to the provider, not to the address of the envelope.
"""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from functools import cached_property
from typing import Any

from troth.service.configuration import MailServer
from troth.service.mail.bounces import Judgement, ReportKind
from troth.service.mail.message import Message
from troth.service.mail.transports import ANSWER_S_MAX, Doubtful, MessageRefused, ServerUnreachable

LAPSES = "its DKIM signature replaces ours, and it keeps the reports about undeliverable messages"
"""What a provider does differently, for the operator."""
_OWN = frozenset(["from", "to", "subject", "date", "mime-version", "dkim-signature"])
_ACCEPTED = frozenset(["sent", "queued"])


class Provider:
    """The provider that *server* names. It has seen only a fake of Postmark's interface, never a real provider."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def hand_over(self, message: Message, point_of_no_return: Callable[[], None]) -> None:
        """Send one e-mail. Raises `MessageRefused`, `ServerUnreachable` and `Doubtful`, and anything that
        *point_of_no_return* raises."""
        made, backend = _for_django(message), self._backend
        from anymail.exceptions import (
            AnymailAPIError,
            AnymailConfigurationError,
            AnymailError,
            AnymailRecipientsRefused,
        )

        point_of_no_return()
        try:
            backend.send_messages([made])
        except AnymailRecipientsRefused:
            judged = Judgement(ReportKind.GONE, is_unsure=True)  # it does not say whether the fault is ours
            raise MessageRefused("provider: recipient refused", for_good=True, judged=judged) from None
        except AnymailAPIError as error:
            raise _trouble(error) from None
        except AnymailConfigurationError:
            raise ServerUnreachable("provider: wrong setting") from None
        except AnymailError as error:  # before anything was sent: this message has what this provider does not take
            raise MessageRefused(f"provider: {type(error).__name__}"[:40], for_good=False) from None
        if not made.anymail_status.status or not made.anymail_status.status <= _ACCEPTED:
            raise Doubtful("provider: unclear answer")

    def close(self) -> None:
        """Close the connection. Idempotent."""
        if "_backend" in self.__dict__:
            self._backend.close()

    @cached_property
    def _backend(self) -> Any:
        try:
            from anymail.exceptions import AnymailConfigurationError
            from django.core.mail import get_connection
        except ImportError:
            raise ServerUnreachable("provider: django-anymail is missing") from None
        try:
            options: dict[str, Any] = {**dict(self._server.options), "timeout": ANSWER_S_MAX}
            backend = get_connection(f"anymail.backends.{self._server.provider}.EmailBackend", **options)
            backend.open()
        except (AnymailConfigurationError, ImportError, TypeError):
            raise ServerUnreachable("provider: unknown, or lacks an option") from None
        return backend


def _for_django(message: Message) -> Any:
    """*message* as Django has it: its texts, attachments and headers."""
    from django.core.mail import EmailMultiAlternatives

    read = message_from_bytes(message.content, _class=EmailMessage, policy=SMTP)
    plain, page = (read.get_body((kind,)) for kind in ("plain", "html"))
    names = [name for name in read if name.lower() not in _OWN and not name.lower().startswith("content-")]
    made = EmailMultiAlternatives(
        str(read["Subject"]),
        plain.get_content() if plain is not None else "",
        str(read["From"]),
        [message.to],
        headers={name: str(read[name]) for name in names},
    )
    if page is not None:
        made.attach_alternative(page.get_content(), "text/html")
    for part in read.iter_attachments():
        made.attach(part.get_filename(), part.get_content(), part.get_content_type())
    return made


def _trouble(error: Any) -> Exception:
    """What an answer, or none, says about the message. A server's own error may come before or after it was taken."""
    import requests

    if error.status_code is not None:
        code = int(error.status_code)
        if code in {401, 403, 429}:  # the token, or too many at once: the same for each message
            return ServerUnreachable(f"provider: {code}")
        if 400 <= code < 500:  # mostly a setting, such as a sender that is not confirmed: the person can do nothing
            return MessageRefused(f"provider: {code}", for_good=code == 413)
        return Doubtful(f"provider: {code}")
    reason = getattr(next(iter(getattr(error.__cause__, "args", ())), None), "reason", None)
    if isinstance(error.__cause__, requests.ConnectionError) and type(reason).__name__ in _BEFORE:
        return ServerUnreachable("provider: unreachable")
    return Doubtful("provider: no answer")


_BEFORE = frozenset(["NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "SSLError"])
"""Faults of urllib3 that come before a request is sent."""
