"""Hands a group of an edition over, in waves of what may leave within a second.

Of a wave, whether each person still wants the message is looked up in the transaction that commits its hand-over: a
stop that commits before it stops the message, and one that commits later finds it handed over (`hold_choices`). What
of a wave has not left when its second is over goes back, and is looked up again.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q

from troth.service.configuration import setting
from troth.service.core.clock import may_end
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.running import LeaseLost, RunningJob
from troth.service.mail.actions import note_surely, way_out
from troth.service.mail.bounces import ReportKind
from troth.service.mail.bounces.actions import note as note_report
from troth.service.mail.bulk import rates
from troth.service.mail.bulk.content import opened_keys
from troth.service.mail.bulk.ending import end_if_done
from troth.service.mail.bulk.kinds import Doubt, EditionKind, EditionRecipient, EditionTemplate, kinds
from troth.service.mail.message import Message
from troth.service.mail.models import DeliveryGroup, Edition, EditionDelivery
from troth.service.mail.rules import LetterRefused
from troth.service.mail.transports import Doubtful, MailTransport, MessageRefused, ServerUnreachable
from troth.service.preferences.actions import hold_choices, may_named
from troth.service.preferences.rules import Permission, Reason

_LOG = logging.getLogger("troth.mail")
State = EditionDelivery.State

_WAVE: Final = dt.timedelta(seconds=0.7)
"""How long one wave may take, so that a stop counts within a second."""
_AWAY_WAIT = dt.timedelta(minutes=1)
_PAUSES = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""Pauses after each temporary refusal; the last one repeats."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How one delivery of a wave ended, or why it goes back; and what the server's refusal says about the address."""

    state: State
    reason: str = ""
    pause: dt.timedelta | None = None
    judged: ReportKind | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One delivery of a wave that may leave."""

    delivery: EditionDelivery
    recipient: EditionRecipient
    message: Message


def deliver(job: RunningJob, deployment: Deployment, transport: MailTransport | None = None) -> None:
    """Hand over the group that *job* names, as far as it may leave now. Puts the job back for the rest. Raises the
    errors of the company's store."""
    group = DeliveryGroup.objects.select_related("edition").filter(pk=int(job.key)).first()
    if group is None:
        return
    edition, kind = group.edition, kinds()[group.edition.kind]
    _recover(group, kind, job.now)
    if not _goes_on(group, job.now):
        return  # it is enqueued again when the edition does
    if transport is None:
        if settings.TROTH.mail is None:
            job.put_back(_AWAY_WAIT)
            return
        transport = way_out(settings.TROTH.mail)
    template, keys = kind.template(edition, deployment), opened_keys(group, deployment.keyring)
    while True:
        job.go_on()
        waiting = list(group.deliveries.filter(state=State.QUEUED).order_by("position"))
        due = [delivery for delivery in waiting if delivery.not_before is None or delivery.not_before <= job.now]
        if not due:
            break
        if edition.until is not None and edition.until <= job.now and may_end(job.now):
            _end(due, _Outcome(State.REFUSED, "too late"), job.now)
            continue
        recipients = kind.recipients(edition, [keys[delivery.position] for delivery in due], deployment)
        wave = _wave(due, recipients, template, job.now)
        if not wave:
            continue
        try:
            leaving = _commit(wave, edition, job, deployment, kind.per_second(edition, deployment))
        except LeaseLost as lost:
            _LOG.warning("%s", lost)
            return
        if leaving is None:
            _goes_on(group, job.now)
            return
        if not leaving:
            job.put_back(_WAVE)
            return
        if not _hand_over(leaving, transport, job, deployment, kind.doubt):
            job.put_back(_AWAY_WAIT)
            return
    later = group.deliveries.filter(state=State.QUEUED).aggregate(at=Min("not_before"))["at"]
    if later is not None:
        job.put_back(max(later - job.now, _WAVE))
        return
    end_if_done(edition.pk, deployment.keyring, now=job.now)


def _recover(group: DeliveryGroup, kind: EditionKind, now: dt.datetime) -> None:
    """Deliveries whose process died while it handed them over: the server may have them."""
    left = group.deliveries.filter(state=State.HANDING_OVER)
    if kind.doubt == "repeat":
        left.update(state=State.QUEUED)
    else:
        left.update(state=State.IN_DOUBT, ended_at=now, reason="interrupted")


def _goes_on(group: DeliveryGroup, now: dt.datetime) -> bool:
    """Whether the edition is being sent. What is left of a cancelled one ends."""
    state = Edition.objects.values_list("state", flat=True).get(pk=group.edition_id)
    if state == Edition.State.CANCELLED:
        group.deliveries.filter(state=State.QUEUED).update(state=State.STOPPED, ended_at=now, reason="cancelled")
    return state == Edition.State.SENDING


def _wave(
    due: Sequence[EditionDelivery],
    recipients: Sequence[EditionRecipient | None],
    template: EditionTemplate,
    now: dt.datetime,
) -> list[_Candidate]:
    """Messages for those of *due* who are in the audience still; the others end."""
    wave = []
    for delivery, recipient in zip(due, recipients, strict=True):
        if recipient is None:
            _end([delivery], _Outcome(State.STOPPED, "not in the audience"), now)
            continue
        if recipient.fingerprint != delivery.fingerprint and not _renamed(delivery, recipient):
            _end([delivery], _Outcome(State.STOPPED, "same address twice"), now)
            continue
        try:
            wave.append(_Candidate(delivery, recipient, template.message(recipient, delivery)))
        except LetterRefused:
            _end([delivery], _Outcome(State.REFUSED, "not a valid message"), now)
    return wave


def _renamed(delivery: EditionDelivery, recipient: EditionRecipient) -> bool:
    """Note that the row has another address by now; False if another delivery has it."""
    others = EditionDelivery.objects.filter(edition=delivery.edition_id, fingerprint=recipient.fingerprint)
    if others.exists():
        return False
    EditionDelivery.objects.filter(pk=delivery.pk).update(fingerprint=recipient.fingerprint)
    delivery.fingerprint = recipient.fingerprint
    return True


def _commit(
    wave: Sequence[_Candidate], edition: Edition, job: RunningJob, deployment: Deployment, per_second: int
) -> list[_Candidate] | None:
    """Commit which of *wave* are handed over now. None if the edition does not go on. Raises `LeaseLost`."""
    now = job.now
    with transaction.atomic():
        job.lock()
        if not Edition.objects.filter(pk=edition.pk, state=Edition.State.SENDING).exists():
            return None
        wanted = _wanted(wave, edition, deployment, now)
        leaving = _within_rates(wanted, per_second, now)
        rows = EditionDelivery.objects.filter(pk__in=[candidate.delivery.pk for candidate in leaving])
        rows.update(state=State.HANDING_OVER, handed_at=now)
        return leaving


def _wanted(wave: Sequence[_Candidate], edition: Edition, deployment: Deployment, now: dt.datetime) -> list[_Candidate]:
    """Those of *wave* who may get it now; for the others it ends in the open transaction."""
    if not edition.purpose:
        return list(wave)
    named = [candidate.recipient.fingerprint for candidate in wave]
    hold_choices(named)
    wanted = []
    for candidate, permission in zip(wave, may_named(named, edition.purpose, deployment), strict=True):
        if is_allowed(permission, candidate.recipient):
            wanted.append(candidate)
        else:
            _end([candidate.delivery], _Outcome(State.STOPPED, permission.reason), now)
    return wanted


def is_allowed(permission: Permission, recipient: EditionRecipient) -> bool:
    """Whether *recipient* may get an edition: nothing stops it, and consent that it needs is recorded, here or by the
    company."""
    return permission.allowed or (permission.reason == Reason.NO_CONSENT and recipient.has_consented)


def _within_rates(wave: Sequence[_Candidate], per_second: int, now: dt.datetime) -> list[_Candidate]:
    """As many of *wave* as may leave within its time; their slots are reserved."""
    limits = setting("TROTH_MAIL_RATES")
    by_domain = Counter(_domain(candidate) for candidate in wave)
    of_domains = {name: rate for name in by_domain if (rate := limits.get(name, limits.get("*")))}
    room = rates.reserve(by_domain, of_domains, now=now, within=_WAVE)
    chosen = []
    for candidate in wave:
        if room[_domain(candidate)] > 0:
            room[_domain(candidate)] -= 1
            chosen.append(candidate)
    granted = rates.reserve({rates.WAY_OUT: len(chosen)}, {rates.WAY_OUT: per_second}, now=now, within=_WAVE)
    return chosen[: granted[rates.WAY_OUT]]


def _domain(candidate: _Candidate) -> str:
    return candidate.message.to.rpartition("@")[2].lower()


def _hand_over(
    leaving: Sequence[_Candidate], transport: MailTransport, job: RunningJob, deployment: Deployment, doubt: Doubt
) -> bool:
    """Send the messages, and record what became of each. False if the server is away."""
    begun, outcomes = time.monotonic(), list[tuple[EditionDelivery, _Outcome]]()
    is_there = True
    for candidate in leaving:
        if not is_there or time.monotonic() - begun > _WAVE.total_seconds():
            outcomes.append((candidate.delivery, _Outcome(State.QUEUED)))
            continue
        try:
            transport.hand_over(candidate.message, lambda: None)
        except ServerUnreachable as error:
            is_there = False
            outcomes.append((candidate.delivery, _Outcome(State.QUEUED, error.reason)))
        except MessageRefused as error:
            outcomes.append((candidate.delivery, _refused(candidate, error)))
        except Doubtful as error:
            state = State.QUEUED if doubt == "repeat" else State.IN_DOUBT
            outcomes.append((candidate.delivery, _Outcome(state, error.reason)))
        else:
            outcomes.append((candidate.delivery, _Outcome(State.SENT)))
    note_surely(lambda: _note(outcomes, job, deployment))
    return is_there


def _refused(candidate: _Candidate, error: MessageRefused) -> _Outcome:
    if error.for_good:
        is_sure = error.judged is not None and not error.judged.is_unsure
        return _Outcome(State.REFUSED, error.reason, judged=error.judged.kind if error.judged and is_sure else None)
    return _Outcome(State.QUEUED, error.reason, _PAUSES[min(candidate.delivery.tries, len(_PAUSES) - 1)])


def _note(outcomes: Iterable[tuple[EditionDelivery, _Outcome]], job: RunningJob, deployment: Deployment) -> None:
    """Commit what became of a wave, also if another worker has the job by now."""
    now, by_outcome = job.now, dict[_Outcome, list[EditionDelivery]]()
    for delivery, outcome in outcomes:
        by_outcome.setdefault(outcome, []).append(delivery)
    with transaction.atomic():
        for outcome, deliveries in by_outcome.items():
            _end(deliveries, outcome, now)
            if outcome.judged is not None:
                for delivery in deliveries:
                    note_report(delivery, outcome.judged, deployment, now=now)


def _end(deliveries: Sequence[EditionDelivery], outcome: _Outcome, now: dt.datetime) -> None:
    is_back = outcome.state == State.QUEUED
    values: dict[str, object] = {
        "state": outcome.state,
        "reason": outcome.reason,
        "ended_at": None if is_back else now,
        "not_before": now + outcome.pause if outcome.pause else None,
    }
    rows = EditionDelivery.objects.filter(
        Q(ended_at=None) | Q(state=State.IN_DOUBT), pk__in=[one.pk for one in deliveries]
    )
    if outcome.pause is None:
        rows.update(**values)
        return
    for delivery in deliveries:
        rows.filter(pk=delivery.pk).update(**values, tries=delivery.tries + 1)
