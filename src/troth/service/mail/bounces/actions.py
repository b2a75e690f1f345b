"""What a report about an e-mail changes: an address that is gone gets no more newsletters, a complaint is an objection,
and an owed e-mail that came back has failed. What is our own fault alarms staff; what is unsure waits for their
decision.

Reports are easily forged. One counts if it names a delivery of ours by its envelope or its Message-ID, which hold a
keyed token; by its address alone only if we sent something there lately, and is unsure if servers send reports to an
envelope sender of ours (`TROTH_MAIL_RETURN`).
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from troth.declaration import IdentityKind
from troth.service.configuration import setting
from troth.service.core.deployment import Deployment
from troth.service.duty import named
from troth.service.mail.actions import recipient_mark
from troth.service.mail.bounces import Outcome, Report, ReportKind, read_report, token_in
from troth.service.mail.bounces.alarms import alarm
from troth.service.mail.bulk.tokens import deliveries_named, delivery_of
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.models import RETURNED, EditionDelivery, LetterRow
from troth.service.preferences.actions import may_named, record_named
from troth.service.preferences.models import ChoiceState
from troth.service.preferences.rules import MARKETING, OWN_ACT, Scope, Source, fingerprints
from troth.subjects import IdentityRefused

_LOG = logging.getLogger("troth.mail")
_LATELY = dt.timedelta(days=30)
UNSURE = "?"
"""The end of what is noted of a report that a person has to decide about."""
FAILURES_MAX = 5
"""Editions in a row that came back as *later* before an address counts as gone."""
_STOPPING = {ReportKind.GONE: ChoiceState.UNDELIVERABLE, ReportKind.COMPLAINT: ChoiceState.COMPLAINED}


def take(message: MailboxMessage, deployment: Deployment, now: dt.datetime) -> bool:
    """Take a report about an e-mail that we sent, or an automatic reply, which changes nothing. What is neither is left
    to the next taker. Idempotent."""
    report = read_report(message.raw)
    if report.kind is not ReportKind.AUTO_REPLY:
        with transaction.atomic():
            for outcome in report.outcomes:
                if outcome.kind is not ReportKind.NONE or outcome.is_unsure:
                    _apply(report, outcome, deployment, now)
    return report.kind is not ReportKind.NONE


def _apply(report: Report, outcome: Outcome, deployment: Deployment, now: dt.datetime) -> None:
    letters = LetterRow.objects.filter(state=LetterRow.State.SENT).order_by("-ended_at")
    if letter := letters.filter(message_id=report.message_id).first() if report.message_id else None:
        _return(letter, outcome, deployment, is_named=True, now=now)
    elif delivery := (named := _named(report, outcome, deployment)) or _sent_to(outcome, deployment, now):
        if not outcome.is_delay:  # a final report follows, or none
            is_unsure = outcome.is_unsure or (named is None and _names_envelopes())
            note(delivery, outcome.kind, deployment, is_unsure=is_unsure, status=outcome.status, now=now)
    else:
        marks = [recipient_mark(it, deployment.keyring) for it in (outcome.address, outcome.final_address) if it]
        if letter := letters.filter(to__in=marks, ended_at__gt=now - _LATELY).first():
            _return(letter, outcome, deployment, is_named=False, now=now)
        elif outcome.kind is ReportKind.COMPLAINT:
            _LOG.info("a complaint arrived that is about no e-mail which we sent")


def _return(letter: LetterRow, outcome: Outcome, deployment: Deployment, *, is_named: bool, now: dt.datetime) -> None:
    """Note that an owed e-mail came back, or if that is not sure that it may have: its report says little, does not
    *name* it, or may speak of a delay. Duties are told, once."""
    if outcome.kind not in (ReportKind.GONE, ReportKind.LATER, ReportKind.OURS):
        return
    is_final = outcome.kind is not ReportKind.LATER or outcome.status.startswith("5")
    is_sure = is_named and is_final and not outcome.is_unsure
    if is_sure and outcome.kind is ReportKind.OURS:
        alarm(outcome.status, deployment, now=now)
    rows = LetterRow.objects.filter(pk=letter.pk, state=LetterRow.State.SENT)
    letter.reason = f"{RETURNED if is_sure else f'{RETURNED}?'} {outcome.status}".strip()[:40]
    if is_sure:
        is_new = rows.update(state=LetterRow.State.FAILED, reason=letter.reason, ended_at=now)
    else:
        is_new = rows.filter(reason="").update(reason=letter.reason)
    if is_new:
        _LOG.error("an e-mail that was owed %s", letter.reason)
        for follow in named("letter_returned"):
            follow(letter, deployment, now)


def _named(report: Report, outcome: Outcome, deployment: Deployment) -> EditionDelivery | None:
    """The delivery that *report* names with a token; if it is about several recipients, the one to the recipient of
    *outcome*."""
    keyring = deployment.keyring
    tokens = (token for address in report.sent_to if (token := token_in(address)) is not None)
    named = [pk for token in tokens if (pk := delivery_of(token, keyring)) is not None]
    deliveries = EditionDelivery.objects.filter(pk__in=[*named, *deliveries_named([report.message_id], keyring)])
    if len(report.outcomes) > 1:
        deliveries = deliveries.filter(fingerprint__in=_marks(outcome, deployment))
    return deliveries.first()


def _names_envelopes() -> bool:
    """Whether our messages have envelope senders of their own, to which servers send their reports."""
    server = settings.TROTH.mail
    return bool(setting("TROTH_MAIL_RETURN")) and not (server is not None and server.provider)


def _sent_to(outcome: Outcome, deployment: Deployment, now: dt.datetime) -> EditionDelivery | None:
    """The latest delivery to the recipient of *outcome*."""
    marks = _marks(outcome, deployment)
    sent = EditionDelivery.objects.filter(fingerprint__in=marks, handed_at__gt=now - _LATELY)
    return sent.order_by("-handed_at").first()


def _marks(outcome: Outcome, deployment: Deployment) -> list[str]:
    marks = []
    for address in filter(None, (outcome.address, outcome.final_address, outcome.header_address)):
        try:
            marks += fingerprints([(IdentityKind.EMAIL, address)], deployment.keyring)
        except IdentityRefused:
            continue
    return marks


def note(
    delivery: EditionDelivery,
    kind: ReportKind,
    deployment: Deployment,
    *,
    is_unsure: bool = False,
    status: str = "",
    actor: str = "rule",
    now: dt.datetime,
) -> None:
    """Note what became of *delivery*, in the open transaction: the address of one that is gone, or that failed too
    often, and one whose reader complained, get no more newsletters. Nobody is stopped by what is ours, which alarms
    staff, or by what is unsure, which waits for their decision (`UNSURE`)."""
    rows = EditionDelivery.objects.filter(pk=delivery.pk)
    if is_unsure:
        rows.filter(report="").update(report=f"{kind}{UNSURE}")
        return
    rows.update(report=str(kind))
    if kind is ReportKind.OURS:
        alarm(status, deployment, now=now)
    state = _STOPPING.get(kind)
    if kind is ReportKind.LATER and _fails(delivery):
        state = ChoiceState.UNDELIVERABLE
    if state is None:
        return
    lists = deployment.declaration.newsletters.values()
    wanted = {newsletter.purpose for newsletter in lists} | {delivery.edition.purpose} - {""}
    scopes = [MARKETING, *map(Scope.of, sorted(_open(delivery.fingerprint, wanted, state, deployment)))]
    source = Source("mail", f"report:{delivery.pk}", OWN_ACT if state is ChoiceState.COMPLAINED else actor)
    record_named([delivery.fingerprint], state, scopes, source, deployment.keyring, now=now)


def _open(fingerprint: str, purposes: Iterable[str], state: ChoiceState, deployment: Deployment) -> list[str]:
    """Those of *purposes* that nothing of this kind stops yet."""
    open_ = []
    for purpose in purposes:
        [permission] = may_named([fingerprint], purpose, deployment)
        if permission.row is None or permission.row.state != state:
            open_.append(purpose)
    return open_


def _fails(delivery: EditionDelivery) -> bool:
    """Whether this edition and the latest ones before it all came back as *later*; one that did not resets the count.
    Of a younger one, the report may not be here yet."""
    sent = EditionDelivery.objects.filter(fingerprint=delivery.fingerprint, handed_at__lte=delivery.handed_at)
    reports = list(sent.order_by("-handed_at").values_list("report", flat=True)[:FAILURES_MAX])
    return len(reports) == FAILURES_MAX and all(report == ReportKind.LATER for report in reports)
