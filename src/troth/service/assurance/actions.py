"""One pass over the promises (``troth keep``, and a job every few seconds): what changed in the declaration and the
policy, which controls are due, the status of each promise, tasks, and the ledger.

Passes may run at any time, on any number of machines at once. Controls are checked by jobs; a check's effects commit
together with the end of its job.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

from django.db import IntegrityError, connections, transaction
from django.db.models import Max

from troth.controls import Check, CheckSession, Status, answered
from troth.ledger import Hash
from troth.protect import Keyring
from troth.service.assurance import rules
from troth.service.assurance.control_inputs import look, register_answers
from troth.service.assurance.evaluation import judge_all
from troth.service.assurance.models import BindingRow, DeclaredRow
from troth.service.assurance.pushed_evidence import note_judged
from troth.service.assurance.reminders import remind, tell_tasks
from troth.service.assurance.rules import CHECK
from troth.service.core import checks, control_events, tasks
from troth.service.core.clock import Doubt, Pulse, beat
from troth.service.core.deployment import Context, Deployment, context
from troth.service.core.jobs.models import LOW, Job
from troth.service.core.jobs.queue import cancel, enqueue, hasten
from troth.service.core.jobs.running import RunningJob
from troth.service.core.key_registry import note_keys
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import record, sequence_if_sound
from troth.service.core.models import CheckRow
from troth.service.duty import named

PASS = "assurance.pass"  # noqa: S105 - a kind of job
PASS_EVERY = dt.timedelta(seconds=5)
_JUDGE_EVERY = dt.timedelta(seconds=30)
"""Longest delay of a status change that is due to time alone."""
_NEXT_PASS = dt.timedelta(microseconds=1)
AT_ONCE_EVERY = dt.timedelta(minutes=1)
"""Shortest interval between event-triggered checks of a control."""

Look = Callable[[Deployment, Keyring, dt.datetime], AbstractContextManager[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class KeepContext(Context):
    """Company, keyring, and a factory for what controls inspect."""

    look: Look = look

    @classmethod
    def open(cls) -> Self:
        """The context of this process. Raises `NoDeployment` and `ProtectError`."""
        known = context()
        return known if isinstance(known, cls) else cls(known.company, known.keyring, known.home)


class Last:
    """State of a process's last pass: if nothing changed since, comparing and judging are skipped. They are most of the
    cost of a pass."""

    def __init__(self) -> None:
        self.pulse = Pulse()
        self._seen: object = None
        self._at: dt.datetime | None = None

    def is_old(self, here: Deployment, now: dt.datetime) -> bool:
        """True if there may be something to judge: a new declaration, a check, or 30 s since the last time."""
        is_late = self._at is None or not dt.timedelta() <= now - self._at < _JUDGE_EVERY
        return is_late or self._seen != self._now(here)

    def note(self, here: Deployment, now: dt.datetime) -> None:
        """Note that everything has been judged at *now*."""
        self._seen, self._at = self._now(here), now

    @staticmethod
    def _now(here: Deployment) -> object:
        return here, CheckRow.objects.aggregate(Max("pk"))["pk__max"]


@dataclass(frozen=True, slots=True)
class PassState:
    """State after `prepare`: *is_old* if there may be something to judge."""

    doubt: Doubt | None
    is_old: bool


def prepare(office: KeepContext, now: dt.datetime, last: Last) -> PassState:
    """Note what changed in keys, declaration and policy, and make controls due that a change concerns. Idempotent.

    Raises `ProtectError` and Django's ``DatabaseError``.
    """
    here = office.company
    doubt = beat(now, last.pulse)
    register_answers()
    note_keys(office.keyring, now=now, field=here.declaration.cryptoperiods.field_lasts)
    is_old = last.is_old(here, now)
    if is_old:
        _note_declaration(here, now)
        for do in named("before_checks"):
            do(office, now)
        _note_bindings(here, now)
        _schedule(office, now)
        _hasten_outdated(office, now)
    _hasten_concerned(office, now)
    sequence_if_sound(ledger_signer(office.keyring, here.declaration.organisation), now=now)
    return PassState(doubt, is_old)


def conclude(office: KeepContext, now: dt.datetime, last: Last) -> tuple[tuple[str, Status], ...]:
    """Update statuses and reminders. Returns the sentences whose status changed, with the new status."""
    changed = judge_all(office.company, now)
    remind(office.company, now)
    last.note(office.company, now)
    return changed


def check_controls(office: KeepContext, jobs: Sequence[RunningJob]) -> list[Check]:
    """Run the control that each of *jobs* names; commit its check and the consequences together with the end of the
    job. An error in a control becomes a check with the outcome ``error``. Returns the checks.

    Raises Django's ``DatabaseError`` if our own database went away: then there is no check.
    """
    here, now, made = office.company, jobs[0].now, list[Check]()
    register_answers()
    wanted = asked(office, now)
    with CheckSession(lambda: _looking(office, now), here.declaration, now) as session:
        for job in jobs:
            if job.key in wanted:  # not removed from the declaration since
                job.go_on()
                made.append(_check(job, here, session))
    return made


def _schedule(office: KeepContext, now: dt.datetime) -> None:
    wanted = asked(office, now)
    known = set(Job.objects.filter(kind=CHECK).values_list("key", flat=True))
    enqueue(CHECK, *(wanted - known), not_before=now, priority=LOW)
    if known - wanted:
        cancel(CHECK, keeping=wanted)


def asked(office: KeepContext, now: dt.datetime) -> frozenset[str]:
    """Controls to run: those of promises, and those that duties ask for besides."""
    here, known = office.company, answered(office.company.declaration)
    return (here.bound | _unbound(office, now).keys()) & known


def _unbound(office: KeepContext, now: dt.datetime) -> Mapping[str, bool]:
    """Controls that duties ask for, each with whether its last check is out of date."""
    return {id_: is_old for asks in named("unbound") for id_, is_old in asks(office, now).items()}


def _hasten_outdated(office: KeepContext, now: dt.datetime) -> None:
    """Make due now every control last checked under another declaration or version, since that check proves nothing;
    and those whose check a duty says is out of date."""
    here, unbound = office.company, _unbound(office, now)
    for id_ in asked(office, now):
        last, seen_under = checks.latest(id_), (here.looked_at_hash, here.controls[id_].version)
        is_untrue = unbound.get(id_, False)
        if last is not None and (is_untrue or (last.declaration_hash, last.control_version) != seen_under):
            hasten(CHECK, [id_], at=now)


def _hasten_concerned(office: KeepContext, now: dt.datetime) -> None:
    """Make due now the controls affected by events since the last pass; those checked within the last minute, once it
    is over."""
    for event, upto in control_events.waiting().items():
        dates = {}
        for id_ in asked(office, now) & control_events.concerned(event):
            last = checks.latest(id_, retracted=True)
            dates[id_] = max(now, last.at + AT_ONCE_EVERY) if last is not None else now
        control_events.forward(event, upto, CHECK, dates)


@contextlib.contextmanager
def _looking(office: KeepContext, now: dt.datetime) -> Iterator[Mapping[str, object]]:
    """Control inputs for the calling thread; closes its connections to our own database at the end."""
    try:
        with office.look(office.company, office.keyring, now) as seen:
            yield seen
    finally:
        connections.close_all()


def _check(job: RunningJob, here: Deployment, session: CheckSession) -> Check:
    control = here.controls[job.key]
    check = session.ask(job.key)
    with transaction.atomic(durable=True):
        is_more = note_judged(check, here.declaration)
        changed = rules.check_changed(checks.latest(job.key, retracted=True), check)
        tell_tasks(tasks.follow(checks.keep(check)), here, control, check.at)
        if changed is not None:
            record(changed)
        job.finish(check.at + _NEXT_PASS if is_more else rules.next_check(control, check))
    return check


def _note_declaration(here: Deployment, now: dt.datetime) -> None:
    """Compare the declaration and policy with those last seen; record a change."""
    after = (here.declaration.hash, Hash.of(here.policy.source.encode()).text)
    with contextlib.suppress(IntegrityError), transaction.atomic(durable=True):
        row = DeclaredRow.objects.select_for_update().filter(pk=1).first()
        entry = rules.declared((row.declaration, row.policy) if row else None, after, here.declaration, now=now)
        if entry is not None:
            record(entry)
            hasten("core.witnesses", at=now)  # there may be others
            DeclaredRow(pk=1, declaration=after[0], policy=after[1]).save(force_insert=row is None)


def _note_bindings(here: Deployment, now: dt.datetime) -> None:
    """Compare the declaration's bindings with the last ones; record unbinding and loosening."""
    after = set(rules.bindings(here.declaration.promises, here.controls))
    with contextlib.suppress(IntegrityError), transaction.atomic(durable=True):  # as above: another process was first
        rows = BindingRow.objects.select_for_update().order_by("id")
        before = {rules.Binding(row.promise, row.control, tuple(row.terms.items())) for row in rows}
        if before != after:
            record(*rules.loosened(before, after, now=now))
            BindingRow.objects.all().delete()
            BindingRow.objects.bulk_create(
                [BindingRow(promise=b.promise, control=b.control, terms=dict(b.terms)) for b in after]
            )
