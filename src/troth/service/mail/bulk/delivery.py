"""Hands a group of an edition over, in waves of what may leave within a second.

Of a wave, whether each person still wants the message is looked up in the transaction that commits its hand-over: a
stop that commits before it stops the message, and one that commits later finds it handed over (`hold_choices`). What
of a wave has not left when its second is over goes back, and is looked up again; a message whose server is slow is
looked up by itself before its last byte.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from django.conf import settings
from django.db import Error, IntegrityError, transaction
from django.db.models import F, Min, QuerySet

from troth.service.configuration import setting
from troth.service.core.clock import may_end, uptime_s
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.running import RunningJob
from troth.service.mail.bounces import Judgement, ReportKind, judge
from troth.service.mail.bounces.actions import note as note_report
from troth.service.mail.bounces.alarms import alarm
from troth.service.mail.bulk import rates
from troth.service.mail.bulk.content import opened_keys
from troth.service.mail.bulk.ending import end_if_done
from troth.service.mail.bulk.kinds import OF_COMPANY, Doubt, EditionKind, EditionRecipient, EditionTemplate, kinds
from troth.service.mail.message import Message
from troth.service.mail.models import DeliveryGroup, Edition, EditionDelivery
from troth.service.mail.rules import LetterRefused
from troth.service.mail.sending import note_surely, way_out
from troth.service.mail.transports import Doubtful, MailError, MailTransport, MessageRefused, ServerUnreachable
from troth.service.preferences.actions import hold_choices, may_named
from troth.service.preferences.rules import Permission, Reason

_LOG = logging.getLogger("troth.mail")
State = EditionDelivery.State

_WAVE: Final = dt.timedelta(seconds=0.7)
"""How long one wave may take, so that a stop counts within a second."""
_BEGINS = dt.timedelta(seconds=0.5)
"""Within which the messages of a wave begin to leave."""
_AWAY_WAIT = dt.timedelta(minutes=1)
_BUSY = ("4.3.", "4.4.")
"""Statuses (RFC 3463) of refusals for now that are about the server or the connection."""
_BUSY_WAIT = dt.timedelta(seconds=30)
"""How long nothing leaves to a busy domain: less than a refused message waits, which must not hold up the others."""
_PAUSES = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""Pauses after each temporary refusal; the last one repeats."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How one delivery of a wave ended, or why it goes back; what the server's refusal says about the address, and the
    domain that is *busy*."""

    state: State
    reason: str = ""
    pause: dt.timedelta | None = None
    judged: Judgement | None = None
    busy: str = ""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One delivery of a wave that may leave: what its preflight said (*checked*), the *basis* on which it may, and how
    long after its wave began (*after_s*)."""

    delivery: EditionDelivery
    recipient: EditionRecipient
    message: Message
    checked: str
    basis: str = ""
    after_s: float = 0.0

    @property
    def domain(self) -> str:
        return self.message.to.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class _Wave:
    """Deliveries whose hand-over was committed together, at *handed_at*, which names it in their rows. Their slots
    count from *slots_s*, a little earlier than *begun_s*."""

    leaving: Sequence[_Candidate]
    handed_at: dt.datetime
    slots_s: float
    begun_s: float

    def is_over(self) -> bool:
        """Whether it has taken so long that a stop may have been committed since that does not count yet."""
        return uptime_s() - self.begun_s > _WAVE.total_seconds()

    def is_time_for(self, candidate: _Candidate) -> bool:
        """Wait until *candidate* may leave. False if the wave is over before or by then."""
        if not self.is_over() and (early_s := self.slots_s + candidate.after_s - uptime_s()) > 0:
            time.sleep(early_s)
        return not self.is_over()


class _Stopped(MailError):
    """Its person has stopped it while the server was slow."""


def deliver(job: RunningJob, deployment: Deployment, transport: MailTransport | None = None) -> None:
    """Hand over the group that *job* names, as far as it may leave now. Puts the job back for the rest. Raises
    `LeaseLost`, and the errors of the company's store."""
    group = DeliveryGroup.objects.select_related("edition").filter(pk=int(job.key)).first()
    if group is None:
        return
    edition, kind = group.edition, kinds()[group.edition.kind]
    _recover(group, kind, job)
    if not _goes_on(group, job.now):
        return  # it is enqueued again when the edition does
    if transport is None:
        if settings.TROTH.mail is None:
            job.put_back(_AWAY_WAIT)
            return
        transport = way_out(settings.TROTH.mail)
    template, keys = kind.template(edition, deployment), opened_keys(group, deployment.keyring)
    per_second = kind.per_second(edition, deployment)
    while True:
        job.go_on()
        now, waiting = job.now, list(group.deliveries.filter(state=State.QUEUED).order_by("position"))
        due = [delivery for delivery in waiting if not _waits(delivery, now)]
        if not due:
            break
        if edition.until is not None and edition.until <= now and may_end(now):
            _give_up(due, deployment, job)
            continue
        due = due[: rates.room(per_second, now=now, within=_BEGINS)]
        if not due:
            job.put_back(_WAVE)
            return
        recipients = kind.recipients(edition, [keys[delivery.position] for delivery in due], deployment)
        candidates = _candidates(due, recipients, template, job)
        if not candidates:
            continue
        wave = _commit(candidates, edition, job, deployment, per_second)
        if wave is None:
            _goes_on(group, job.now)
            return
        if not wave.leaving:
            job.put_back(_WAVE)
            return
        if not _hand_over(wave, transport, job, edition, deployment, kind.doubt):
            job.put_back(_AWAY_WAIT)
            return
    later = group.deliveries.filter(state=State.QUEUED).aggregate(at=Min("not_before"))["at"]
    if later is not None:
        job.put_back(max(later - job.now, _WAVE))
        return
    end_if_done(edition.pk, deployment.keyring, now=job.now)


def _recover(group: DeliveryGroup, kind: EditionKind, job: RunningJob) -> None:
    """Deliveries whose process died while it handed them over: the server may have them."""
    with transaction.atomic():
        job.lock()  # else another worker may be handing them over now
        left = group.deliveries.filter(state=State.HANDING_OVER)
        if kind.doubt == "repeat":
            left.update(state=State.QUEUED)
        else:
            left.update(state=State.IN_DOUBT, ended_at=job.now, reason="interrupted")


def _waits(delivery: EditionDelivery, now: dt.datetime) -> bool:
    """Whether its time has not come. One that is further ahead than any pause is of a clock that was wrong."""
    return delivery.not_before is not None and now < delivery.not_before <= now + _PAUSES[-1]


def _goes_on(group: DeliveryGroup, now: dt.datetime) -> bool:
    """Whether the edition is being sent. What is left of a cancelled one ends."""
    state = Edition.objects.values_list("state", flat=True).get(pk=group.edition_id)
    if state == Edition.State.CANCELLED:
        group.deliveries.filter(state=State.QUEUED).update(state=State.STOPPED, ended_at=now, reason="cancelled")
    return state == Edition.State.SENDING


def _candidates(
    due: Sequence[EditionDelivery],
    recipients: Sequence[EditionRecipient | None],
    template: EditionTemplate,
    job: RunningJob,
) -> list[_Candidate]:
    """Messages for those of *due* who are in the audience still; the others end."""
    candidates = []
    for delivery, recipient in zip(due, recipients, strict=True):
        if recipient is None:
            _end_queued([delivery], _Outcome(State.STOPPED, "not in the audience"), job)
            continue
        if recipient.fingerprint != delivery.fingerprint and not _renamed(delivery, recipient, job):
            _end_queued([delivery], _Outcome(State.STOPPED, "same address twice"), job)
            continue
        try:
            made = template.message(recipient, delivery)
            candidates.append(_Candidate(delivery, recipient, made.message, made.result))
        except LetterRefused:
            _end_queued([delivery], _Outcome(State.REFUSED, "not a valid message"), job)
    return candidates


def _renamed(delivery: EditionDelivery, recipient: EditionRecipient, job: RunningJob) -> bool:
    """Note that the row has another address by now; False if another delivery has it."""
    try:
        with transaction.atomic():
            job.lock()
            EditionDelivery.objects.filter(pk=delivery.pk).update(fingerprint=recipient.fingerprint)
    except IntegrityError:
        return False
    delivery.fingerprint = recipient.fingerprint
    return True


def _commit(
    candidates: Sequence[_Candidate], edition: Edition, job: RunningJob, deployment: Deployment, per_second: int
) -> _Wave | None:
    """Commit which of *candidates* are handed over now. None if the edition does not go on. Raises `LeaseLost`."""
    now, slots_s = job.now, uptime_s()
    with transaction.atomic():
        # The edition before the job, in the order in which `resume` locks them.
        sending = Edition.objects.select_for_update(no_key=True).filter(pk=edition.pk, state=Edition.State.SENDING)
        if not list(sending.values_list("pk")):
            return None
        job.lock()
        wanted = _wanted(candidates, edition, deployment, now)
        leaving = _within_rates(wanted, per_second, now)
        by_record = defaultdict[tuple[str, str, bool], list[int]](list)
        for candidate in leaving:
            record = candidate.basis, candidate.checked, candidate.message.is_counted
            by_record[record].append(candidate.delivery.pk)
        for (basis, checked, counted), keys in by_record.items():
            rows = EditionDelivery.objects.filter(pk__in=keys)
            rows.update(state=State.HANDING_OVER, handed_at=now, basis=basis, preflight=checked, is_counted=counted)
        return _Wave(leaving, now, slots_s, uptime_s())  # before it commits, because a stop may commit right after


def _wanted(
    candidates: Sequence[_Candidate], edition: Edition, deployment: Deployment, now: dt.datetime
) -> list[_Candidate]:
    """Those of *candidates* who may get it now; for the others it ends in the open transaction. What would count the
    reading of somebody who has withdrawn that consent meanwhile waits, and is made anew."""
    if not edition.purpose:
        return list(candidates)
    hold_choices([candidate.recipient.fingerprint for candidate in candidates])
    candidates = _countable(candidates, deployment)
    named = [candidate.recipient.fingerprint for candidate in candidates]
    wanted = []
    for candidate, permission in zip(candidates, may_named(named, edition.purpose, deployment), strict=True):
        if is_allowed(permission, candidate.recipient):
            wanted.append(replace(candidate, basis=permission.reason if permission.allowed else OF_COMPANY))
        else:
            rows = EditionDelivery.objects.filter(pk=candidate.delivery.pk)
            _end(rows, _Outcome(State.STOPPED, permission.reason), now)
    return wanted


def _countable(candidates: Sequence[_Candidate], deployment: Deployment) -> list[_Candidate]:
    """Those of *candidates* whose message counts nothing, or whose person consents to that still."""
    people = {it.recipient.fingerprint: it.recipient.tracking for it in candidates if it.recipient.tracking}
    withdrawn = set[str]()
    for purpose in set(people.values()):
        named = [name for name, own in people.items() if own == purpose]
        permissions = zip(named, may_named(named, purpose, deployment), strict=True)
        withdrawn |= {name for name, permission in permissions if permission.reason != Reason.GIVEN}
    return [it for it in candidates if it.recipient.fingerprint not in withdrawn]


def is_allowed(permission: Permission, recipient: EditionRecipient) -> bool:
    """Whether *recipient* may get an edition: nothing stops it, and consent that it needs is recorded, here or by the
    company."""
    return permission.allowed or (permission.reason == Reason.NO_CONSENT and recipient.has_consented)


def _within_rates(candidates: Sequence[_Candidate], per_second: int, now: dt.datetime) -> list[_Candidate]:
    """Those of *candidates* that may leave within the time of a wave, the first one first; their slots are reserved."""
    limits, domains = setting("TROTH_MAIL_RATES"), [candidate.domain for candidate in candidates]
    limited = {name: rate for name in domains if (rate := limits.get(name, limits.get("*")))}
    starts = rates.reserve(domains, limited | {rates.WAY_OUT: per_second}, now=now, within=_BEGINS)
    chosen = [
        replace(candidate, after_s=start.total_seconds())
        for candidate, start in zip(candidates, starts, strict=True)
        if start is not None
    ]
    return sorted(chosen, key=lambda candidate: candidate.after_s)


def _hand_over(
    wave: _Wave,
    transport: MailTransport,
    job: RunningJob,
    edition: Edition,
    deployment: Deployment,
    doubt: Doubt,
) -> bool:
    """Send the messages, and record what became of each. False if the server is away."""
    outcomes, is_there, busy = list[tuple[EditionDelivery, _Outcome]](), True, set[str]()
    for candidate in wave.leaving:
        outcome = _Outcome(State.QUEUED)
        if is_there and candidate.domain not in busy and wave.is_time_for(candidate):
            try:
                transport.hand_over(candidate.message, partial(_look_again, candidate, wave, edition, deployment))
                outcome = _Outcome(State.SENT)
            except _Stopped as stopped:
                outcome = _Outcome(State.STOPPED, stopped.reason)
            except (ServerUnreachable, Error) as error:
                # If the server breaks off at this message, others go first next time.
                is_there = False
                reason = error.reason if isinstance(error, ServerUnreachable) else "database away"
                outcome = _Outcome(State.QUEUED, reason, 2 * _AWAY_WAIT)
            except MessageRefused as error:
                outcome = _refused(candidate, error)
            except Doubtful as error:
                again = _later(candidate, error.reason)
                outcome = again if doubt == "repeat" else _Outcome(State.IN_DOUBT, error.reason)
            busy.add(outcome.busy)
        outcomes.append((candidate.delivery, outcome))
    note_surely(lambda: _note(outcomes, wave, deployment, now=job.now))
    return is_there


def _look_again(candidate: _Candidate, wave: _Wave, edition: Edition, deployment: Deployment) -> None:
    """The last step of a message whose server is slow: a stop since its hand-over was committed counts. Raises
    `_Stopped`."""
    if edition.purpose and wave.is_over():
        [permission] = may_named([candidate.recipient.fingerprint], edition.purpose, deployment)
        if not is_allowed(permission, candidate.recipient):
            raise _Stopped(permission.reason)


def _refused(candidate: _Candidate, error: MessageRefused) -> _Outcome:
    """What a refusal means. One for now that is not about the mailbox is the server's wish to get less."""
    judged = error.judged
    if error.for_good:
        return _Outcome(State.REFUSED, error.reason, judged=judged)
    again = _later(candidate, error.reason)
    is_busy = judged is not None and (judged.kind is ReportKind.OURS or judged.status.startswith(_BUSY))
    return replace(again, judged=judged, busy=candidate.domain if is_busy else "")


def _later(candidate: _Candidate, reason: str) -> _Outcome:
    return _Outcome(State.QUEUED, reason, _PAUSES[min(candidate.delivery.tries, len(_PAUSES) - 1)])


def _note(
    outcomes: Iterable[tuple[EditionDelivery, _Outcome]], wave: _Wave, deployment: Deployment, *, now: dt.datetime
) -> None:
    """Commit what became of a wave, also if another worker has the job by now. What that one has handed over again
    since, or shows as in doubt, does not go back."""
    by_outcome = dict[_Outcome, list[EditionDelivery]]()
    for delivery, outcome in outcomes:
        by_outcome.setdefault(outcome, []).append(delivery)
    with transaction.atomic():
        for outcome, deliveries in by_outcome.items():
            rows = EditionDelivery.objects.filter(pk__in=[it.pk for it in deliveries], handed_at=wave.handed_at)
            _end(rows.filter(state=State.HANDING_OVER) if outcome.state == State.QUEUED else rows, outcome, now)
            if outcome.busy:
                rates.put_off(outcome.busy, _BUSY_WAIT, now=now)
            judged = outcome.judged
            if judged is not None and outcome.state != State.QUEUED:
                _note_refused(deliveries, judged, deployment, now)
            elif judged is not None and judged.kind is ReportKind.OURS:
                alarm(judged.status, deployment, now=now)


def _note_refused(
    deliveries: Iterable[EditionDelivery], judged: Judgement, deployment: Deployment, now: dt.datetime
) -> None:
    for delivery in deliveries:
        is_unsure, status = judged.is_unsure, judged.status
        note_report(delivery, judged.kind, deployment, is_unsure=is_unsure, status=status, now=now)


def _give_up(deliveries: Sequence[EditionDelivery], deployment: Deployment, job: RunningJob) -> None:
    """End deliveries that were tried for long enough. An address whose server has refused it for now until then counts
    as one that takes it *later*, but for 4.7.x, which is ours. Raises `LeaseLost`."""
    with transaction.atomic():
        _end_queued(deliveries, _Outcome(State.REFUSED, "too late"), job)
        for delivery in deliveries:
            code, _, status = delivery.reason.partition(" ")
            if status.startswith("4.7."):
                alarm(status, deployment, now=job.now)
            elif code.startswith("4"):
                _note_refused([delivery], judge(delivery.reason), deployment, job.now)


def _end_queued(deliveries: Sequence[EditionDelivery], outcome: _Outcome, job: RunningJob) -> None:
    """End deliveries of which nothing was handed over. Raises `LeaseLost`."""
    with transaction.atomic():
        job.lock()
        rows = EditionDelivery.objects.filter(pk__in=[it.pk for it in deliveries], state=State.QUEUED)
        _end(rows, outcome, job.now)


def _end(rows: QuerySet[EditionDelivery], outcome: _Outcome, now: dt.datetime) -> None:
    rows.update(
        state=outcome.state,
        reason=outcome.reason,
        ended_at=None if outcome.state == State.QUEUED else now,
        not_before=now + outcome.pause if outcome.pause else None,
        tries=F("tries") + (1 if outcome.pause else 0),
    )
