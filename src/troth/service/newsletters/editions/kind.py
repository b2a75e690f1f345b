"""Newsletters as a kind of edition, for the bulk sender (`mail.bulk.kinds.EditionKind`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final, Literal

from troth.declaration import Basis
from troth.declaration.newsletters import Newsletter, NewsletterAudience
from troth.service.configuration import setting
from troth.service.core.deployment import Deployment
from troth.service.mail.bounces import envelope_sender
from troth.service.mail.bulk.actions import LASTS
from troth.service.mail.bulk.kinds import AudienceRows, CheckedMessage, EditionRecipient
from troth.service.mail.bulk.tokens import delivery_token, message_id_of
from troth.service.mail.message import Address, Message, PreparedMessage
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.preflight import Expected, MailClass, MailFault, check_one, check_samples
from troth.service.mail.rules import LetterRefused
from troth.service.mail.signatures.keys import signer_for
from troth.service.mail.stops import tokens
from troth.service.newsletters.editions import outside
from troth.service.newsletters.editions.audience import AudienceTable
from troth.service.newsletters.editions.text import STOP_LINK, TRACKING_LINK, EditionText, compose, is_marketing
from troth.service.newsletters.statistics.counting import tracking_of, with_consent
from troth.service.newsletters.statistics.links import CountedEdition, is_counted
from troth.stores import Row

KIND: Final = "newsletter"
_OF_SIGNATURES = frozenset({"unsigned", "optout_unsigned", "signature_partial"})
"""Faults that every message has while no signing key is made. Where mail leaves over a mail server, they block it."""
_OF_SITE = frozenset({"optout_missing", "optout_hidden", "link_unsafe"})
"""Faults that every message has while the site is one of this machine, which has no https."""


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
        return NewsletterTemplate(name, newsletter, text, deployment, edition)

    def audience(self, edition: Edition, deployment: Deployment) -> AudienceRows:
        with audience_table(newsletter_of(edition, deployment)[1], deployment) as table:
            return table.everybody()

    def recipients(
        self, edition: Edition, keys: Sequence[Row], deployment: Deployment
    ) -> list[EditionRecipient | None]:
        newsletter = newsletter_of(edition, deployment)[1]
        if not _is_same_place(edition.audience, newsletter.audience):
            return [None] * len(keys)  # the keys would name other people, or the addresses have another purpose
        with audience_table(newsletter, deployment) as table:
            return with_consent(table.of_keys(keys), tracking_of(edition, newsletter), deployment)


def _is_same_place(recorded: Mapping[str, Any], audience: NewsletterAudience) -> bool:
    return (recorded.get("table"), recorded.get("email")) == (audience.table, audience.email)


@contextlib.contextmanager
def audience_table(
    newsletter: Newsletter, deployment: Deployment, *, read_only: bool = True
) -> Iterator[AudienceTable]:
    """Context manager: the open table of a newsletter's audience. Raises `AudienceUnreadable` and the store's
    errors."""
    place = newsletter.audience.table
    with deployment.stores(read_only=read_only) as stores:
        yield AudienceTable(newsletter, deployment, stores[place.partition(".")[0]], deployment.map(stores)[place])


@dataclass(frozen=True, slots=True, repr=False)
class EditionSample:
    """A copy of an edition, what it should be, and its opt-outs."""

    message: Message
    expected: Expected
    opt_outs: Sequence[str]


class NewsletterTemplate:
    """One edition, ready to be made out to people; without *edition* only as a specimen. Raises `LetterRefused` if it
    cannot be sent."""

    def __init__(
        self,
        name: str,
        newsletter: Newsletter,
        text: EditionText,
        deployment: Deployment,
        edition: Edition | None = None,
    ) -> None:
        declaration = deployment.declaration
        self._name, self._deployment = name, deployment
        self._is_commercial = is_marketing(newsletter, declaration)
        purpose = declaration.purposes.get(newsletter.purpose)
        self._has_consent = purpose is not None and purpose.basis is Basis.CONSENT
        self._sender = Address.read(newsletter.sender or declaration.organisation.email)
        self._signer = signer_for(self._sender.domain, deployment.keyring)
        # The same in all copies: when each of them was made would tell them apart.
        self._date = edition.until - LASTS if edition is not None and edition.until else deployment.now()
        self._tracking = tracking_of(edition, newsletter) if edition is not None else ""
        self._prepared = self._prepare(text, newsletter)
        self._counted = self._prepared
        if edition is not None and self._tracking:
            counted = CountedEdition(edition.pk or 0, deployment.site, deployment.keyring)
            self._counted = self._prepare(text, newsletter, counted)

    def _prepare(
        self, text: EditionText, newsletter: Newsletter, counted: CountedEdition | None = None
    ) -> PreparedMessage:
        declaration = self._deployment.declaration
        language = declaration.policy.language
        return PreparedMessage(
            compose(text, newsletter, declaration, language, counted),
            name=declaration.organisation.name,
            sender=self._sender,
            language=language,
            placeholders=[*newsletter.audience.values, STOP_LINK, *([TRACKING_LINK] if counted else [])],
            headers={"List-Id": f"<{self._name}.{self._sender.domain}>"},
        )

    def preflight(self, recipients: Sequence[EditionRecipient]) -> list[MailFault]:
        """The full checks of what *recipients* would get, also beside each other: what is wrong with the edition.
        Records in DNS and linked pages are looked up where editions leave for people's mailboxes. Elsewhere, and
        where a provider signs, no signature is needed."""
        # As everybody gets it who did not consent to be counted, and once as the others do.
        counted = [replace(recipient, tracking=self._tracking) for recipient in recipients[:1] if self._tracking]
        samples = [(sample.message.content, sample.expected) for sample in self.samples([*recipients, *counted])]
        faults = list(check_samples(samples, None, None).faults)
        if samples and outside.is_live(self._deployment):
            faults = list(dict.fromkeys([*faults, *outside.looked_up(*samples[0])]))
        return [replace(fault, blocks=False) if self._is_expected(fault) else fault for fault in faults]

    def samples(self, recipients: Sequence[EditionRecipient]) -> Iterator[EditionSample]:
        """The copies of *recipients*, as they would leave now."""
        for number, recipient in enumerate(recipients, 1):
            message = self._made(recipient, EditionDelivery(pk=number))
            expected = Expected(
                MailClass.COMMERCIAL if self._is_commercial else MailClass.ASKED_FOR,
                to=message.to,
                envelope=message.sender,
                postal_address=self._deployment.declaration.organisation.address,
                addresses=[self._deployment.declaration.organisation.email, self._sender.text],
                is_own=partial(self._is_own, recipient.fingerprint),
                may_track=bool(recipient.tracking),
                has_consented=self._has_consent,
            )
            yield EditionSample(message, expected, self._opt_outs(recipient))

    def message(self, recipient: EditionRecipient, delivery: EditionDelivery) -> CheckedMessage:
        message, opt_outs = self._made(recipient, delivery), self._opt_outs(recipient)
        if not all(self._is_own(recipient.fingerprint, uri) for uri in opt_outs):
            raise LetterRefused("List-Unsubscribe: its token is of another person")
        if message.is_counted and not recipient.tracking:
            raise LetterRefused("an image or a link counts how somebody reads who did not consent to that")
        faults = check_one(message, to=message.to, opt_outs=opt_outs)
        for fault in faults:
            if fault.blocks and not self._is_expected(fault):
                raise LetterRefused(f"{fault.place}: {fault.wrong}")
        return CheckedMessage.of(message, faults)

    def specimen(self, address: str) -> Message:
        """The message to *address*, which need not be of a recipient: with the names of placeholders for their values,
        and without a way to stop."""
        values = {name: f"[{name}]" for name in self._prepared.placeholders}
        values[STOP_LINK] = f"{self._deployment.site}/your-data/stop/test"  # no token: it leads to a page that says so
        return self._prepared.message(to=Address.read(address), now=self._deployment.now(), values=values)

    def _is_expected(self, fault: MailFault) -> bool:
        is_local = self._deployment.site.startswith("http://")
        may_be_unsigned = self._signer is None and not outside.must_sign(self._deployment)
        return (may_be_unsigned and fault.id in _OF_SIGNATURES) or (is_local and fault.id in _OF_SITE)

    def _is_own(self, fingerprint: str, uri: str) -> bool:
        """Whether the token in an address to stop is this person's, and of this newsletter."""
        read = [tokens.read(token, self._deployment.keyring) for token in tokens.TOKEN.findall(uri)]
        return read == [tokens.StopToken(fingerprint, tokens.list_mark(self._name))]

    def _opt_outs(self, recipient: EditionRecipient) -> tuple[str, str]:
        """The addresses by which *recipient* stops, for the web and for mail."""
        token = tokens.make(self._name, recipient.fingerprint, self._deployment.keyring)
        mailbox = self._deployment.declaration.organisation.email
        return tokens.stop_addresses(token, self._deployment.site, mailbox)

    def _made(self, recipient: EditionRecipient, delivery: EditionDelivery) -> Message:
        """The message to *recipient*, with its stop link and headers (RFC 2369, RFC 8058)."""
        keyring, (link, mailto) = self._deployment.keyring, self._opt_outs(recipient)
        returns = envelope_sender(self._returns, delivery_token(delivery.pk, keyring)) if self._returns else ""
        prepared, values = self._prepared, {**recipient.values, STOP_LINK: link}
        if recipient.tracking and self._tracking:
            prepared, values[TRACKING_LINK] = self._counted, self._tracking_link(recipient)
        message = prepared.message(
            to=Address.read(recipient.address),
            now=self._date,
            headers=tokens.stop_headers(link, mailto),
            values=values,
            envelope=Address.read(returns) if returns else None,
            id_=message_id_of(delivery.pk, keyring),
        )
        message = replace(message, is_counted=is_counted(message.content))
        return message.signed(self._signer) if self._signer is not None else message

    def _tracking_link(self, recipient: EditionRecipient) -> str:
        token = tokens.make(f"purpose:{self._tracking}", recipient.fingerprint, self._deployment.keyring)
        return f"{self._deployment.site}/your-data/tracking/{token}"

    @cached_property
    def _returns(self) -> str:
        address: str = setting("TROTH_MAIL_RETURN")
        return address


EDITIONS = NewsletterEditions()
"""The kind, as it is registered."""
