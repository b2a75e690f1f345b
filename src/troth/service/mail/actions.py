"""Queues e-mails with the change that causes them, and sends each of them once."""

from __future__ import annotations

import datetime as dt
import json
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.conf import settings
from django.db import Error, close_old_connections, transaction
from django.db.models import F, Q, QuerySet

from troth.declaration import Organisation
from troth.ledger import DeclaredName, Entry, Pseudonym
from troth.ledger import Value as FieldValue
from troth.protect import Keyring, OpenError, SealingContext
from troth.service.configuration import MailServer, ServiceError, Settings
from troth.service.core.clock import may_end
from troth.service.core.keys import keyring as open_keyring
from troth.service.core.ledger import record
from troth.service.database import may_pass, say_away
from troth.service.mail.message import Address, Message, message
from troth.service.mail.message_kinds import KINDS
from troth.service.mail.models import LetterRow
from troth.service.mail.rules import Letter, LetterRefused, language_of, write
from troth.service.mail.smtp import Smtp
from troth.service.mail.transports import Doubtful, FolderTransport, MailTransport, MessageRefused, ServerUnreachable

_LOG = logging.getLogger("troth.mail")
_AT_ONCE = 50
"""E-mails per claim."""
_LEASE = dt.timedelta(minutes=5)
"""Length of a claim; longer than a server may take to answer (`transports.ANSWER_S_MAX`)."""
_WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""Pauses after each temporary failure; the last one repeats."""
_REFERENCES_MAX = 50
_REST_S = 1.0
_REST_AFTER_ERROR_S = 30.0
_AWAY_S = 1.0
"""Retry interval while our own database is unavailable."""
_NO_WAY_WAIT = dt.timedelta(minutes=1)
_FAILED_KEEPS = dt.timedelta(days=30)
"""How long the message of a failed e-mail is kept for sending it again."""

State = LetterRow.State
T = TypeVar("T")


class LetterLost(ServiceError):
    """Another process has this e-mail now; leave it alone."""


def letter_context(once: str) -> SealingContext:
    """Sealing context of an e-mail's message."""
    return SealingContext(domain="mail", table="mail_letter", field="sealed", subject=once)


def post(
    letter: Letter, *, keyring: Keyring, organisation: Organisation, now: dt.datetime, sender: str | None = None
) -> LetterRow:
    """Write *letter* and queue it in the open transaction: it commits with that, or not at all.

    An existing e-mail with the same key is left unchanged. The sender is *organisation* at *sender*, else at the
    address of the settings or of the declaration. Raises `LetterRefused`.
    """
    known = LetterRow.objects.filter(once=letter.once).first()
    if known is not None:
        return known
    language, to = language_of(letter.language), Address.read(letter.to)
    made = message(
        write(letter, organisation),
        name=organisation.name,
        sender=_sender(sender or settings.TROTH.mail_from or organisation.email),
        to=to,
        language=language,
        now=now,
        attachments=letter.attachments,
    )
    row = LetterRow(
        once=letter.once,
        kind=letter.kind,
        about=letter.about,
        to=_mark(to.text, keyring),
        language=language,
        message_id=made.id,
        sealed=keyring.seal(_packed(made), letter_context(letter.once)),
        queued_at=now,
        due=now,
        until=now + KINDS[letter.kind].lasts,
    )
    # Another process may queue the same key now. The first one counts: the update writes only the key.
    [queued] = LetterRow.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["once"], update_fields=["once"]
    )
    return queued


def _sender(address: str) -> Address:
    try:
        return Address.read(address)
    except LetterRefused:
        raise LetterRefused(
            "e-mails need a sender address: set TROTH_MAIL_FROM, or organisation.email in the declaration"
        ) from None


def send_due(now: dt.datetime, *, keyring: Keyring, transport: MailTransport, most: int = 1_000) -> int:
    """Send up to *most* e-mails due at *now*, one by one over *transport*. Returns how many were sent.

    Any number of processes may do so at once; each e-mail is claimed by one. If a process dies, the e-mail whose last
    byte the server may have received is sent again with the same Message-ID, and marked as repeated; no other e-mail is
    sent twice, and none is lost (docs/decisions/0012). E-mails that the server refuses permanently, or for too long,
    are marked as failed.
    """
    _give_back_left()
    _let_failed_go(now)
    if not _due(now).exists():  # checked outside a transaction, which would lock SQLite
        return 0
    begun = time.monotonic()

    def clock() -> dt.datetime:
        return now + dt.timedelta(seconds=time.monotonic() - begun)

    sent = taken = 0
    while taken < most and (held := _claim(clock(), min(_AT_ONCE, most - taken))):
        taken += len(held)
        ends = clock() + _LEASE / 2
        for place, row in enumerate(held):
            if clock() >= ends:
                _release(held[place:])
                break
            try:
                sent += _send(row, keyring, transport, clock)
            except LetterLost as lost:
                _LOG.warning("%s", lost)
            except ServerUnreachable as error:
                _LOG.warning("%d e-mails wait: %s", len(held) - place, error.reason)
                _release(held[place:], due=clock() + _NO_WAY_WAIT, reason=error.reason)
                return sent
            except Error as away:
                if may_pass(away):  # accepted e-mails are recorded by now: see `_surely`
                    _left.append(row.lease)
                raise
    return sent


def deliver(now: dt.datetime, *, keyring: Keyring, server: MailServer | None) -> int:
    """`send_due` over this thread's connection to *server*; without a server, e-mails wait."""
    return 0 if server is None else send_due(now, keyring=keyring, transport=_way_out(server))


def forever(stop: threading.Event, *, clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
    """Send due e-mails repeatedly until *stop* is set, with this process's settings. Errors are logged, and the next
    pass retries."""
    told: Settings = settings.TROTH
    while not stop.is_set():
        try:
            deliver(clock(), keyring=open_keyring(told.home), server=told.mail)
        except Exception as error:  # noqa: BLE001 - the loop outlives whatever a pass meets; the log has its type and place
            if may_pass(error):
                say_away(_LOG, "the database did not answer; e-mails are sent once it does")
            else:
                _LOG.exception("sending e-mails failed; it continues in %g seconds", _REST_AFTER_ERROR_S)
                stop.wait(_REST_AFTER_ERROR_S)
        finally:
            close_old_connections()
        stop.wait(_REST_S)
    if told.mail is not None:
        _way_out(told.mail).close()


_ways_out = threading.local()


def _way_out(server: MailServer) -> MailTransport:
    """One connection per thread: concurrent e-mails over one would be mixed up."""
    known: dict[MailServer, MailTransport] = _ways_out.__dict__.setdefault("known", {})
    if server not in known:
        known[server] = (
            Smtp(server) if server.folder is None else FolderTransport(server.folder, maildir=server.maildir)
        )
    return known[server]


def about_of(message_ids: Iterable[str], *, to: str, keyring: Keyring) -> str:
    """Reference of the e-mail to *to* that has one of these Message-IDs, the last of them first (``In-Reply-To`` and
    ``References`` name the nearest last): the subject of a reply. Empty if there is none.

    Message-IDs are random: only recipients, or those they showed an e-mail, know one. E-mails to other addresses, such
    as to staff about the same case, do not count.
    """
    wanted = list(message_ids)[-_REFERENCES_MAX:]
    mine = LetterRow.objects.filter(message_id__in=wanted, to=_mark(to, keyring)) if wanted else ()
    found = {row.message_id: row.about for row in mine}
    return next((found[id_] for id_ in reversed(wanted) if id_ in found), "")


def _mark(address: str, keyring: Keyring) -> str:
    """Pseudonym of the recipient in an e-mail's row."""
    return keyring.pseudonym("mail", address.casefold()).text


def again(once: str, *, now: dt.datetime) -> None:
    """Requeue a failed e-mail, once the cause is fixed. Raises `LetterRefused` if there is none, or its message is
    gone."""
    row = LetterRow.objects.filter(once=once, state=State.FAILED, sealed__isnull=False).first()
    if row is None:
        raise LetterRefused("no failed e-mail with that key still has its message; write a new one")
    fresh = {"state": State.QUEUED, "ended_at": None, "due": now, "until": now + KINDS[row.kind].lasts, "tries": 0}
    LetterRow.objects.filter(pk=row.pk, state=State.FAILED).update(**fresh)


# --- one letter -----------------------------------------------------------------------------------------------------


def _send(row: LetterRow, keyring: Keyring, transport: MailTransport, clock: Callable[[], dt.datetime]) -> bool:
    """Send an e-mail that this process has claimed; True if it was sent. Raises `LetterLost` and
    `ServerUnreachable`."""
    if row.until <= clock() and may_end(clock()):
        return _fail(row, row.reason or "too late", clock())
    try:
        letter = _unpacked(keyring.unseal(bytes(row.sealed or b""), letter_context(row.once)))
    except OpenError:
        return _fail(row, "message cannot be opened", clock())
    try:
        transport.hand_over(letter, lambda: _leave(row, clock()))
    except MessageRefused as error:
        return _fail(row, error.reason, clock()) if error.for_good else _later(row, error.reason, clock())
    except Doubtful as error:
        doubt = error.reason
        return _surely(lambda: _later(row, doubt, clock(), repeated=True))
    _surely(lambda: _note_sent(row, keyring, letter, clock()))
    return True


def _surely(note: Callable[[], T]) -> T:
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


def _leave(row: LetterRow, now: dt.datetime) -> None:
    """Commit that the very next step may hand the e-mail over."""
    if not _mine(row).update(state=State.HANDING_OVER, lease_until=now + _LEASE):
        raise LetterLost(f"e-mail {row.pk} was taken over by another process: the lease on it expired")


def _note_sent(row: LetterRow, keyring: Keyring, letter: Message, now: dt.datetime) -> None:
    """Commit the state, the ledger entry and the deletion of message and address together. A process that took over the
    row finds it done."""
    said: dict[str, FieldValue] = {
        "letter": DeclaredName(row.kind),
        "to": Pseudonym(row.to),
        "digest": keyring.digest("letter", letter.content),
    }
    case = row.about.removeprefix("case:")
    if case != row.about:
        said["case"] = keyring.pseudonym("case", case)
    with transaction.atomic():
        done = LetterRow.objects.filter(pk=row.pk, ended_at__isnull=True).update(
            state=State.SENT, sealed=None, ended_at=now, tries=F("tries") + 1, reason="", **_FREE
        )
        if done:
            record(Entry("letter.sent", now, said))


def _fail(row: LetterRow, reason: str, now: dt.datetime) -> bool:
    if _mine(row).update(state=State.FAILED, ended_at=now, reason=reason, **_FREE):
        _LOG.error("e-mail %d (%s) could not be sent: %s", row.pk, row.kind, reason)
    return False


def _later(row: LetterRow, reason: str, now: dt.datetime, *, repeated: bool = False) -> bool:
    wait = _WAITS[min(row.tries, len(_WAITS) - 1)]
    mine = _mine(row)
    if repeated:
        mine.update(repeated=True)
    mine.update(state=State.QUEUED, due=min(now + wait, row.until), tries=F("tries") + 1, reason=reason, **_FREE)
    return False


# --- claims ---------------------------------------------------------------------------------------------------------

_FREE = {"lease": "", "lease_until": None}
_left: deque[str] = deque()
"""Leases that could not be released because our own database was unavailable: none of their e-mails is being sent."""


def _give_back_left() -> None:
    """Release claims of this process that remained when our own database was unavailable."""
    while _left:
        lease = _left.popleft()
        try:
            LetterRow.objects.filter(lease=lease, ended_at__isnull=True).update(state=State.QUEUED, **_FREE)
        except Error:
            _left.append(lease)
            raise


def _claim(now: dt.datetime, most: int) -> list[LetterRow]:
    """Claim due, free e-mails. One that a dead process may have given to the server is marked as repeated."""
    lease, until = secrets.token_hex(16), now + _LEASE
    try:
        with transaction.atomic():
            # PostgreSQL skips rows that others are claiming; SQLite has one writer at a time anyway.
            rows = list(_due(now).select_for_update(skip_locked=True).order_by("due", "id")[:most])
            keys = [row.pk for row in rows]
            LetterRow.objects.filter(pk__in=keys, state=State.HANDING_OVER).update(state=State.QUEUED, repeated=True)
            LetterRow.objects.filter(pk__in=keys).update(lease=lease, lease_until=until)
    except Error:
        _left.append(lease)  # it may have committed
        raise
    for row in rows:
        row.lease = lease
    return rows


def _due(now: dt.datetime) -> QuerySet[LetterRow]:
    free = Q(lease="") | Q(lease_until__lte=now)
    return LetterRow.objects.filter(free, ended_at__isnull=True, due__lte=now)


def _mine(row: LetterRow) -> QuerySet[LetterRow]:
    return LetterRow.objects.filter(pk=row.pk, lease=row.lease, ended_at__isnull=True)


def _release(rows: Iterable[LetterRow], **more: object) -> None:
    """Release e-mails untried."""
    held = list(rows)
    LetterRow.objects.filter(pk__in=[row.pk for row in held], lease=held[0].lease, ended_at__isnull=True).update(
        state=State.QUEUED, **_FREE, **more
    )


def _let_failed_go(now: dt.datetime) -> None:
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
