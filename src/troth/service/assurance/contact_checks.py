"""Asks each declared mailbox once a week whether a person reads it: an e-mail whose link opens a page with a button.

Fetching the link changes nothing, so a mail scanner answers nothing. It asks only where a promise rests on the
control, and only where a mail server is configured.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from troth.ledger import Entry
from troth.service.assurance.duty import CONTACT_LINK
from troth.service.assurance.models import ContactCheckRow
from troth.service.assurance.rules import CHECK
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import hasten
from troth.service.core.ledger import record
from troth.service.mail.actions import post, recipient_mark
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.message import Address
from troth.service.mail.models import LetterRow
from troth.service.mail.rules import Letter, LetterRefused
from troth.service.portal import links
from troth.service.portal.base import shown
from troth.service.portal.confirmation import Confirmation, confirmed
from troth.service.portal.models import MailedLink
from troth.site.mailboxes import MailboxCheck

EVERY: Final = dt.timedelta(days=7)
CONTROL: Final = "site.contact_reachable"
KIND: Final = "contact_check"
_LOOKED_BACK: Final = dt.timedelta(days=100)
_HEADER_BYTES_MAX: Final = 16_000
_MESSAGE_ID: Final = re.compile(rb"^message-id:\s*(<[^<>\s]{3,250}>)", re.IGNORECASE | re.MULTILINE)
_Role = ContactCheckRow.Role
_PLACES: Final[Mapping[ContactCheckRow.Role, str]] = {
    _Role.ORGANISATION: "organisation.email",
    _Role.OFFICER: "organisation.officer.email",
    _Role.DEPUTY: "organisation.officer.deputy",
}


def ask_due(deployment: Deployment, *, now: dt.datetime) -> list[str]:
    """Queue an e-mail to each declared mailbox that got none for a week. Returns their links, which are stored
    nowhere else but in the e-mails."""
    if settings.TROTH.mail is None or CONTROL not in deployment.bound:
        return []
    asked = list[str]()
    with transaction.atomic():
        checks = _checks(deployment, now)
        for role, address in _distinct(deployment).items():
            if not any(now - row.asked_at < EVERY for row, _ in checks.get(address, ())):
                asked += _ask(role, address, deployment, now)
    return asked


def _ask(role: ContactCheckRow.Role, address: str, deployment: Deployment, now: dt.datetime) -> list[str]:
    declaration = deployment.declaration
    row = ContactCheckRow.objects.create(role=role, asked_at=now)
    secret = links.make(CONTACT_LINK, row.pk, language=declaration.policy.language, now=now)
    link = links.address_of(secret, deployment)
    try:
        letter = Letter(
            kind=KIND,
            to=address,
            language=declaration.policy.language,
            about=f"contact:{row.pk}",
            facts={"link": link, "until": now + CONTACT_LINK.lasts},
            once=_once(row),
        )
        post(letter, keyring=deployment.keyring, organisation=declaration.organisation, now=now)
    except LetterRefused:  # no valid address: the control reports it
        links.drop(secret)
        row.delete()
        return []
    return [link]


def answer(check: int, *, now: dt.datetime) -> None:
    """Record that a person pressed the button of *check*: for every e-mail to that address up to now. Idempotent."""
    with transaction.atomic():
        row = ContactCheckRow.objects.select_for_update().filter(pk=check, answered_at=None).first()
        letter = LetterRow.objects.filter(once=f"contact:{check}").first()
        if row is None or letter is None:
            return
        same = LetterRow.objects.filter(kind=KIND, to=letter.to, queued_at__lte=now).values_list("once", flat=True)
        ids = [int(once.partition(":")[2]) for once in same]
        ContactCheckRow.objects.filter(pk__in=ids, answered_at=None).update(answered_at=now)
        record(Entry("contact.answered", now, {"mailbox": row.role}))
        hasten(CHECK, [CONTROL], at=now)


def contacts(deployment: Deployment, now: dt.datetime) -> tuple[MailboxCheck, ...]:
    """Input of controls: what became of the e-mails to each declared mailbox."""
    checks = _checks(deployment, now)
    return tuple(_state(_PLACES[role], checks.get(address, [])) for role, address in _mailboxes(deployment).items())


def _state(place: str, checks: list[tuple[ContactCheckRow, LetterRow]]) -> MailboxCheck:
    """*checks* of its address, the earliest first."""
    answered = max((row.answered_at for row, _ in checks if row.answered_at is not None), default=None)
    open_checks = [(row, letter) for row, letter in checks if row.answered_at is None]
    sent = [letter.ended_at for _, letter in open_checks if letter.state == LetterRow.State.SENT and letter.ended_at]
    unasked = ""
    if not sent:
        if settings.TROTH.mail is None:
            unasked = "no mail server is configured (TROTH_MAIL_URL)"
        elif open_checks:
            is_failed = open_checks[-1][1].state == LetterRow.State.FAILED
            unasked = "the mail server did not take the e-mail" if is_failed else "the e-mail waits to be sent"
    is_reader = any(row.is_reader for row, _ in checks)
    return MailboxCheck(place, answered, min(sent, default=None), unasked, is_reader)


def _checks(deployment: Deployment, now: dt.datetime) -> dict[str, list[tuple[ContactCheckRow, LetterRow]]]:
    """The latest checks by address, the earliest first, each with its e-mail."""
    rows = list(ContactCheckRow.objects.filter(asked_at__gt=now - _LOOKED_BACK).order_by("pk"))
    letters = {letter.once: letter for letter in LetterRow.objects.filter(once__in=[_once(row) for row in rows])}
    by_mark: dict[str, list[tuple[ContactCheckRow, LetterRow]]] = {}
    for row in rows:
        if (letter := letters.get(_once(row))) is not None:
            by_mark.setdefault(letter.to, []).append((row, letter))
    marks = {address: recipient_mark(address, deployment.keyring) for address in _mailboxes(deployment).values()}
    return {address: by_mark.get(mark, []) for address, mark in marks.items()}


def _mailboxes(deployment: Deployment) -> dict[ContactCheckRow.Role, str]:
    """Every declared mailbox, with its address as e-mails are sent to it."""
    us = deployment.declaration.organisation
    declared = {_Role.ORGANISATION: us.email}
    if us.officer is not None:
        declared[_Role.OFFICER] = us.officer.email
        if us.officer.deputy:
            declared[_Role.DEPUTY] = us.officer.deputy
    found = dict[ContactCheckRow.Role, str]()
    for role, address in declared.items():
        try:
            found[role] = Address.read(address).text
        except LetterRefused:
            found[role] = address
    return found


def _distinct(deployment: Deployment) -> dict[ContactCheckRow.Role, str]:
    """The declared mailboxes, each address once."""
    first = {address.casefold(): role for role, address in reversed(_mailboxes(deployment).items())}
    return {role: address for role, address in _mailboxes(deployment).items() if first[address.casefold()] == role}


def _once(row: ContactCheckRow) -> str:
    return f"contact:{row.pk}"


def take_own(message: MailboxMessage, deployment: Deployment, now: dt.datetime) -> bool:
    """Whether *message*, from the mailbox that Troth reads, is one of these e-mails. It opens no case; and as Troth
    marks it as read, nobody may see it there, which the control has to know."""
    named = _MESSAGE_ID.search(message.raw, 0, _HEADER_BYTES_MAX)
    message_id = named[1].decode("ascii", "replace") if named else ""
    letter = LetterRow.objects.filter(kind=KIND, message_id=message_id).first() if message_id else None
    if letter is None:
        return False
    ContactCheckRow.objects.filter(pk=int(letter.once.partition(":")[2])).update(is_reader=True)
    return True


# --- the page behind the link -----------------------------------------------------------------------------------------


def _question(request: HttpRequest, deployment: Deployment, link: MailedLink) -> Confirmation:
    return Confirmation(
        title=gettext("One more step"),
        heading=gettext("Do you read this mailbox?"),
        lead=gettext("We publish its address as one where people reach a person. Press the button if you read it."),
        button=gettext("Yes, I read it"),
        note=gettext("If you do not read it, close this page."),
    )


@confirmed(_question)
def confirm(request: HttpRequest, deployment: Deployment, link: MailedLink) -> HttpResponse:
    """The button was pressed: a person reads the mailbox."""
    answer(link.matter, now=timezone.now())
    return shown(request, deployment, "assurance/contact_answered.html", {})
