"""Requests that arrive by e-mail (clause C51): each message opens a case, once, and its clock starts on arrival.

Sender addresses are easily forged, so a message proves nothing. Anything that may do harm waits until the person opens
the link sent to that address; only harmless actions (stopping a use, complaints, questions) happen immediately.

Messages are untrusted input. A message that cannot be read or answered becomes a question for a handler, without an
address, and is not lost; and no message, however malformed, prevents later ones from being read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import email.policy
import email.utils
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import translation
from django.utils.translation import gettext

from troth.errors import TrothError
from troth.policy.parse.language import likeliest_language
from troth.service.cases import actions, lifecycle
from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.handling import case_types, handlings
from troth.service.cases.intake import receive
from troth.service.cases.intake.recognition import Recognised, recognise
from troth.service.cases.messages import write_staff
from troth.service.cases.models import Case, CaseEvent, CaseKind, CaseState, Channel, IngestedMessage
from troth.service.configuration import Mailbox, Settings
from troth.service.core import timestamps
from troth.service.core.deployment import Deployment, current
from troth.service.duty import named
from troth.service.mail.actions import about_of
from troth.service.mail.message import Address
from troth.service.mail.rules import LetterRefused
from troth.subjects import Identity, IdentityRefused

_LOG = logging.getLogger("troth.mailbox")
READ_AT = "mailbox:read"
"""When the mailbox was last read (`core.timestamps`)."""
UNREAD_MAX = dt.timedelta(minutes=30)
"""How long the mailbox may not answer, or nobody read it."""
_AT_ONCE = 100
_PASS_S_MAX = 30.0
"""Maximum duration of one pass; remaining messages are read in the next one."""
_READ_MAX, _HEADER_MAX, _PARTS_MAX = 512 * 1024, 4_000, 200
"""Limits on the part of a message that is read. Parsing time is quadratic in the length of headers and the number of
parts, and the text precedes attachments."""
_TEXT_MAX = 20_000
_A_DAY_MAX = 20
"""Maximum number of cases that messages of one address may open per day. Further messages go to a handler and get no
reply; only requests to stop a use are still executed immediately."""
_REFERENCE = re.compile(r"\b[A-Z]-\d{4}-\d{4,12}\b")
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")
_BAD_MAIL = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""Errors that the standard library's parser raises for malformed messages."""


@dataclass(frozen=True, slots=True)
class MailboxMessage:
    """One raw message in the mailbox. Its `repr` shows only its size."""

    raw: bytes
    at: dt.datetime
    done: Callable[[], None]
    """Marks the message as ingested; idempotent."""

    def __repr__(self) -> str:
        return f"MailboxMessage({len(self.raw)} bytes)"


class ImapMailbox(Protocol):
    """A mailbox, which yields messages that were not ingested yet, oldest first."""

    def letters(self, most: int) -> Iterator[MailboxMessage]: ...


@dataclass(frozen=True, slots=True)
class MailRead:
    """A parsed message. Its `repr` shows nothing."""

    sender: str
    """The address for replies; empty if it contains no valid one."""
    author: str
    """Its ``From`` header."""
    name: str
    subject: str
    text: str
    message_id: str
    is_automatic: bool
    references: tuple[str, ...] = field(default=())
    """Case references in its subject and text."""
    replies_to: tuple[str, ...] = field(default=())
    """Message-IDs to which it replies."""

    def __repr__(self) -> str:
        return "MailRead(…)"


def read_due(now: dt.datetime) -> None:
    """Ingest new messages, if a mailbox is configured and declared."""
    told: Settings = settings.TROTH
    deployment = current().without_own
    if told.mailbox is not None and deployment.declaration.requests.by_mail:
        read_mailbox(told.mailbox, deployment, now=now)
        timestamps.note(READ_AT, now)


def take_in(letter: MailboxMessage, deployment: Deployment, *, now: dt.datetime) -> list[Case]:
    """Open the cases that the message asks for, or attach it to the case that it replies to. Returns none for automatic
    messages.

    Each message is ingested exactly once, even after a crash: its fingerprint commits with the cases. A message that
    cannot be read or answered opens a case for a handler. Raises only for errors that the message did not cause; it
    then stays in the mailbox.
    """
    [mark] = deployment.keyring.fingerprints("arrived", [letter.raw])
    try:
        cases = _once(mark, letter, lambda: _cases_of(letter, deployment, now))
    except (OperationalError, InterfaceError):
        raise  # our own database is unavailable
    except Exception as error:  # noqa: BLE001 - whatever a letter breaks, the letters after it are read
        _LOG.warning("an e-mail could not be processed (%s): a handler gets it", type(error).__name__)
        cases = _once(mark, letter, lambda: [_for_a_handler(letter, "not_answered", deployment, now)])
    letter.done()
    return cases


def _once(mark: bytes, letter: MailboxMessage, treat: Callable[[], list[Case]]) -> list[Case]:
    """Call *treat* in one transaction with storing the message's fingerprint; return nothing if it was ingested
    before."""
    try:
        with transaction.atomic():
            arrived = IngestedMessage.objects.create(mark=mark, at=letter.at)
            cases = treat()
            if cases:
                IngestedMessage.objects.filter(pk=arrived.pk).update(case=cases[0])
            return cases
    except IntegrityError:
        if not IngestedMessage.objects.filter(mark=mark).exists():
            raise  # another constraint failed
        _LOG.info("an e-mail was processed before")
        return []


def _cases_of(letter: MailboxMessage, deployment: Deployment, now: dt.datetime) -> list[Case]:
    read = understood(letter.raw)
    if read is None:
        return [_for_a_handler(letter, "not_readable", deployment, now)]
    if read.is_automatic or _is_ours(read.sender, deployment):
        return []
    if not read.sender:
        return [_for_a_handler(letter, "no_sender", deployment, now, read=read)]
    if (known := _answered(read, letter.at, deployment, now)) is not None:
        return [known]
    content = CaseContent(
        address=read.sender,
        identifiers=_identifiers(read.sender),
        name=read.name,
        message=f"{read.subject}\n\n{read.text}".strip()[:_TEXT_MAX],
    )
    asked, left = _asked(recognise(read.subject, read.text))
    if _is_flood(content, deployment, now):
        stops = [one for one in asked if case_types()[one[1] or one[0]].stops_use]
        asked, left = stops, "too_many" if left or asked != stops else ""
        content = dataclasses.replace(content, address="")  # a forged sender must not flood a mailbox with our replies
    intakes = [
        receive.Intake(
            kind=kind,
            content=content,
            channel=Channel.MAIL,
            language=likeliest_language(read.text or read.subject, among=deployment.declaration.requests.languages),
            right=right,
            received_at=letter.at,
            why=why,
        )
        for kind, right, why in asked
    ]
    opened = receive.receive_all(intakes, deployment, now=now)
    return [*opened, _for_a_handler(letter, left, deployment, now, read=read)] if left else opened


def _asked(recognised: Recognised) -> tuple[list[tuple[CaseKind, str, str]], str]:
    """Cases to open for a message: kind, right, and the reason (code) for a prior review. Plus the reason for an extra
    case for a handler, because uncertain parts would be lost if all certain ones proceed."""
    if not recognised.rights:
        name = str(recognised.maybe[0]) if recognised.kind == CaseKind.REQUEST else ""
        return [(recognised.kind, name, "not_sure" if name else "")], ""
    asked = [(CaseKind.REQUEST, str(one), "" if recognised.is_sure(one) else "not_sure") for one in recognised.rights]
    is_read = any(why for _, _, why in asked)
    return asked, "asks_for_more" if recognised.maybe and not is_read else ""


def _for_a_handler(
    letter: MailboxMessage, why: str, deployment: Deployment, now: dt.datetime, *, read: MailRead | None = None
) -> Case:
    """Open a question for a handler, with the message as far as it can be shown, and without an address to which we
    could reply."""
    if read is not None:
        said = "\n\n".join(part for part in (read.author, read.subject, read.text) if part)
    else:
        said = _clean(letter.raw[:_TEXT_MAX].decode("utf-8", "replace"))
    content = CaseContent(
        identifiers=_identifiers(read.sender) if read is not None else (), message=said.strip()[:_TEXT_MAX]
    )
    intake = receive.Intake(
        kind=CaseKind.QUESTION,
        content=content,
        channel=Channel.MAIL,
        language=likeliest_language(said, among=deployment.declaration.requests.languages),
        received_at=letter.at,
        why=why,
    )
    return receive.receive(intake, deployment, now=now)


def _is_flood(content: CaseContent, deployment: Deployment, now: dt.datetime) -> bool:
    subject, since = lifecycle.subject_of(content, deployment), now - dt.timedelta(days=1)
    of_today = Case.objects.filter(subject=subject, channel=Channel.MAIL, received_at__gt=since)
    return bool(subject) and of_today.count() >= _A_DAY_MAX


def _identifiers(sender: str) -> tuple[tuple[str, str], ...]:
    with contextlib.suppress(IdentityRefused):
        Identity.of(email=sender)
        return (("email", sender),)
    return ()


def _is_ours(sender: str, deployment: Deployment) -> bool:
    organisation = deployment.declaration.organisation
    officer = organisation.officer.email if organisation.officer else ""
    return sender.casefold() in {organisation.email.casefold(), officer.casefold()} - {""}


def _is_theirs(case: Case, sender: str, deployment: Deployment) -> bool:
    if case.content is None:
        return False
    return SealedContent(deployment.keyring).content(case).address.casefold() == sender.casefold()


def _answered(read: MailRead, at: dt.datetime, deployment: Deployment, now: dt.datetime) -> Case | None:
    """Attach a message to a case with the same address, or return None. A reply to an e-mail of ours proves that its
    sender received it: it answers our question, or contests our answer. A case reference proves nothing, because
    references can be guessed; a message that only names one is stored with the case for a handler."""
    about = about_of(read.replies_to, to=read.sender, keyring=deployment.keyring).removeprefix("case:")
    for reference in dict.fromkeys(name for name in (about, *read.references) if name):
        case = Case.objects.select_related("key", "handler").filter(reference=reference).first()
        if case is None or not _is_theirs(case, read.sender, deployment):
            continue
        if case.state == CaseState.CLOSED:
            for handling in handlings() if reference == about else ():
                if opened := handling.contest(case, read.text, deployment, now=now, received_at=at):
                    return opened
            continue
        if case.state == CaseState.PAUSED and reference == about:
            return actions.resume(case.pk, read.text, deployment, who=lifecycle.SUBJECT, now=now)
        sealed = SealedContent(deployment.keyring).seal_note(case, read.text)
        CaseEvent.objects.create(case=case, at=now, what="wrote", actor="subject", note=sealed, is_internal=True)
        _alert(case, deployment, now)
        return case
    return None


def _alert(case: Case, deployment: Deployment, now: dt.datetime) -> None:
    """Notify staff of a message stored with a case, at most once a day."""
    organisation = deployment.declaration.organisation
    with translation.override(deployment.declaration.policy.language):
        what = gettext("An e-mail about a case waits to be read.")
    address = (case.handler.email if case.handler is not None else "") or organisation.email
    facts, again = {"what": what, "at": now}, f"wrote-{now:%Y-%m-%d}"
    write_staff(address, case, "staff_alert", deployment, facts, now=now, again=again)


# --- parsing ----------------------------------------------------------------------------------------------------------


class _Bounded(email.policy.EmailPolicy):
    """The standard policy, with limited header length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        return super().header_source_parse(["".join(sourcelines)[:_HEADER_MAX]])


def understood(raw: bytes) -> MailRead | None:
    """Parse a message; None if it is too malformed."""
    if raw.count(b"\n--", 0, _READ_MAX) > _PARTS_MAX:
        return None
    try:
        message = BytesParser(policy=_Bounded()).parsebytes(raw[:_READ_MAX])
        assert isinstance(message, EmailMessage), "that is what the policy makes"
        author = _header(message, "From")
        name, sender = email.utils.parseaddr(author)
        subject = _header(message, "Subject")[:300]
        answers = _header(message, "References") + _header(message, "In-Reply-To")
        text = _text(message)
        return MailRead(
            sender=_address(sender),
            author=author[:300],
            name=name[:200],
            subject=subject,
            text=text,
            message_id=_header(message, "Message-ID")[:300],
            is_automatic=_is_automatic(message),
            references=tuple(dict.fromkeys(_REFERENCE.findall(f"{subject}\n{text}")))[:5],
            replies_to=tuple(_MESSAGE_ID.findall(answers))[-20:],
        )
    except _BAD_MAIL:
        return None


def _address(sender: str) -> str:
    """Normalised *sender*; empty if no e-mail can be sent to it."""
    try:
        return Address.read(sender).text if len(sender) <= 254 else ""
    except LetterRefused:
        return ""


def _clean(text: str) -> str:
    """*text* without invisible characters: control characters and direction marks."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")


def _header(message: EmailMessage, name: str) -> str:
    try:
        return _clean(" ".join(str(message.get(name, "")).split()))
    except _BAD_MAIL:
        return ""


def _is_automatic(message: EmailMessage) -> bool:
    """True for automatic messages (RFC 3834), which must not be answered, so that no mail loop occurs."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no"):
        return True
    if _header(message, "Precedence").lower() in ("bulk", "list", "junk") or _header(message, "List-Id"):
        return True
    if _header(message, "Return-Path") == "<>" or _header(message, "X-Auto-Response-Suppress"):
        return True
    return message.get_content_type() in ("multipart/report", "message/delivery-status")


def _text(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        text = str(part.get_content())
    except _BAD_MAIL:
        payload = part.get_payload(decode=True)
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    if part.get_content_type() == "text/html":
        from selectolax.lexbor import LexborHTMLParser

        tree = LexborHTMLParser(text)
        tree.strip_tags(["script", "style"], recursive=True)
        text = tree.body.text(separator="\n") if tree.body else ""
    return re.sub(r"\n{3,}", "\n\n", _clean(text)).strip()[:_TEXT_MAX]


# --- mailboxes --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_mailbox(where: Mailbox) -> Iterator[ImapMailbox]:
    """Context manager: the configured mailbox. Raises `MailboxAway` if it does not answer."""
    if where.folder is not None:
        yield _Maildir(where)
        return
    from imap_tools import MailBox, MailBoxUnencrypted

    try:
        kind = MailBox if where.is_encrypted else MailBoxUnencrypted
        with kind(where.host, port=where.port, timeout=30).login(where.user, where.password, where.box) as box:
            yield _Imap(box)
    except (OSError, TrothError):
        raise
    except Exception as error:  # noqa: BLE001 - the library's own errors may quote what was sent
        raise MailboxAway(type(error).__name__) from None


class MailboxAway(TrothError):
    """The mailbox refused or closed the connection. Messages wait there, and their clocks run from arrival."""

    def __init__(self, why: str) -> None:
        super().__init__(f"reading the mailbox failed ({why}); check TROTH_MAILBOX_URL and the account")


class _Maildir:
    """A maildir: ingested messages move from ``new`` to ``cur`` and are marked as seen. It does not parse messages."""

    def __init__(self, where: Mailbox) -> None:
        assert where.folder is not None, "a maildir has a folder"
        self._folder = where.folder
        if not all((self._folder / part).is_dir() for part in ("new", "cur")):
            raise MailboxAway("no maildir")

    def letters(self, most: int) -> Iterator[MailboxMessage]:
        found = [path for part in ("new", "cur") for path in (self._folder / part).iterdir() if path.is_file()]
        fresh = [path for path in found if not path.name.startswith(".") and "S" not in self._flags(path)]
        for path in sorted(fresh, key=lambda path: path.name)[:most]:
            with contextlib.suppress(FileNotFoundError):  # another process has moved it meanwhile
                at = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
                yield MailboxMessage(path.read_bytes(), at, lambda path=path: self._mark(path))  # type: ignore[misc]

    @staticmethod
    def _flags(path: Path) -> str:
        return path.name.partition(":2,")[2]

    def _mark(self, path: Path) -> None:
        name = path.name.partition(":")[0]
        with contextlib.suppress(FileNotFoundError):
            path.rename(self._folder / "cur" / f"{name}:2,{''.join(sorted({*self._flags(path), 'S'}))}")


class _Imap:
    """An IMAP folder: ingested messages are marked as seen. It parses only the ``Received`` header."""

    def __init__(self, box: object) -> None:
        self._box = box

    def letters(self, most: int) -> Iterator[MailboxMessage]:
        from imap_tools import AND, MailMessageFlags

        box = self._box
        for uid in list(box.uids(AND(seen=False)))[:most]:  # type: ignore[attr-defined]
            _, answer = box.client.uid("fetch", uid, "(BODY.PEEK[])")  # type: ignore[attr-defined]
            for raw in [part[1] for part in answer if isinstance(part, tuple)][:1]:
                yield MailboxMessage(
                    raw,
                    _arrival(raw) or dt.datetime.now(dt.UTC),
                    lambda uid=uid: box.flag(uid, MailMessageFlags.SEEN, True),  # type: ignore[misc,attr-defined]
                )


def _arrival(raw: bytes) -> dt.datetime | None:
    """When our own server received the message: the topmost ``Received`` header, which the sender cannot forge."""
    with contextlib.suppress(*_BAD_MAIL):
        headers = BytesHeaderParser(policy=_Bounded()).parsebytes(raw[:_READ_MAX])
        at = email.utils.parsedate_to_datetime(str(headers.get("Received", "")).rpartition(";")[2].strip())
        return at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return None


def read_mailbox(where: Mailbox, deployment: Deployment, *, now: dt.datetime, most: int = _AT_ONCE) -> int:
    """Ingest up to *most* messages, for at most half a minute. Returns how many opened a case or were attached to
    one."""
    taken, begun = 0, time.monotonic()
    with open_mailbox(where) as box:
        for letter in box.letters(most):
            if any(take(letter, now) for take in named("inbox")):
                letter.done()
                taken += 1
            else:
                taken += bool(take_in(letter, deployment, now=now))
            if time.monotonic() - begun > _PASS_S_MAX:
                break
    return taken
