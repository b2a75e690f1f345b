"""One pass over the promises (``troth keep``, and a job every few seconds): what changed in the declaration and the
policy, which controls are due, the status of each promise, tasks, and the ledger.

Passes may run at any time, on any number of machines at once. Controls are checked by jobs; a check's effects commit
together with the end of its job.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, connections, transaction
from django.db.models import Max

from troth.controls import Check, CheckSession, Status, answered
from troth.ledger import Hash
from troth.service.assurance import rules
from troth.service.assurance.control_inputs import look, one_look, register_answers
from troth.service.assurance.evaluation import judge_all
from troth.service.assurance.models import BindingRow, DeclaredRow
from troth.service.assurance.pushed_evidence import note_judged
from troth.service.assurance.reminders import remind, tell_tasks
from troth.service.assurance.rules import CHECK
from troth.service.core import checks, control_events, tasks
from troth.service.core.clock import Doubt, Pulse, beat
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.models import LOW, Job
from troth.service.core.jobs.queue import cancel, enqueue, hasten
from troth.service.core.jobs.running import RunningJob
from troth.service.core.key_registry import note_keys
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import record, sequence_if_sound
from troth.service.core.models import CheckRow
from troth.service.duty import named
from troth.site import SiteSnapshot

PASS = "assurance.pass"  # noqa: S105 - a kind of job
PASS_EVERY = dt.timedelta(seconds=5)
_JUDGE_EVERY = dt.timedelta(seconds=30)
"""Longest delay of a status change that is due to time alone."""
_NEXT_PASS = dt.timedelta(microseconds=1)
AT_ONCE_EVERY = dt.timedelta(minutes=1)
"""Shortest interval between event-triggered checks of a control."""


class Last:
    """State of a process's last pass: if nothing changed since, comparing and judging are skipped. They are most of the
    cost of a pass."""

    def __init__(self) -> None:
        self.pulse = Pulse()
        self._seen: object = None
        self._at: dt.datetime | None = None

    def is_old(self, deployment: Deployment, now: dt.datetime) -> bool:
        """True if there may be something to judge: a new declaration, a check, or 30 s since the last time."""
        is_late = self._at is None or not dt.timedelta() <= now - self._at < _JUDGE_EVERY
        return is_late or self._seen != self._now(deployment)

    def note(self, deployment: Deployment, now: dt.datetime) -> None:
        """Note that everything has been judged at *now*."""
        self._seen, self._at = self._now(deployment), now

    @staticmethod
    def _now(deployment: Deployment) -> object:
        return deployment.declaration.hash, deployment.policy.source, CheckRow.objects.aggregate(Max("pk"))["pk__max"]


@dataclass(frozen=True, slots=True)
class PassState:
    """State after `prepare`: *is_old* if there may be something to judge."""

    doubt: Doubt | None
    is_old: bool


def prepare(deployment: Deployment, now: dt.datetime, last: Last) -> PassState:
    """Note what changed in keys, declaration and policy, and make controls due that a change concerns. Idempotent.

    Raises `ProtectError` and Django's ``DatabaseError``.
    """
    doubt = beat(now, last.pulse)
    register_answers()
    note_keys(deployment.keyring, now=now, field=deployment.declaration.cryptoperiods.field_lasts)
    is_old = last.is_old(deployment, now)
    if is_old:
        _note_declaration(deployment, now)
        for do in named("before_checks"):
            do(deployment, now)
        _note_bindings(deployment, now)
        _schedule(deployment, now)
        _hasten_outdated(deployment, now)
    _hasten_concerned(deployment, now)
    sequence_if_sound(ledger_signer(deployment.keyring, deployment.declaration.organisation), now=now)
    return PassState(doubt, is_old)


def conclude(deployment: Deployment, now: dt.datetime, last: Last) -> tuple[tuple[str, Status], ...]:
    """Update statuses and reminders. Returns the sentences whose status changed, with the new status."""
    changed = judge_all(deployment, now)
    remind(deployment, now)
    last.note(deployment, now)
    return changed


def check_controls(deployment: Deployment, jobs: Sequence[RunningJob]) -> list[Check]:
    """Run the control that each of *jobs* names; commit its check and the consequences together with the end of the
    job. An error in a control becomes a check with the outcome ``error``. Returns the checks.

    Raises Django's ``DatabaseError`` if our own database went away: then there is no check.
    """
    now, made = jobs[0].now, list[Check]()
    register_answers()
    wanted = asked(deployment, now)
    with (
        one_look(deployment, now) as site,
        CheckSession(lambda: _looking(deployment, now, site), deployment.declaration, now) as session,
    ):
        for job in jobs:
            if job.key in wanted:  # not removed from the declaration since
                job.go_on()
                made.append(_check(job, deployment, session))
    return made


def _schedule(deployment: Deployment, now: dt.datetime) -> None:
    wanted = asked(deployment, now)
    known = set(Job.objects.filter(kind=CHECK).values_list("key", flat=True))
    enqueue(CHECK, *(wanted - known), not_before=now, priority=LOW)
    if known - wanted:
        cancel(CHECK, keeping=wanted)


def asked(deployment: Deployment, now: dt.datetime) -> frozenset[str]:
    """Controls to run: those of promises, and those that duties ask for besides."""
    known = answered(deployment.declaration)
    return (deployment.bound | _unbound(deployment, now).keys()) & known


def _unbound(deployment: Deployment, now: dt.datetime) -> Mapping[str, bool]:
    """Controls that duties ask for, each with whether its last check is out of date."""
    return {id_: is_old for asks in named("unbound") for id_, is_old in asks(deployment, now).items()}


def _hasten_outdated(deployment: Deployment, now: dt.datetime) -> None:
    """Make due now every control last checked under another declaration or version, since that check proves nothing;
    and those whose check a duty says is out of date."""
    unbound = _unbound(deployment, now)
    for id_ in asked(deployment, now):
        last, seen_under = checks.latest(id_), (deployment.looked_at_hash, deployment.controls[id_].version)
        is_untrue = unbound.get(id_, False)
        if last is not None and (is_untrue or (last.declaration_hash, last.control_version) != seen_under):
            hasten(CHECK, [id_], at=now)


def _hasten_concerned(deployment: Deployment, now: dt.datetime) -> None:
    """Make due now the controls affected by events since the last pass; those checked within the last minute, once it
    is over."""
    for event, upto in control_events.waiting().items():
        dates = {}
        for id_ in asked(deployment, now) & control_events.concerned(event):
            last = checks.latest(id_, retracted=True)
            dates[id_] = max(now, last.at + AT_ONCE_EVERY) if last is not None else now
        control_events.forward(event, upto, CHECK, dates)


@contextlib.contextmanager
def _looking(deployment: Deployment, now: dt.datetime, site: SiteSnapshot | None) -> Iterator[Mapping[str, object]]:
    """Control inputs for the calling thread; closes its connections to our own database at the end."""
    try:
        with deployment.look(deployment, now) if deployment.look else look(deployment, now, site) as seen:
            yield seen
    finally:
        connections.close_all()


def _check(job: RunningJob, deployment: Deployment, session: CheckSession) -> Check:
    control = deployment.controls[job.key]
    check = session.ask(job.key)
    with transaction.atomic(durable=True):
        is_more = note_judged(check, deployment.declaration)
        before = checks.latest(job.key, retracted=True)
        changed = rules.check_changed(before, check)
        tell_tasks(tasks.follow(checks.keep(check)), deployment, control, check.at)
        if changed is not None:
            record(changed)
        job.finish(check.at + _NEXT_PASS if is_more else rules.next_check(control, check, before))
    return check


def _note_declaration(deployment: Deployment, now: dt.datetime) -> None:
    """Compare the declaration and policy with those last seen; record a change."""
    after = (deployment.declaration.hash, Hash.of(deployment.policy.source.encode()).text)
    with contextlib.suppress(IntegrityError), transaction.atomic(durable=True):
        row = DeclaredRow.objects.select_for_update().filter(pk=1).first()
        entry = rules.declared((row.declaration, row.policy) if row else None, after, deployment.declaration, now=now)
        if entry is not None:
            record(entry)
            hasten("core.witnesses", at=now)  # there may be others
            DeclaredRow(pk=1, declaration=after[0], policy=after[1]).save(force_insert=row is None)


def _note_bindings(deployment: Deployment, now: dt.datetime) -> None:
    """Compare the declaration's bindings with the last ones; record unbinding and loosening."""
    after = rules.bindings(deployment.declaration.promises, deployment.controls)
    with contextlib.suppress(IntegrityError), transaction.atomic(durable=True):  # as above: another process was first
        rows = BindingRow.objects.select_for_update().order_by("id")
        before = {(row.promise, row.control): row.terms for row in rows}
        if before != after:
            record(*rules.loosened(before, after, now=now))
            BindingRow.objects.all().delete()
            BindingRow.objects.bulk_create(
                BindingRow(promise=promise, control=control, terms=terms) for (promise, control), terms in after.items()
            )
