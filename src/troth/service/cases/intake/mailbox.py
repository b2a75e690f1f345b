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
import logging
from collections.abc import Callable

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import translation
from django.utils.translation import gettext

from troth.declaration import Declaration
from troth.policy.parse.language import likeliest_language
from troth.service.cases import actions, lifecycle
from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.handling import case_types, handlings
from troth.service.cases.intake import receive
from troth.service.cases.intake.recognition import Recognised, recognise
from troth.service.cases.messages import alert_staff
from troth.service.cases.models import Case, CaseEvent, CaseKind, CaseState, Channel, IngestedMessage, Right
from troth.service.core.deployment import Deployment
from troth.service.mail.actions import about_of
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.inbox.parsing import TEXT_MAX, MailRead, without_invisible
from troth.service.mail.stops.actions import has_other_systems
from troth.service.mail.stops.inbox import stop_in
from troth.service.mail.stops.recognition import StopIntent, StopRequest
from troth.subjects import Identity, IdentityRefused

_LOG = logging.getLogger("troth.mailbox")
_A_DAY_MAX = 20
"""Maximum number of cases that messages of one address may open per day. Further messages go to a handler and get no
reply; only requests to stop a use are still executed immediately."""


def take(letter: MailboxMessage, deployment: Deployment, now: dt.datetime) -> bool:
    """Take any message, if requests by e-mail are declared: the last taker (`take_in`)."""
    if not deployment.declaration.requests.by_mail:
        return False
    take_in(letter, deployment, now=now)
    return True


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
    read = letter.parsed
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
        message=f"{read.subject}\n\n{read.text}".strip()[:TEXT_MAX],
    )
    asked, left = _asked(recognise(read.subject, read.text), stop_in(read, deployment), deployment.declaration)
    if _is_flood(content, deployment, now):
        stops = [one for one in asked if _stops(one[1] or one[0])]
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


def _asked(
    recognised: Recognised, stop: StopRequest, declaration: Declaration
) -> tuple[list[tuple[CaseKind, str, str]], str]:
    """Cases to open for a message: kind, right, and the reason (code) for a prior review. Plus the reason for an extra
    case for a handler, because uncertain parts would be lost if all certain ones proceed. A clear *stop* is recorded
    already (`mail.stops.inbox`); it opens a case where other systems must follow it."""
    is_clear, may_stop = stop.intent is StopIntent.STOP, stop.intent is StopIntent.MAYBE
    name = str(recognised.maybe[0]) if recognised.kind == CaseKind.REQUEST and not recognised.rights else ""
    doubt = "not_sure" if name else "may_stop" if may_stop else ""
    rights = [(CaseKind.REQUEST, str(one), "" if recognised.is_sure(one) else "not_sure") for one in recognised.rights]
    asked = rights or [(recognised.kind, name, doubt)]
    is_stop = any(_stops(right or kind) for kind, right, _ in asked)
    asked = [(kind, right, "" if is_clear and _stops(right or kind) else why) for kind, right, why in asked]
    if is_clear and not is_stop and has_other_systems(declaration):
        rest = asked if rights or stop.asks_more or recognised.kind != CaseKind.QUESTION else []
        asked, is_stop = [(CaseKind.REQUEST, str(Right.OBJECT), ""), *rest], True
    if any(why for _, _, why in asked):
        return asked, ""
    if stop.asks_more and all(_stops(right or kind) for kind, right, _ in asked):
        return asked, "asks_for_more"
    return asked, "asks_for_more" if rights and recognised.maybe else "may_stop" if may_stop and not is_stop else ""


def _stops(name: str) -> bool:
    return case_types()[name].stops_use


def _for_a_handler(
    letter: MailboxMessage, why: str, deployment: Deployment, now: dt.datetime, *, read: MailRead | None = None
) -> Case:
    """Open a question for a handler, with the message as far as it can be shown, and without an address to which we
    could reply."""
    if read is not None:
        said = "\n\n".join(part for part in (read.author, read.subject, read.text) if part)
    else:
        said = without_invisible(letter.raw[:TEXT_MAX].decode("utf-8", "replace"))
    content = CaseContent(
        identifiers=_identifiers(read.sender) if read is not None else (), message=said.strip()[:TEXT_MAX]
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
    with translation.override(deployment.declaration.policy.language):
        what = gettext("An e-mail about a case waits to be read.")
    alert_staff(case, what, deployment, now=now, again=f"wrote-{now:%Y-%m-%d}")
