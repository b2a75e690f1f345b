"""Stops that arrive by e-mail: to an address or with a subject that holds the person's token, or in one's own words."""

from __future__ import annotations

import datetime as dt
import re
from email.parser import BytesHeaderParser

from django.conf import settings

from troth.declaration import IdentityKind
from troth.service.core.deployment import Deployment
from troth.service.mail.actions import about_of
from troth.service.mail.bulk.tokens import deliveries_named
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.inbox.own_words import own_words
from troth.service.mail.inbox.parsing import BAD_MAIL, BoundedPolicy, MailRead
from troth.service.mail.models import EditionDelivery
from troth.service.mail.stops import tokens
from troth.service.mail.stops.actions import StopScope, has_other_systems, lists, stop
from troth.service.mail.stops.recognition import StopIntent, StopRequest, read_stop
from troth.service.preferences.rules import fingerprints
from troth.subjects import IdentityRefused

_HEADERS_MAX = 64 * 1024
_WHERE = ("Subject", "To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
_WANTS_ANSWER = re.compile(
    r"\b(?:gdpr|dsgvo|ds-gvo|rgpd|ccpa|cpra|art(?:icle|ikel|[ií]culo|\.)? *\d+|confirm\w*|bestätig\w*|bestaetig\w*)\b",
    re.IGNORECASE,
)
"""A mail that cites the law, or wants a confirmation: GDPR Art. 12(3) demands an answer within a month."""


def take_token(message: MailboxMessage, deployment: Deployment, now: dt.datetime) -> bool:
    """Take an e-mail whose subject or recipient holds a token: the mailto address of List-Unsubscribe (RFC 2369). The
    token says whose stop it is, not the sender, who may write from elsewhere. No reply is sent. Idempotent."""
    try:
        headers = BytesHeaderParser(policy=BoundedPolicy()).parsebytes(message.raw[:_HEADERS_MAX])
        text = " ".join(str(value) for name in _WHERE for value in headers.get_all(name, ()))
    except BAD_MAIL:
        return False
    found = [read for word in tokens.TOKEN.findall(text) if (read := tokens.read(word, deployment.keyring))]
    for read in found:
        name = list_of(read, deployment)
        stop(read.fingerprint, name, StopScope.LIST, deployment, channel="mail", now=now, asked_at=message.at)
    return bool(found)


def list_of(token: tokens.StopToken, deployment: Deployment) -> str:
    """The declared list that *token* is of; empty if it is declared no more."""
    return next((name for name in lists(deployment.declaration) if tokens.list_mark(name) == token.list), "")


def take_own_words(message: MailboxMessage, deployment: Deployment, now: dt.datetime) -> bool:
    """Record the stop that somebody asks for in their own words: for the address that they write from, and for the
    reader of the edition that they reply to, who may have another one. A sender is easily forged; a stop harms nobody,
    and no reply is sent. True if the mail asks for nothing more; else a later taker answers the rest, or has somebody
    read what is doubtful. Idempotent."""
    read = message.parsed
    if read is None or not is_from_person(read, deployment):
        return False
    asked, edition = stop_in(read, deployment), _replied_to(read, deployment)
    is_of_case = bool(read.references or about_of(read.replies_to, to=read.sender, keyring=deployment.keyring))
    if asked.intent is not StopIntent.STOP or (is_of_case and asked.is_bare):  # "stop" may be to end the case
        return False
    name = _list_of(edition, deployment) if edition is not None else ""
    people = [*_marks_of(read.sender, deployment), *([edition.fingerprint] if edition is not None else [])]
    for fingerprint in dict.fromkeys(people):
        stop(fingerprint, name, asked.scope, deployment, channel="mail", now=now, asked_at=message.at)
    if not people or is_of_case or asked.asks_more or _WANTS_ANSWER.search(own_words(read.text).text):
        return False
    return bool(name) or not has_other_systems(deployment.declaration)


def stop_in(read: MailRead, deployment: Deployment) -> StopRequest:
    """Whether a mail asks us to stop, as `take_own_words` reads it."""
    is_reply = _replied_to(read, deployment) is not None
    return read_stop(read.subject, read.text, replies_to_edition=is_reply)


def is_from_person(read: MailRead, deployment: Deployment) -> bool:
    """Whether a person outside the company wrote a mail: no program, list or answering machine (RFC 3834), and it is
    not one that we sent and that came back."""
    organisation, newsletters = deployment.declaration.organisation, deployment.declaration.newsletters
    officer = organisation.officer
    own = {organisation.email, settings.TROTH.mail_from, *(it.sender for it in newsletters.values())}
    own |= {officer.email, officer.deputy} if officer is not None else set()
    is_own = read.sender.casefold() in {address.casefold() for address in own if address}
    return not read.is_automatic and not is_own and not deliveries_named([read.message_id], deployment.keyring)


def _replied_to(read: MailRead, deployment: Deployment) -> EditionDelivery | None:
    """The delivery to which a mail replies directly: further up in a conversation, others may have taken part."""
    named = deliveries_named(read.replies_to[-1:], deployment.keyring)
    editions = EditionDelivery.objects.exclude(edition__purpose="")  # what the law demands cannot be stopped
    return editions.filter(pk__in=named).select_related("edition").first()


def _list_of(delivery: EditionDelivery, deployment: Deployment) -> str:
    """The list that a delivery was of, by its name or its purpose; empty if it is declared no more."""
    names = (delivery.edition.about.partition(":")[2], f"purpose:{delivery.edition.purpose}")
    return next((name for name in names if name in lists(deployment.declaration)), "")


def _marks_of(address: str, deployment: Deployment) -> list[str]:
    try:
        return fingerprints([(IdentityKind.EMAIL, address)], deployment.keyring)
    except IdentityRefused:
        return []
