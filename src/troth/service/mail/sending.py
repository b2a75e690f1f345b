"""Sends each queued e-mail once, and notes what became of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.db import Error, close_old_connections, transaction

from troth.ledger import DeclaredName, Entry, Pseudonym, Value
from troth.protect import Keyring, OpenError
from troth.service.configuration import MailServer, Settings
from troth.service.core.clock import may_end
from troth.service.core.deployment import NoDeployment, current
from troth.service.core.jobs.running import LeaseLost, RunningJob
from troth.service.core.keys import keyring as open_keyring
from troth.service.core.ledger import record
from troth.service.database import may_pass, say_away
from troth.service.duty import named
from troth.service.mail.actions import letter_context, unpacked
from troth.service.mail.bounces import Judgement, ReportKind
from troth.service.mail.bounces.alarms import alarm
from troth.service.mail.message import Message
from troth.service.mail.models import LetterRow
from troth.service.mail.provider import Provider
from troth.service.mail.signatures.keys import signed
from troth.service.mail.smtp import Smtp
from troth.service.mail.transports import Doubtful, FolderTransport, MailTransport, MessageRefused, ServerUnreachable

_LOG = logging.getLogger("troth.mail")
_AWAY_S = 1.0
"""Retry interval while our own database is unavailable."""
_NO_WAY_WAIT = dt.timedelta(minutes=1)
_FAILED_KEEPS = dt.timedelta(days=30)
"""How long the message of a failed e-mail is kept for sending it again."""

State = LetterRow.State
T = TypeVar("T")


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


def _send(job: RunningJob, row: LetterRow, keyring: Keyring, transport: MailTransport) -> None:
    """Send one e-mail. Raises `LeaseLost` and `ServerUnreachable`."""
    if row.until <= job.now and may_end(job.now):
        _fail(job, row, row.reason or "too late")
        return
    try:
        # Signed now, not when it was queued: it may wait for days, or be sent again after weeks, and the record of a
        # replaced key leaves DNS.
        letter = signed(unpacked(keyring.unseal(bytes(row.sealed or b""), letter_context(row.once))), keyring)
    except OpenError:
        _fail(job, row, "message cannot be opened")
        return
    try:
        transport.hand_over(letter, lambda: _leave(job, row))
    except MessageRefused as error:
        reason, judged = error.reason, error.judged
        if error.for_good:
            note_surely(lambda: _fail(job, row, reason, judged))
        else:
            note_surely(lambda: _later(job, row, reason))
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
    said: dict[str, Value] = {
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


def _fail(job: RunningJob, row: LetterRow, reason: str, judged: Judgement | None = None) -> None:
    """Commit that an e-mail was not delivered, with what duties do about it: its person still has to be reached."""
    with transaction.atomic():
        job.finish()
        if LetterRow.objects.filter(pk=row.pk, ended_at=None).update(
            state=State.FAILED, ended_at=job.now, reason=reason
        ):
            row.state, row.reason = State.FAILED, reason
            _follow(row, judged, job.now)
    _LOG.error("e-mail %d (%s) could not be sent: %s", row.pk, row.kind, reason)


def _follow(row: LetterRow, judged: Judgement | None, now: dt.datetime) -> None:
    """Do in the open transaction what follows from an e-mail that failed."""
    try:
        deployment = current()
    except NoDeployment as missing:
        _LOG.error("nobody is alarmed of the e-mail that failed: %s", missing)
        return
    if judged is not None and judged.kind is ReportKind.OURS:
        alarm(judged.status, deployment, now=now)
    for follow in named("letter_returned"):
        follow(row, deployment, now)


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
