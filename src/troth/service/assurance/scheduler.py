"""Scheduler (``troth keep``): runs due controls, keeps the evidence, and updates statuses, tasks and the ledger.

`run_due` is one pass and may run at any time, on any number of machines at once: each control is claimed by one of
them, and a check's effects commit together with the end of its claim. `forever` repeats it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from django.db import Error, IntegrityError, close_old_connections, connections, transaction
from django.db.models import Max
from django.utils import timezone

from troth.controls import Check, CheckSession, Status, answered
from troth.ledger import Hash, LedgerError, WitnessRefused
from troth.protect import EPOCH_GRACE, Keyring, KeyState
from troth.service.assurance import rules
from troth.service.assurance.control_inputs import look, register_answers
from troth.service.assurance.evaluation import judge_all
from troth.service.assurance.models import BindingRow, DeclaredRow
from troth.service.assurance.pushed_evidence import note_judged
from troth.service.assurance.reminders import remind, tell_tasks
from troth.service.core import checks, control_events, scheduled_jobs, tasks
from troth.service.core.actions import resume_all
from troth.service.core.clock import Pulse, beat
from troth.service.core.deployment import Deployment, deployment
from troth.service.core.disposal import dispose
from troth.service.core.key_lifecycle import SEALED
from troth.service.core.key_registry import RESEALING, note_keys
from troth.service.core.keys import keyring, ledger_signer
from troth.service.core.ledger import DatabaseLog, clock_fault, record, sequence_if_sound
from troth.service.core.models import CheckRow
from troth.service.core.periodic_jobs import periodic_jobs
from troth.service.core.resealing import reseal
from troth.service.core.subject_keys import SubjectKeys, scrub
from troth.service.core.witnessing import show_outside
from troth.service.database import may_pass
from troth.service.mail.actions import deliver
from troth.service.policy_pages.offline_copy import copy_published
from troth.service.policy_pages.publication import CHANGES_PUBLISHED, has_turned, is_asked, publish
from troth.service.settings import TROTH
from troth.service.staff.actions import close_inactive

_LOG = logging.getLogger("troth.keep")
_PREFIX = "control:"
_DISPOSAL = "record:disposal"
_RUNS = "record:runs"
_EPOCHS = "record:epochs"
_SCRUBBING = "record:scrubbing"
_OUTSIDE = "record:outside"
_ACCOUNTS = "staff:accounts"
_HOURLY = dt.timedelta(hours=1)
_DAILY = dt.timedelta(days=1)
_RUNS_EVERY = dt.timedelta(minutes=2)
_OUTSIDE_EVERY = dt.timedelta(minutes=10)
_LEASE = dt.timedelta(minutes=15)
"""Longer than a check may take. A dead process blocks its control for this long at most."""
REST = dt.timedelta(seconds=5)
"""Pause between passes."""
_JUDGE_EVERY = dt.timedelta(seconds=30)
"""Longest delay of a status change that is due to time alone."""
_NEXT_PASS = dt.timedelta(microseconds=1)
AT_ONCE_EVERY = dt.timedelta(minutes=1)
"""Shortest interval between event-triggered checks of a control."""
_RESEALED_AT_ONCE = 20_000
"""Values resealed per pass, a few seconds of work."""


_left: deque[scheduled_jobs.Claim] = deque()
"""Finished claims that could not be released because our own database was unavailable."""


@dataclass(frozen=True, slots=True)
class KeepContext:
    """Company, keyring, and a factory for what controls inspect."""

    company: Deployment
    keyring: Keyring
    look: Callable[[Deployment, Keyring, dt.datetime], AbstractContextManager[Mapping[str, object]]] = look
    home: Path | None = None
    """Folder of the offline copy of the policy."""

    @classmethod
    def open(cls) -> Self:
        """The context from this process's settings. Raises `NoDeployment` and `ProtectError`."""
        return cls(deployment(TROTH), keyring(TROTH.home), home=TROTH.home)


@dataclass(frozen=True, slots=True)
class PassReport:
    """Result of one pass. *lost* counts checks whose lease expired before they were done; *promises_changed* are the
    sentences whose status changed, with the new status; *unsigned* tells why the ledger's checkpoint is not signed by
    us or an outsider, and what is wrong with the clock."""

    checks: tuple[Check, ...]
    lost: int
    promises_changed: tuple[tuple[str, Status], ...]
    entries_sequenced: int
    unsigned: tuple[str, ...] = ()


class Last:
    """State of a loop's last pass: if nothing changed since, comparing and judging are skipped. They are most of the
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


def run_due(
    now: dt.datetime,
    limit: int = 100,
    *,
    office: KeepContext | None = None,
    hasten: bool = False,
    last: Last | None = None,
) -> PassReport:
    """One pass: run up to *limit* controls due at *now*, judge every promise, sequence the ledger.

    With *hasten* every control is due, as after a fix. With *last*, unchanged state is not judged again.

    Idempotent, and safe beside any number of others. An error in a control becomes a check with the outcome ``error``.
    Raises `NoDeployment`, `ProtectError` and Django's ``DatabaseError``.
    """
    office, last = office or KeepContext.open(), last or Last()
    here = office.company
    while _left:
        scheduled_jobs.release(_left[0])
        _left.popleft()
    doubt = beat(now, last.pulse)
    register_answers()
    note_keys(office.keyring, now=now, field=here.declaration.cryptoperiods.field_lasts)
    is_old = last.is_old(here, now)
    if is_old:
        _note_declaration(here, now)
        publish(here, now)
        if office.home is not None:
            copy_published(office.home, timezone.localdate(now))
        _note_bindings(here, now)
        _schedule(here, now)
        _hasten_outdated(here, now)
    if hasten:
        scheduled_jobs.hasten(_PREFIX, at=now)
    _hasten_concerned(here, now)
    deliver(now, keyring=office.keyring, server=TROTH.mail)
    signer = ledger_signer(office.keyring, here.declaration.organisation)
    (sequenced, _), ran, lost = sequence_if_sound(signer, now=now), list[Check](), 0
    first = scheduled_jobs.next_due(now, prefix=_PREFIX)
    if first is not None and first <= now:  # inspecting opens every store
        with CheckSession(lambda: _looking(office, now), here.declaration, now) as sitting:
            for held in _claims(now, limit):
                try:
                    ran.append(_check(held, here, sitting))
                except scheduled_jobs.LeaseLost as error:
                    lost += 1
                    _LOG.warning("%s", error)
                except Error as away:
                    _give_back_later(held, away)
                    raise
    if doubt is None:
        _in_turn(_DISPOSAL, now, lambda: _dispose(here, now))
        _in_turn(_ACCOUNTS, now, lambda: _close_accounts(now))
    if office.keyring.chain is not None:
        if doubt is None:
            _in_turn(_EPOCHS, now, lambda: _roll_epochs(office.keyring, now))
        _in_turn(RESEALING, now, lambda: _reseal(office.keyring, now))
    _in_turn(_SCRUBBING, now, lambda: _scrub(now))
    _in_turn(_RUNS, now, lambda: _take_up_runs(office, now))
    for name, routine in periodic_jobs().items():
        _in_turn(name, now, partial(routine, now))
    changed: tuple[tuple[str, Status], ...] = ()
    if is_old or ran:
        changed = judge_all(here, now)
        remind(here, now)
        last.note(here, now)
    more, broken = sequence_if_sound(signer, now=now)
    unsigned = (broken,) if broken else tuple(_show_outside(here, DatabaseLog(signer), now))
    clock = clock_fault(now) or (str(doubt) if doubt is not None else "")
    return PassReport(tuple(ran), lost, changed, sequenced + more, (*([clock] if clock else []), *unsigned))


def forever(stop: threading.Event, *, clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
    """Repeat passes until *stop* is set. An error in a pass is logged, and the next pass retries."""
    last = Last()
    while not stop.is_set():
        try:
            run_due(clock(), last=last)
        except Exception:  # noqa: BLE001 - the loop outlives whatever a pass meets; the log has its type and place
            _LOG.exception("a pass of the scheduler failed; the next one follows in %g seconds", REST.total_seconds())
        finally:
            close_old_connections()
        stop.wait(REST.total_seconds())


def _schedule(here: Deployment, now: dt.datetime) -> None:
    wanted = {f"{_PREFIX}{id_}" for id_ in _asked(here, now)}
    scheduled_jobs.schedule(wanted, at=now)
    scheduled_jobs.forget(_PREFIX, keeping=wanted)


def _asked(here: Deployment, now: dt.datetime) -> frozenset[str]:
    """Controls to run: those of promises, and the one that opens a task for a withheld version."""
    known = answered(here.declaration)
    return here.bound & known | ({CHANGES_PUBLISHED} & known if is_asked(here, now) else frozenset())


def _hasten_outdated(here: Deployment, now: dt.datetime) -> None:
    """Make due now every control last checked under another declaration or version, since that check proves nothing;
    and the one about versions, if one was withheld or published since."""
    for id_ in _asked(here, now):
        last, seen_under = checks.latest(id_), (here.looked_at_hash, here.controls[id_].version)
        is_untrue = id_ == CHANGES_PUBLISHED and has_turned(here, last, now)
        if last is not None and (is_untrue or (last.declaration_hash, last.control_version) != seen_under):
            scheduled_jobs.hasten(f"{_PREFIX}{id_}", at=now)


def _hasten_concerned(here: Deployment, now: dt.datetime) -> None:
    """Make due now the controls affected by events since the last pass; those checked within the last minute, once it
    is over."""
    for event, upto in control_events.waiting().items():
        dates = {}
        for id_ in _asked(here, now):
            if event in here.controls[id_].on:
                last = checks.latest(id_, retracted=True)
                dates[f"{_PREFIX}{id_}"] = max(now, last.at + AT_ONCE_EVERY) if last is not None else now
        control_events.forward(event, upto, dates, now=now)


def _close_accounts(now: dt.datetime) -> dt.datetime:
    if closed := close_inactive(now):
        _LOG.info("closed %d inactive accounts", closed)
    return now + _HOURLY


def _in_turn(name: str, now: dt.datetime, do: Callable[[], dt.datetime]) -> None:
    """Run *do* if *name* is due, in one process at a time; it returns its next run. Errors are logged and retried in a
    few minutes, and do not stop the rest of the pass."""
    scheduled_jobs.schedule([name], at=now)
    for held in scheduled_jobs.claim(now, lease_for=_LEASE, prefix=name):
        try:
            again = do()
        except Exception:  # noqa: BLE001 - the rest of the pass outlives it; the log has its type and place
            _LOG.exception("%s failed and is retried in a few minutes", name)
            again = now + _RUNS_EVERY
        try:
            scheduled_jobs.finish(held, next_due=again)
        except scheduled_jobs.LeaseLost as lost:
            _LOG.warning("%s", lost)
        except Error as away:
            _give_back_later(held, away)
            raise


def _give_back_later(held: scheduled_jobs.Claim, error: Error) -> None:
    """Let the next pass release a claim that our unavailable database could not; it would block until its lease
    expires."""
    if may_pass(error):
        _left.append(held)


def _take_up_runs(office: KeepContext, now: dt.datetime) -> dt.datetime:
    """Finish runs on the company's stores whose process is gone."""
    for run_id, outcome in resume_all(office.company.declaration, office.keyring):
        _LOG.warning("run %s was resumed: %s", run_id, outcome)
    return now + _RUNS_EVERY


def _show_outside(here: Deployment, log: DatabaseLog, now: dt.datetime) -> Iterator[str]:
    """Have the declared outsiders sign the checkpoint, every few minutes, in one process; yields refusals."""
    declared = here.declaration.ledger
    if declared is None:
        return
    scheduled_jobs.schedule([_OUTSIDE], at=now)
    for held in scheduled_jobs.claim(now, lease_for=_LEASE, prefix=_OUTSIDE):
        try:
            for refused in show_outside(log, declared, here.declaration.folder, now=now):
                conflict = isinstance(refused, WitnessRefused) and refused.conflict
                _LOG.log(logging.ERROR if conflict else logging.WARNING, "the ledger: %s", refused)
                yield str(refused)
        except LedgerError as broken:  # nothing to show
            _LOG.error("the ledger: %s", broken)
            yield str(broken)
        scheduled_jobs.finish(held, next_due=now + _OUTSIDE_EVERY)


def _dispose(here: Deployment, now: dt.datetime) -> dt.datetime:
    """Delete expired rows of our own, every hour."""
    dispose(now, evidence=here.declaration.evidence.keep)
    return now + _HOURLY


def _roll_epochs(keyring: Keyring, now: dt.datetime) -> dt.datetime:
    """End the epoch of subject keys when it is over."""
    rolled = SubjectKeys(keyring).roll(now=now)
    if rolled.closed:
        _LOG.warning("%d subject keys cannot be opened and are left unchanged", rolled.closed)
    for info in rolled.destroyed:
        _LOG.info("%s is destroyed: earlier backups no longer open for people erased in that epoch", info.name)
    return now + _RUNS_EVERY


def _scrub(now: dt.datetime) -> dt.datetime:
    """Remove erased data from SQLite's WAL if a reader prevented that before or the process was killed."""
    if not scrub():
        _LOG.warning(
            "a reader of the database keeps erased rows in its write-ahead log; removing them is retried in a few "
            "minutes"
        )
    return now + _RUNS_EVERY


def _reseal(keyring: Keyring, now: dt.datetime) -> dt.datetime:
    """Continue resealing values of older field keys, a bounded part at a time.

    Runs daily, and again once slow processes must have stored what they sealed before a rotation.
    """
    assert keyring.chain is not None, "without one nothing is sealed under field keys"
    active = keyring.chain.active("field")
    if active is None:
        return now
    resealed = reseal(keyring, SEALED, most=_RESEALED_AT_ONCE)
    if resealed.closed:
        _LOG.warning("%d sealed values cannot be opened and stay under an older key", resealed.closed)
    if not resealed.finished or keyring.chain.active("field") != active:
        return now
    settled = active.since[KeyState.ACTIVE] + EPOCH_GRACE
    return settled if settled > now else now + _DAILY


def _claims(now: dt.datetime, limit: int) -> Iterator[scheduled_jobs.Claim]:
    """One claim at a time, so that a slow control blocks nothing on other machines."""
    for _ in range(limit):
        claimed = scheduled_jobs.claim(now, lease_for=_LEASE, prefix=_PREFIX)
        if not claimed:
            return
        yield claimed[0]


@contextlib.contextmanager
def _looking(office: KeepContext, now: dt.datetime) -> Iterator[Mapping[str, object]]:
    """Control inputs for the calling thread; closes its connections to our own database at the end."""
    try:
        with office.look(office.company, office.keyring, now) as seen:
            yield seen
    finally:
        connections.close_all()


def _check(held: scheduled_jobs.Claim, here: Deployment, sitting: CheckSession) -> Check:
    """Run the claimed control; commit its check and the consequences together with the end of the claim."""
    id_ = held.name.removeprefix(_PREFIX)
    check = sitting.ask(id_)
    with transaction.atomic(durable=True):
        scheduled_jobs.finish(held, next_due=rules.next_check(here.controls[id_], check))
        if note_judged(check, here.declaration):
            scheduled_jobs.hasten(held.name, at=check.at + _NEXT_PASS)
        changed = rules.check_changed(checks.latest(id_, retracted=True), check)
        tell_tasks(tasks.follow(checks.keep(check)), here, here.controls[id_], check.at)
        if changed is not None:
            record(changed)
    return check


def _note_declaration(here: Deployment, now: dt.datetime) -> None:
    """Compare the declaration and policy with those last seen; record a change."""
    after = (here.declaration.hash, Hash.of(here.policy.source.encode()).text)
    with contextlib.suppress(IntegrityError), transaction.atomic(durable=True):
        row = DeclaredRow.objects.select_for_update().filter(pk=1).first()
        entry = rules.declared((row.declaration, row.policy) if row else None, after, here.declaration, now=now)
        if entry is not None:
            record(entry)
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
