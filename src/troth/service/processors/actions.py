"""Keeps mailing lists of processors in sync, in both directions.

All that changes a list is done by one job for each list, so that an addition and a stop never overtake each other: a
person is written down before they are added, and whoever is written down is looked at again after a choice of theirs.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from troth.declaration import Basis, IdentityKind, ListSync, System
from troth.ledger import DeclaredName, Entry
from troth.ledger import Value as EntryValue
from troth.protect import Keyring, SealingContext
from troth.service.core import control_events
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.models import HIGH
from troth.service.core.jobs.queue import enqueue
from troth.service.core.ledger import record
from troth.service.core.tombstones import Tombstones
from troth.service.preferences.actions import may_named, record_choices
from troth.service.preferences.models import ChoiceState
from troth.service.preferences.rules import SUPPRESSIONS, Scope, Source, fingerprints
from troth.service.processors.models import ListedPerson, ListEvent, SyncedList
from troth.service.processors.rules import (
    ADDING,
    GONE,
    Action,
    Standing,
    ToldEvent,
    choice_of,
    decide,
    read_event,
    stop_of,
)
from troth.stores import MailchimpList, Member, MemberStatus, is_mailed, member_id, open_mailing_list
from troth.subjects import Identity, IdentityRefused

_LOG = logging.getLogger("troth.processors")
SYNC: Final = "processors.sync"
RECONCILED_EVERY, CHANGES_EVERY = dt.timedelta(hours=20), dt.timedelta(hours=1)
_OVERLAP = dt.timedelta(minutes=10)
"""How far behind the last look the next one begins: what was written is not visible at once, and clocks differ."""
_ROWS = 500
_SCANNED = 5_000


def lists_of(deployment: Deployment) -> dict[str, tuple[System, ListSync]]:
    """The systems that are lists to be kept in sync, by name."""
    return {
        name: (system, system.asked.sync)
        for name, system in deployment.declaration.systems.items()
        if system.asked is not None and system.asked.sync is not None
    }


def secret_of(name: str, keyring: Keyring) -> str:
    """The secret part of the address that the processor of a list calls."""
    return str(keyring.digest("processors.webhook", name)).partition(":")[2]


def webhook_of(name: str, deployment: Deployment) -> str:
    """The URL that the processor of a list calls."""
    return deployment.site + reverse("processors-mailchimp", args=[secret_of(name, deployment.keyring)])


# --- what happened here, in the transaction in which it happens


def choices_changed(people: Collection[str], now: dt.datetime) -> None:
    """Have people looked at again on the lists where they are, of whom choices changed."""
    _look_again(people, now)


def people_erased(people: Collection[str], now: dt.datetime) -> None:
    """Have erased people deleted on the lists where they are."""
    _look_again(people, now, is_erased=True, since=now)


def _look_again(people: Collection[str], now: dt.datetime, **changes: object) -> None:
    several, systems = sorted(people), set[str]()
    for start in range(0, len(several), _ROWS):
        rows = ListedPerson.objects.filter(fingerprint__in=several[start : start + _ROWS])
        systems |= set(rows.values_list("system", flat=True))
        rows.update(due=F("due") + 1, due_at=Coalesce("due_at", Value(now)), **changes)
    enqueue(SYNC, *systems, priority=HIGH)


# --- what happened there


def take_in(name: str, form: Mapping[str, str], deployment: Deployment, *, now: dt.datetime) -> None:
    """Store what the processor tells, and have it processed. Durable when it returns, and the same again is one."""
    content, keyring = json.dumps(dict(sorted(form.items()))).encode(), deployment.keyring
    digest = str(keyring.digest("processors.event", name, content))
    with transaction.atomic():
        sealed = keyring.seal(content, event_context(digest))
        told = ListEvent(system=name, digest=digest, sealed=sealed, at=now)
        ListEvent.objects.bulk_create([told], ignore_conflicts=True)
        enqueue(SYNC, name, priority=HIGH)


# --- both, in the one job of the list


@dataclass(slots=True)
class ListRun:
    """One run of the job of a list: its *counts* by `Action` and of faults, and whom it has *seen* there."""

    name: str
    plan: ListSync
    provider: MailchimpList
    deployment: Deployment
    now: dt.datetime
    go_on: Callable[[], None]
    counts: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)

    @property
    def basis(self) -> Basis:
        return self.deployment.declaration.purposes[self.plan.purpose].basis

    @property
    def people(self) -> QuerySet[ListedPerson]:
        return ListedPerson.objects.filter(system=self.name)


def sync(
    name: str,
    deployment: Deployment,
    *,
    now: dt.datetime,
    go_on: Callable[[], None] = lambda: None,
    is_full: bool = False,
) -> Counter[str]:
    """Bring the list and what we know into line: what the processor told, then stops and erasures, then what changed
    there, or all members if the last such comparison is older than most of a day. Returns what was done, by `Action`.
    Idempotent. Raises the errors of the list, of the stores, and `SecretMissing`."""
    system, plan = lists_of(deployment)[name]
    with contextlib.closing(open_mailing_list(name, system, os.environ)) as provider:
        run = ListRun(name, plan, provider, deployment, now, go_on)
        try:
            _process_events(run)
            _follow_changes(run)
            state, _ = SyncedList.objects.get_or_create(system=name)
            is_full = is_full or state.reconciled_at is None or now - state.reconciled_at >= RECONCILED_EVERY
            if is_full or state.changes_seen_at is None or now - state.changes_seen_at >= CHANGES_EVERY:
                _compare(run, state, is_full=is_full)
                _follow_changes(run)
        finally:
            if any(run.counts[what] for what in _CHANGES):
                done: dict[str, EntryValue] = {str(what): run.counts[what] for what in _CHANGES}
                record(Entry("list.synced", now, {"list": DeclaredName(name), **done}))
    return run.counts


_CHANGES = (Action.ADD, Action.UNSUBSCRIBE, Action.DELETE, Action.RECORD_STOP, Action.RECORD_BOUNCE)


def _process_events(run: ListRun) -> None:
    """Record stops that the processor told of, and look there again at everybody of whom it told."""
    for row in ListEvent.objects.filter(system=run.name).order_by("pk"):
        run.go_on()
        form = json.loads(run.deployment.keyring.unseal(bytes(row.sealed), event_context(row.digest)))
        event = read_event(form, run.provider.list_id)
        if event is not None and event.kind != "campaign" and _named(run, [event.address]):
            _record_told(run, event)
            told = filter(None, (event.address, event.old_address))
            _apply(run, [(address, run.provider.member(member_id(address))) for address in told])
        row.delete()


def _record_told(run: ListRun, event: ToldEvent) -> None:
    state = choice_of(event, run.basis)
    if old := _named(run, [event.old_address]):  # a stop follows the person to a new address
        [permission] = may_named(list(old), run.plan.purpose, run.deployment)
        is_stop = permission.row is not None and permission.row.state in SUPPRESSIONS
        state = ChoiceState(permission.reason) if is_stop else None
    if state is not None:
        _record(run, event.address, state, f"list:{run.name[:40]}/{event.kind}/{event.fired_at}")


def _record(run: ListRun, address: str, state: ChoiceState, act: str) -> None:
    source = Source("processors", act[:80], "rule")  # nobody's act was seen here
    scope = Scope.of(run.plan.purpose)
    record_choices([("email", address)], state, [scope], source, run.deployment.keyring, now=run.now)


def _follow_changes(run: ListRun) -> None:
    """Stop or delete those on the list of whom a choice changed here, or who were erased."""
    while rows := list(run.people.filter(due__gt=0).order_by("pk")[:_ROWS]):
        run.go_on()
        left = [row for row in rows if not (row.is_erased and _delete(run, row))]
        permissions = may_named([row.fingerprint for row in left], run.plan.purpose, run.deployment)
        # Nobody is unsubscribed for want of a record: only the person could take that back there.
        stopped = [
            row
            for row, may in zip(left, permissions, strict=True)
            if not (row.is_erased or may.allowed) and may.row is not None
        ]
        _unsubscribe(run, stopped)
        run.counts[Action.UNSUBSCRIBE] += len(stopped)
        for row in left:  # one that changed meanwhile is looked at again
            run.people.filter(pk=row.pk, due=row.due).update(due=0, due_at=None)


def _compare(run: ListRun, state: SyncedList, *, is_full: bool) -> None:
    """Compare the list with what people chose, and with the company's own list."""
    began, since = run.now, None if is_full else (state.changes_seen_at or run.now) - _OVERLAP
    members, seen = 0, set[str]()
    for page in run.provider.members(since=since):
        run.go_on()
        news = [(member.address, member) for member in page if member.id not in seen]
        seen |= {member.id for member in page}
        members += len(news)
        _apply(run, news)
        _follow_changes(run)  # a stop does not wait for the end
    wanted = _wanted(run)
    if is_full:
        _miss(run)
    _add(run, wanted)
    state.changes_seen_at = began
    if is_full:
        state.reconciled_at = began
        _look_at_settings(run, state)
        state.figures |= {"members": members, **{action.value: run.counts[action] for action in Action}}
        state.figures |= {key: run.counts[key] for key in _FAULTS}
    state.save()
    if is_full:
        control_events.note("list.compared", now=run.now)


_FAULTS = ("forbidden", "resubscribed", "erased", "refused", "not_deletable", "unreadable")


def _look_at_settings(run: ListRun, state: SyncedList) -> None:
    # A canary subscriber of the list, whose received campaigns pass preflight, would be made sure of here.
    url = webhook_of(run.name, run.deployment)
    had, has = state.has_webhook, run.provider.has_webhook(url)
    state.has_webhook = has or run.provider.make_webhook(url)
    campaigns, tracking = run.provider.tracking_campaigns()
    state.figures = {"webhook_lost": had and not has, "campaigns": campaigns, "tracking": tracking}


def _apply(
    run: ListRun, there: Sequence[tuple[str, Member | None]], wanted: Collection[str] = ()
) -> dict[str, ListedPerson]:
    """Decide about people by their addresses and what the list shows of them, and do it, but for additions: returns
    whom to add."""
    members, named = dict(there), _named(run, [address for address, _ in there])
    run.counts["unreadable"] += len({address.lower() for address in members}) - len(named)
    run.seen |= {name for name, address in named.items() if members[address] is not None}
    rows, here = _rows(run, list(named)), _standings(run, named, wanted)
    stopped, additions, news = list[ListedPerson](), dict[str, ListedPerson](), list[ListedPerson]()
    for name, address in named.items():
        member, standing, row = members[address], here[name], rows.get(name) or _person(run, name, address)
        if row.pk is not None:
            is_erased = standing.is_erased or row.is_erased
            standing = replace(standing, is_erased=is_erased, last=row.status, last_at=row.since)
        status, changed_at = (member.status, member.changed_at) if member else (None, None)
        action = decide(status, changed_at, standing)
        if member is None and action not in (Action.ADD, Action.MISSING):
            continue
        is_ours = run.now - row.since < _OVERLAP and row.pk is not None  # the list does not show yet what we did
        is_new, has_stopped = status != row.status, row.status == MemberStatus.UNSUBSCRIBED
        row.status, row.since = (status or _UNSEEN[action])[:20], run.now if is_new else row.since
        run.counts[action] += 1
        if action is Action.UNSUBSCRIBE:
            run.counts["forbidden"] += not (is_ours and has_stopped)
            run.counts["resubscribed"] += has_stopped and not is_ours
            stopped.append(row)
        elif action is Action.DELETE and not (is_ours and row.is_erased):  # else we have just tried
            run.counts["erased"] += 1
            row.is_erased, row.due, row.since = True, 1, run.now
            run.people.filter(pk=row.pk).update(is_erased=True, due=F("due") + 1, since=run.now)
        elif action is Action.ADD:
            additions[address] = row
        elif action in (Action.RECORD_STOP, Action.RECORD_BOUNCE):
            state = stop_of(run.basis) if action is Action.RECORD_STOP else ChoiceState.UNDELIVERABLE
            _record(run, address, state, f"list:{run.name[:40]}/seen/{changed_at or run.now:%Y%m%dT%H%M%S}")
        news += [row] if is_new else []
    known = [row for row in news if row.pk is not None]
    ListedPerson.objects.bulk_create([row for row in news if row.pk is None], batch_size=_ROWS)
    ListedPerson.objects.bulk_update(known, ["status", "since"], batch_size=_ROWS)
    _unsubscribe(run, stopped)
    return additions


_UNSEEN: Final = {Action.ADD: ADDING, Action.MISSING: GONE}
"""The status of somebody whom the list does not show."""


def _standings(run: ListRun, named: Mapping[str, str], wanted: Collection[str]) -> dict[str, Standing]:
    """How people stand here, by fingerprint, but for what we knew of them on the list."""
    tombstones, erased = Tombstones(run.deployment.keyring), set[str]()
    for system in (run.name, run.plan.table.partition(".")[0]):
        graves = tombstones.erased(system, IdentityKind.EMAIL, named.values(), now=run.now)
        erased |= {address for address, grave in graves.items() if not grave.is_lifted}
    permissions = may_named(list(named), run.plan.purpose, run.deployment)
    return {
        name: Standing(
            may.allowed,
            may.row is not None and not may.allowed,
            address in erased,
            address in wanted,
            consented_at=may.row.since if may.allowed and may.row else None,
        )
        for (name, address), may in zip(named.items(), permissions, strict=True)
    }


def _named(run: ListRun, addresses: Iterable[str]) -> dict[str, str]:
    """Fingerprint to address, without those that are no address; the last spelling of each."""
    pairs = [("email", address) for address in addresses if _is_address(address)]
    return dict(zip(fingerprints(pairs, run.deployment.keyring), (address for _, address in pairs), strict=True))


def _is_address(text: str) -> bool:
    try:
        return bool(Identity.of(email=text))
    except IdentityRefused:
        return False


def _rows(run: ListRun, names: Sequence[str]) -> dict[str, ListedPerson]:
    found: dict[str, ListedPerson] = {}
    for start in range(0, len(names), _ROWS):
        found |= {row.fingerprint: row for row in run.people.filter(fingerprint__in=names[start : start + _ROWS])}
    return found


def _person(run: ListRun, name: str, address: str) -> ListedPerson:
    sealed = run.deployment.keyring.seal(member_id(address).encode(), person_context(run.name, name))
    return ListedPerson(system=run.name, fingerprint=name, sealed=sealed, since=run.now)


def _id_of(run: ListRun, row: ListedPerson) -> str:
    return run.deployment.keyring.unseal(bytes(row.sealed), person_context(row.system, row.fingerprint)).decode()


def _unsubscribe(run: ListRun, rows: Sequence[ListedPerson]) -> None:
    """Stop people there. That it is our doing is written down first: it is no stop of theirs."""
    for row in rows:
        row.status, row.since = str(MemberStatus.UNSUBSCRIBED), run.now
    ListedPerson.objects.bulk_update(rows, ["status", "since"], batch_size=_ROWS)
    run.provider.unsubscribe_all([_id_of(run, row) for row in rows])


def _delete(run: ListRun, row: ListedPerson) -> bool:
    """Delete somebody there, and look again. Our tombstone stays; our row goes once the list shows them no more."""
    id_ = _id_of(run, row)
    if not run.provider.delete(id_):
        run.counts["not_deletable"] += 1
    elif run.provider.member(id_) is None:
        row.delete()
        return True
    return False


def _miss(run: ListRun) -> None:
    """Note who was on the list and is not any more, of all whom we knew there."""
    for row in list(run.people.exclude(status__in=[GONE, ADDING])):
        if row.fingerprint in run.seen:
            continue
        if row.is_erased:
            row.delete()
        elif is_mailed(row.status) and run.now - row.since >= _OVERLAP:
            run.counts[Action.MISSING] += 1
            ListedPerson.objects.filter(pk=row.pk, status=row.status).update(status=GONE, since=run.now)


def _wanted(run: ListRun) -> dict[str, Mapping[str, str]]:
    """The company's own list: address to merge fields."""
    name, _, table = run.plan.table.partition(".")
    where, fields = run.plan.where, run.plan.fields
    columns = list(dict.fromkeys([run.plan.email, *where, *fields.values()]))
    found: dict[str, Mapping[str, str]] = {}
    with run.deployment.stores(read_only=True) as stores:
        for rows in stores[name].scan(table, columns, batch=_SCANNED):
            for row in (dict(zip(columns, values, strict=True)) for values in rows):
                address = row[run.plan.email]
                if isinstance(address, str) and all(_text(row[column]) == text for column, text in where.items()):
                    found[address] = {tag: _text(row[column]) for tag, column in fields.items()}
    return found


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _add(run: ListRun, wanted: Mapping[str, Mapping[str, str]]) -> None:
    """Add those of the company's own list who may be written to, and whom we never knew there."""
    known = set(run.people.exclude(status=ADDING).values_list("fingerprint", flat=True))
    strangers = [address for name, address in _named(run, wanted).items() if name not in known]
    for start in range(0, len(strangers), _ROWS):
        run.go_on()
        rows = _apply(run, [(address, None) for address in strangers[start : start + _ROWS]], wanted)
        # Who chose or was erased before they were written down is seen now, and who does afterwards is due.
        here = _standings(run, {row.fingerprint: address for address, row in rows.items()}, wanted)
        rows = {address: row for address, row in rows.items() if _may_be_added(here[row.fingerprint])}
        refused = run.provider.add({address: wanted[address] for address in rows}) if rows else {}
        for address, row in rows.items():
            status = str(refused.get(address, MemberStatus.SUBSCRIBED) or "")
            if not status:  # somebody who is there already, or a value that the list refuses
                there = run.provider.member(member_id(address))
                status = there.status if there is not None else ADDING
                run.counts["refused"] += there is None
            run.people.filter(pk=row.pk).update(status=status, due=F("due") + 1)  # chosen meanwhile, perhaps
        _follow_changes(run)


def _may_be_added(here: Standing) -> bool:
    return decide(None, None, here) is Action.ADD


def person_context(system: str, fingerprint: str) -> SealingContext:
    return SealingContext(domain="processors", table="listed_person", field="sealed", subject=f"{system}/{fingerprint}")


def event_context(digest: str) -> SealingContext:
    return SealingContext(domain="processors", table="event", field="sealed", subject=digest)
