"""Settings of mail to many: ``TROTH_MAIL_RATES``, the most messages a second that go to a domain, and
``TROTH_MAIL_RETURN``, the address that reports go to."""

from __future__ import annotations

from collections.abc import Mapping

from troth.service.configuration import SettingsError
from troth.service.mail.bounces import envelope_sender

_DEFAULT = 20.0


def read_rates(text: str) -> Mapping[str, float]:
    """Messages a second by domain, such as ``gmail.com=10 *=20``; ``*`` is any other domain. Raises
    `SettingsError`."""
    rates = {"*": _DEFAULT}
    for part in text.split():
        domain, _, figure = part.partition("=")
        try:
            rate = float(figure)
        except ValueError:
            rate = 0.0
        if not domain or not 0 < rate <= 10_000:
            raise SettingsError("TROTH_MAIL_RATES gives messages a second by domain, such as gmail.com=10 *=20")
        rates[domain.lower()] = rate
    return rates


def read_return(text: str) -> str:
    """The address that reports about deliveries go to, each under a token of its own: ``bounces+TOKEN@example.org``.
    Empty: they go to the sender, and name no delivery. Raises `SettingsError`."""
    try:
        if text:
            envelope_sender(text, "a" * 23)
    except ValueError as error:
        raise SettingsError(f"TROTH_MAIL_RETURN: {error}") from None
    return text
