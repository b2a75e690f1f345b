"""Queues e-mails with the change that causes them, and settles those that failed."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterable, Sequence
from typing import TypeVar

from django.conf import settings
from django.db import transaction

from troth.declaration import Organisation
from troth.protect import Keyring, SealingContext
from troth.service.core.jobs.models import HIGH
from troth.service.core.jobs.queue import enqueue
from troth.service.mail.message import Address, Message, message
from troth.service.mail.message_kinds import kinds
from troth.service.mail.models import REACHED, LetterRow
from troth.service.mail.rules import Letter, LetterRefused, language_of, write

_LOG = logging.getLogger("troth.mail")
_REFERENCES_MAX = 50
_AWAY_S = 1.0
"""Retry interval while our own database is unavailable."""
_NO_WAY_WAIT = dt.timedelta(minutes=1)
_FAILED_KEEPS = dt.timedelta(days=30)
"""How long the message of a failed e-mail is kept for sending it again."""

State = LetterRow.State
T = TypeVar("T")


def letter_context(once: str) -> SealingContext:
    """Sealing context of an e-mail's message."""
    return SealingContext(domain="mail", table="mail_letter", field="sealed", subject=once)


def post(letter: Letter, *, keyring: Keyring, organisation: Organisation, now: dt.datetime) -> LetterRow:
    """`post_all` for one e-mail."""
    return post_all([letter], keyring=keyring, organisation=organisation, now=now)[0]


def post_all(
    letters: Sequence[Letter],
    *,
    keyring: Keyring,
    organisation: Organisation,
    now: dt.datetime,
    sender: str | None = None,
) -> list[LetterRow]:
    """Write *letters* and queue them in the open transaction: they commit with that, or not at all.

    An existing e-mail with the same key is left unchanged. The sender is *organisation* at *sender*, else at the
    address of the settings or of the declaration. Raises `LetterRefused`.
    """
    by_key = {row.once: row for row in LetterRow.objects.filter(once__in=[letter.once for letter in letters])}
    address = _sender(sender or settings.TROTH.mail_from or organisation.email)
    written = [
        _row(letter, keyring, organisation, address, now)
        for letter in {letter.once: letter for letter in letters if letter.once not in by_key}.values()
    ]
    # Another process may queue the same key now. The first one counts: the update writes only the key.
    queued = LetterRow.objects.bulk_create(
        written, update_conflicts=True, unique_fields=["once"], update_fields=["once"]
    )
    enqueue("mail.send", *(str(row.pk) for row in queued), not_before=now, priority=HIGH)
    by_key |= {row.once: row for row in queued}
    return [by_key[letter.once] for letter in letters]


def post_made(letter: Letter, made: Message, *, keyring: Keyring, now: dt.datetime) -> None:
    """Queue *made*, a message that its caller built, as the e-mail *letter*, in the open transaction."""
    row = _stored(letter, made, keyring, now)
    row.save(force_insert=True)
    enqueue("mail.send", str(row.pk), not_before=now, priority=HIGH)


def _row(letter: Letter, keyring: Keyring, organisation: Organisation, sender: Address, now: dt.datetime) -> LetterRow:
    made = message(
        write(letter, organisation),
        name=organisation.name,
        sender=sender,
        to=Address.read(letter.to),
        language=language_of(letter.language),
        now=now,
        attachments=letter.attachments,
    )
    return _stored(letter, made, keyring, now)


def _stored(letter: Letter, made: Message, keyring: Keyring, now: dt.datetime) -> LetterRow:
    return LetterRow(
        once=letter.once,
        kind=letter.kind,
        about=letter.about,
        to=recipient_mark(made.to, keyring),
        language=language_of(letter.language),
        message_id=made.id,
        sealed=keyring.seal(packed(made), letter_context(letter.once)),
        queued_at=now,
        until=now + kinds()[letter.kind].lasts,
    )


def _sender(address: str) -> Address:
    try:
        return Address.read(address)
    except LetterRefused:
        raise LetterRefused(
            "e-mails need a sender address: set TROTH_MAIL_FROM, or organisation.email in the declaration"
        ) from None


def about_of(message_ids: Iterable[str], *, to: str, keyring: Keyring) -> str:
    """Reference of the e-mail to *to* that has one of these Message-IDs, the last of them first (``In-Reply-To`` and
    ``References`` name the nearest last): the subject of a reply. Empty if there is none.

    Message-IDs are random: only recipients, or those they showed an e-mail, know one. E-mails to other addresses, such
    as to staff about the same case, do not count.
    """
    wanted = list(message_ids)[-_REFERENCES_MAX:]
    mine = LetterRow.objects.filter(message_id__in=wanted, to=recipient_mark(to, keyring)) if wanted else ()
    found = {row.message_id: row.about for row in mine}
    return next((found[id_] for id_ in reversed(wanted) if id_ in found), "")


def recipient_mark(address: str, keyring: Keyring) -> str:
    """Pseudonym of the recipient in an e-mail's row (`LetterRow.to`)."""
    return keyring.pseudonym("mail", address.casefold()).text


def again(once: str, *, now: dt.datetime) -> None:
    """Requeue a failed e-mail, once the cause is fixed. Raises `LetterRefused` if there is none, or its message is
    gone."""
    row = LetterRow.objects.filter(once=once, state=State.FAILED, sealed__isnull=False).first()
    if row is None:
        raise LetterRefused("no failed e-mail with that key still has its message; write a new one")
    fresh = {"state": State.QUEUED, "ended_at": None, "until": now + kinds()[row.kind].lasts}
    with transaction.atomic():
        if LetterRow.objects.filter(pk=row.pk, state=State.FAILED).update(**fresh):
            enqueue("mail.send", str(row.pk), not_before=now, priority=HIGH)


def settle(once: str, *, now: dt.datetime) -> bool:
    """Note that the person of an e-mail that came back, or that a server refused, was reached in another way. False if
    there is none."""
    rows = LetterRow.objects.filter(LetterRow.unreached(), once=once)
    is_failed = rows.filter(state=State.FAILED).update(reason=REACHED, ended_at=now)
    return bool(is_failed or rows.update(reason=REACHED))


def packed(made: Message) -> bytes:
    return json.dumps([made.id, made.sender, made.to]).encode() + b"\n" + made.content


def unpacked(content: bytes) -> Message:
    envelope, _, body = content.partition(b"\n")
    id_, sender, to = json.loads(envelope)
    return Message(id_, sender, to, body)
