"""Newsletters as a kind of edition, for the bulk sender (`mail.bulk.kinds.EditionKind`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final, Literal

from troth.declaration.newsletters import Newsletter
from troth.service.configuration import setting
from troth.service.core.deployment import Deployment
from troth.service.mail.bounces import envelope_sender
from troth.service.mail.bulk.kinds import AudienceRows, EditionRecipient
from troth.service.mail.bulk.tokens import delivery_token, message_id_of
from troth.service.mail.message import Address, Message, PreparedMessage
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.preflight import check_one
from troth.service.mail.rules import LetterRefused
from troth.service.mail.signatures.keys import signer_for
from troth.service.mail.stops import tokens
from troth.service.newsletters.editions.audience import AudienceTable
from troth.service.newsletters.editions.text import STOP_LINK, EditionText, compose
from troth.stores import Row

KIND: Final = "newsletter"
_OF_SIGNATURES = frozenset({"unsigned", "optout_unsigned", "signature_partial"})
"""Faults that every message has while no signing key is made."""


def newsletter_of(edition: Edition, deployment: Deployment) -> tuple[str, Newsletter]:
    """The declared newsletter of *edition*, with its name. Raises `LetterRefused`."""
    name = edition.about.partition(":")[2]
    newsletter = deployment.declaration.newsletters.get(name)
    if newsletter is None or newsletter.purpose != edition.purpose:
        raise LetterRefused(f"the newsletter {name} is not declared like this any more")
    return name, newsletter


class NewsletterEditions:
    """Editions of the declared newsletters. One that may have left when a process died is shown as in doubt: to get a
    newsletter twice is worse than to miss one."""

    doubt: Final[Literal["show"]] = "show"

    def per_second(self, edition: Edition, deployment: Deployment) -> int:
        return newsletter_of(edition, deployment)[1].per_second

    def template(self, edition: Edition, deployment: Deployment) -> NewsletterTemplate:
        name, newsletter = newsletter_of(edition, deployment)
        text = EditionText(edition.content["subject"], edition.content["markdown"])
        return NewsletterTemplate(name, newsletter, text, deployment)

    def audience(self, edition: Edition, deployment: Deployment) -> AudienceRows:
        with audience_table(newsletter_of(edition, deployment)[1], deployment) as table:
            return table.everybody()

    def recipients(
        self, edition: Edition, keys: Sequence[Row], deployment: Deployment
    ) -> list[EditionRecipient | None]:
        with audience_table(newsletter_of(edition, deployment)[1], deployment) as table:
            return table.of_keys(keys)


@contextlib.contextmanager
def audience_table(
    newsletter: Newsletter, deployment: Deployment, *, read_only: bool = True
) -> Iterator[AudienceTable]:
    """Context manager: the open table of a newsletter's audience. Raises `AudienceUnreadable` and the store's
    errors."""
    place = newsletter.audience.table
    with deployment.stores(read_only=read_only) as stores:
        yield AudienceTable(newsletter, deployment, stores[place.partition(".")[0]], deployment.map(stores)[place])


class NewsletterTemplate:
    """One edition, ready to be made out to people. Raises `LetterRefused` if it cannot be sent."""

    def __init__(self, name: str, newsletter: Newsletter, text: EditionText, deployment: Deployment) -> None:
        declaration = deployment.declaration
        self._name, self._deployment = name, deployment
        self._sender = Address.read(newsletter.sender or declaration.organisation.email)
        self._signer = signer_for(self._sender.domain, deployment.keyring)
        language = declaration.policy.language
        self._prepared = PreparedMessage(
            compose(text, newsletter, declaration, language),
            name=declaration.organisation.name,
            sender=self._sender,
            language=language,
            placeholders=[*newsletter.audience.values, STOP_LINK],
            headers={"List-Id": f"<{name}.{self._sender.domain}>"},
        )

    def message(self, recipient: EditionRecipient, delivery: EditionDelivery) -> Message:
        """The message to *recipient*, with its stop link and headers (RFC 2369, RFC 8058)."""
        keyring = self._deployment.keyring
        token = tokens.make(self._name, recipient.fingerprint, keyring)
        link, mailto = (
            f"{self._deployment.site}/your-data/stop/{token}",
            f"mailto:{self._mailbox}?subject=stop%20{token}",
        )
        returns = envelope_sender(self._returns, delivery_token(delivery.pk, keyring)) if self._returns else ""
        message = self._prepared.message(
            to=Address.read(recipient.address),
            now=self._deployment.now(),
            headers={
                "List-Unsubscribe": f"<{link}>, <{mailto}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
            values={**recipient.values, STOP_LINK: link},
            envelope=Address.read(returns) if returns else None,
            id_=message_id_of(delivery.pk, keyring),
        )
        if self._signer is not None:
            message = message.signed(self._signer)
        for fault in check_one(message, to=message.to, opt_outs=(link, mailto)):
            if fault.blocks and (self._signer is not None or fault.id not in _OF_SIGNATURES):
                raise LetterRefused(f"{fault.place}: {fault.wrong}")
        return message

    @cached_property
    def _mailbox(self) -> str:
        return self._deployment.declaration.organisation.email

    @cached_property
    def _returns(self) -> str:
        address: str = setting("TROTH_MAIL_RETURN")
        return address


EDITIONS = NewsletterEditions()
"""The kind, as it is registered."""
