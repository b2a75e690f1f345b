"""What a report about an e-mail changes: an address that is gone gets no more newsletters, a complaint is an objection,
and an owed e-mail that came back has failed.

Reports are easily forged. One counts if it names a delivery of ours by its envelope or its Message-ID, which hold a
keyed token; by its address alone only if we sent something there lately.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Sequence

from django.db import transaction

from troth.declaration import IdentityKind
from troth.service.core.deployment import Deployment
from troth.service.mail.bounces import Outcome, Report, ReportKind, read_report, token_in
from troth.service.mail.bulk.tokens import deliveries_named, delivery_of
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.models import EditionDelivery, LetterRow
from troth.service.preferences.actions import may_named, record_named
from troth.service.preferences.models import ChoiceState
from troth.service.preferences.rules import MARKETING, OWN_ACT, Scope, Source, fingerprints
from troth.subjects import IdentityRefused

_LOG = logging.getLogger("troth.mail")
_LATELY = dt.timedelta(days=30)
FAILURES_MAX = 5
"""Editions in a row that came back as *later* before an address counts as gone."""
_STOPPING = {ReportKind.GONE: ChoiceState.UNDELIVERABLE, ReportKind.COMPLAINT: ChoiceState.COMPLAINED}


def take(message: MailboxMessage, deployment: Deployment, now: dt.datetime) -> bool:
    """Take a report about an e-mail of ours, or an automatic reply, which changes nothing. What is neither is left to
    the next taker. Idempotent."""
    report = read_report(message.raw)
    if report.kind is ReportKind.NONE:
        return False
    if report.kind is not ReportKind.AUTO_REPLY:
        with transaction.atomic():
            for outcome in report.outcomes:
                _apply(report, outcome, deployment, now)
    return True


def _apply(report: Report, outcome: Outcome, deployment: Deployment, now: dt.datetime) -> None:
    delivery = _delivery(report, outcome, deployment, now)
    if delivery is not None:
        note(delivery, outcome.kind, deployment, is_unsure=outcome.is_unsure, now=now)
        return
    letters = LetterRow.objects.filter(message_id=report.message_id, state=LetterRow.State.SENT)
    if report.message_id and outcome.kind in (ReportKind.GONE, ReportKind.OURS):
        code = f"came back {outcome.status}".strip()[:40]
        if letters.update(state=LetterRow.State.FAILED, reason=code, ended_at=now):
            _LOG.error("an e-mail that was owed came back: %s", code)


def _delivery(report: Report, outcome: Outcome, deployment: Deployment, now: dt.datetime) -> EditionDelivery | None:
    """The delivery that *outcome* is about."""
    keyring = deployment.keyring
    tokens = (token for address in report.sent_to if (token := token_in(address)) is not None)
    named = [pk for token in tokens if (pk := delivery_of(token, keyring)) is not None]
    if len(report.outcomes) == 1:
        named += deliveries_named([report.message_id], keyring)
        found = EditionDelivery.objects.filter(pk__in=named).first()
        if found is not None:
            return found
    marks = _marks([outcome.address, outcome.final_address, outcome.header_address], deployment)
    sent = EditionDelivery.objects.filter(fingerprint__in=marks, handed_at__gt=now - _LATELY)
    return sent.order_by("-handed_at").first()


def _marks(addresses: Sequence[str], deployment: Deployment) -> list[str]:
    marks = []
    for address in filter(None, addresses):
        try:
            marks += fingerprints([(IdentityKind.EMAIL, address)], deployment.keyring)
        except IdentityRefused:
            continue
    return marks


def note(
    delivery: EditionDelivery, kind: ReportKind, deployment: Deployment, *, is_unsure: bool = False, now: dt.datetime
) -> None:
    """Note what became of *delivery*, in the open transaction: the address of one that is gone, or that failed too
    often, and one whose reader complained, get no more newsletters. Nobody is stopped by what is ours, or unsure."""
    word = f"{kind}?" if is_unsure else str(kind)
    EditionDelivery.objects.filter(pk=delivery.pk).update(report=word)
    if is_unsure:
        return
    state = _STOPPING.get(kind)
    if kind is ReportKind.LATER and _fails(delivery.fingerprint):
        state = ChoiceState.UNDELIVERABLE
    if state is None:
        return
    lists = deployment.declaration.newsletters.values()
    wanted = {newsletter.purpose for newsletter in lists} | {delivery.edition.purpose} - {""}
    scopes = [MARKETING, *map(Scope.of, sorted(_open(delivery.fingerprint, wanted, state, deployment)))]
    actor = OWN_ACT if state is ChoiceState.COMPLAINED else "rule"
    source = Source("mail", f"report:{delivery.pk}", actor)
    record_named([delivery.fingerprint], state, scopes, source, deployment.keyring, now=now)


def _open(fingerprint: str, purposes: Iterable[str], state: ChoiceState, deployment: Deployment) -> list[str]:
    """Those of *purposes* that nothing of this kind stops yet."""
    open_ = []
    for purpose in purposes:
        [permission] = may_named([fingerprint], purpose, deployment)
        if permission.row is None or permission.row.state != state:
            open_.append(purpose)
    return open_


def _fails(fingerprint: str) -> bool:
    """Whether the latest editions to an address all came back as *later*; a delivery that did not resets the count."""
    sent = EditionDelivery.objects.filter(fingerprint=fingerprint, handed_at__isnull=False).order_by("-handed_at")
    reports = list(sent.values_list("report", flat=True)[:FAILURES_MAX])
    return len(reports) == FAILURES_MAX and all(report == ReportKind.LATER for report in reports)
