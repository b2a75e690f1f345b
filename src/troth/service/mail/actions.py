"""Queues e-mails with the change that causes them, and sends each of them once."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.db import Error, close_old_connections, transaction

from troth.declaration import Organisation
from troth.ledger import DeclaredName, Entry, Pseudonym
from troth.ledger import Value as FieldValue
from troth.protect import Keyring, OpenError, SealingContext
from troth.service.configuration import MailServer, Settings
from troth.service.core.clock import may_end
from troth.service.core.jobs.models import HIGH
from troth.service.core.jobs.queue import enqueue
from troth.service.core.jobs.running import LeaseLost, RunningJob
from troth.service.core.keys import keyring as open_keyring
from troth.service.core.ledger import record
from troth.service.database import may_pass, say_away
from troth.service.mail.message import Address, Message, message
from troth.service.mail.message_kinds import kinds
from troth.service.mail.models import REACHED, RETURNED, LetterRow
from troth.service.mail.provider import Provider
from troth.service.mail.rules import Letter, LetterRefused, language_of, write
from troth.service.mail.signatures.keys import signed
from troth.service.mail.smtp import Smtp
from troth.service.mail.transports import Doubtful, FolderTransport, MailTransport, MessageRefused, ServerUnreachable

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
        sealed=keyring.seal(_packed(made), letter_context(letter.once)),
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


def send(jobs: Sequence[RunningJob], *, keyring: Keyring, transport: MailTransport) -> None:
    """Send the e-mails that *jobs* name, one by one over *transport*.

    If a process dies, the e-mail whose last byte the server may have received is sent again with the same Message-ID,
    and marked as repeated; no other e-mail is sent twice, and none is lost (docs/decisions/0012). E-mails that the
    server refuses permanently, or for too long, are marked as failed.
    """
    letters = LetterRow.objects.in_bulk([int(job.key) for job in jobs])
    unreachable = ""
    for job in jobs:
        row = letters.get(int(job.key))
        job.go_on()
        if row is not None and row.state == State.HANDING_OVER:  # of a worker that died: the server may have it
            LetterRow.objects.filter(pk=row.pk, state=State.HANDING_OVER).update(state=State.QUEUED, repeated=True)
        if unreachable:
            _wait(job, unreachable)
            continue
        try:
            if row is not None and row.ended_at is None:
                _send(job, row, keyring, transport)
        except LeaseLost as lost:
            _LOG.warning("%s", lost)
        except Error as away:
            if may_pass(away):  # whatever was handed over is recorded by now, so this one was not
                note_surely(partial(_note_unsent, job))
            raise
        except ServerUnreachable as error:
            unreachable = error.reason
            _LOG.warning("e-mails wait: %s", unreachable)
            _wait(job, unreachable)


def _wait(job: RunningJob, reason: str) -> None:
    """Put the e-mail back, untried. A worker that lost it must not: another may have handed it over by now."""
    with contextlib.suppress(LeaseLost), transaction.atomic():
        job.lock()
        LetterRow.objects.filter(pk=job.key, ended_at__isnull=True).update(state=State.QUEUED, reason=reason)
        job.put_back(_NO_WAY_WAIT)


def send_letters(jobs: Sequence[RunningJob]) -> None:
    """`send` with this process's settings, over this thread's connection; without a mail server, e-mails wait."""
    told: Settings = settings.TROTH
    if told.mail is not None:
        send(jobs, keyring=open_keyring(told.home), transport=way_out(told.mail))
        return
    for job in jobs:
        job.put_back(_NO_WAY_WAIT)


_ways = threading.local()


def way_out(server: MailServer) -> MailTransport:
    """One connection per thread: concurrent e-mails over one would be mixed up."""
    known: dict[MailServer, MailTransport] = _ways.__dict__.setdefault("known", {})
    if server not in known:
        known[server] = _opened(server)
    return known[server]


def _opened(server: MailServer) -> MailTransport:
    if server.provider:
        return Provider(server)
    return Smtp(server) if server.folder is None else FolderTransport(server.folder, maildir=server.maildir)


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
    """Note that the person of an e-mail that came back was reached in another way. False if none came back."""
    rows = LetterRow.objects.filter(once=once, reason__startswith=RETURNED)
    is_failed = rows.filter(state=State.FAILED).update(reason=REACHED, ended_at=now)
    return bool(is_failed or rows.update(reason=REACHED))


# --- one letter -----------------------------------------------------------------------------------------------------


def _send(job: RunningJob, row: LetterRow, keyring: Keyring, transport: MailTransport) -> None:
    """Send one e-mail. Raises `LeaseLost` and `ServerUnreachable`."""
    if row.until <= job.now and may_end(job.now):
        _fail(job, row, row.reason or "too late")
        return
    try:
        # Signed now, not when it was queued: it may wait for days, or be sent again after weeks, and the record of a
        # replaced key leaves DNS.
        letter = signed(_unpacked(keyring.unseal(bytes(row.sealed or b""), letter_context(row.once))), keyring)
    except OpenError:
        _fail(job, row, "message cannot be opened")
        return
    try:
        transport.hand_over(letter, lambda: _leave(job, row))
    except MessageRefused as error:
        reason, note = error.reason, _fail if error.for_good else _later
        note_surely(lambda: note(job, row, reason))
    except Doubtful as error:
        doubt = error.reason
        note_surely(lambda: _later(job, row, doubt, repeated=True))
    else:
        note_surely(lambda: _note_sent(job, row, keyring, letter))


def note_surely(note: Callable[[], T]) -> T:
    """Run *note*, repeating it while our own database is unavailable: the server has or may have the e-mail, and
    without a record it would be sent again. Nothing else could be done meanwhile."""
    while True:
        try:
            return note()
        except Error as away:
            if not may_pass(away):
                raise
            say_away(_LOG, "an e-mail was handed over, but the database did not answer; it is recorded once it does")
        close_old_connections()
        time.sleep(_AWAY_S)


def _leave(job: RunningJob, row: LetterRow) -> None:
    """Commit that the very next step may hand the e-mail over. Raises `LeaseLost`."""
    with transaction.atomic():
        job.lock()
        if not LetterRow.objects.filter(pk=row.pk, ended_at__isnull=True).update(state=State.HANDING_OVER):
            raise LeaseLost("a worker that had lost this e-mail has sent it after all")


def _note_sent(job: RunningJob, row: LetterRow, keyring: Keyring, letter: Message) -> None:
    """Commit the state, the ledger entry and the deletion of message and address together, also if another worker
    has the job by now: it finds the e-mail sent."""
    said: dict[str, FieldValue] = {
        "letter": DeclaredName(row.kind),
        "to": Pseudonym(row.to),
        "digest": keyring.digest("letter", letter.content),
    }
    case = row.about.removeprefix("case:")
    if case != row.about:
        said["case"] = keyring.pseudonym("case", case)
    now = job.now
    with transaction.atomic():
        done = LetterRow.objects.filter(pk=row.pk, ended_at__isnull=True).update(
            state=State.SENT, sealed=None, ended_at=now, reason=""
        )
        if done:
            record(Entry("letter.sent", now, said))
        with contextlib.suppress(LeaseLost):
            job.finish()


def _note_unsent(job: RunningJob) -> None:
    with contextlib.suppress(LeaseLost), transaction.atomic():
        job.lock()
        LetterRow.objects.filter(pk=job.key, state=State.HANDING_OVER).update(state=State.QUEUED)


def _fail(job: RunningJob, row: LetterRow, reason: str) -> None:
    with transaction.atomic():
        job.finish()
        LetterRow.objects.filter(pk=row.pk).update(state=State.FAILED, ended_at=job.now, reason=reason)
    _LOG.error("e-mail %d (%s) could not be sent: %s", row.pk, row.kind, reason)


def _later(job: RunningJob, row: LetterRow, reason: str, *, repeated: bool = False) -> None:
    mine = LetterRow.objects.filter(pk=row.pk, ended_at__isnull=True)
    with transaction.atomic():
        if repeated:
            mine.update(repeated=True)
        job.lock()
        mine.update(state=State.QUEUED, reason=reason)
        job.retry("not_accepted", until=row.until)


def forget_failed(now: dt.datetime) -> None:
    """Delete messages of e-mails that failed long ago; their rows stay."""
    old = LetterRow.objects.filter(state=State.FAILED, ended_at__lt=now - _FAILED_KEEPS, sealed__isnull=False)
    if old.exists() and may_end(now):
        old.update(sealed=None)


def _packed(made: Message) -> bytes:
    return json.dumps([made.id, made.sender, made.to]).encode() + b"\n" + made.content


def _unpacked(packed: bytes) -> Message:
    envelope, _, content = packed.partition(b"\n")
    id_, sender, to = json.loads(envelope)
    return Message(id_, sender, to, content)
