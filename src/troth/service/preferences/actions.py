"""Records choices and ends them, each with its ledger entry, and answers what may be done with whose data.

may(Identity.of(email="ann@example.org"), "news", deployment)          # before data is used
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import IntegrityError, connection, transaction
from django.db.models import Max, QuerySet

from troth.ledger import Entry, Hash, Value
from troth.protect import Keyring
from troth.service.core import control_events
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record
from troth.service.duty import named
from troth.service.preferences import rules
from troth.service.preferences.models import Choice, ChoiceState
from troth.service.preferences.rules import Permission, Scope, Source, StoppedUses
from troth.subjects import Identity

_BATCH = 10_000
"""Fingerprints per query."""
_LOCK = 7_001
"""The first number of our advisory locks on PostgreSQL."""


def may(identity: Identity, purpose: str, deployment: Deployment, *, at: dt.datetime | None = None) -> Permission:
    """Whether data about *identity* may be used for *purpose*, by what was chosen under any of its identifiers; or with
    *at* by the choices of an earlier moment, under today's declaration."""
    return may_many([identity], purpose, deployment, at=at)[0]


def may_many(
    identities: Sequence[Identity], purpose: str, deployment: Deployment, *, at: dt.datetime | None = None
) -> list[Permission]:
    """`may` for each of *identities*, with one query for every 10,000 identifiers."""
    choices = _choices_of([identity.identifiers for identity in identities], deployment.keyring)
    return [rules.may(rows, purpose, deployment.declaration, at=at) for rows in choices]


def may_named(fingerprints: Sequence[str], purpose: str, deployment: Deployment) -> list[Permission]:
    """`may` for people who are known by one fingerprint each (`rules.fingerprints`), with one query for every
    10,000."""
    rows = _rows_of(list(dict.fromkeys(fingerprints)))
    return [rules.may(rows[name], purpose, deployment.declaration, at=None) for name in fingerprints]


def hold_choices(fingerprints: Iterable[str], *, shared: bool = True) -> None:
    """Until the open transaction ends, no other changes a choice under *fingerprints*: it waits, and what this one
    reads is what holds when it commits. Several may hold them *shared*. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        numbers = sorted({int(name[-8:], 16) - 2**31 for name in fingerprints})  # in one order, against deadlocks
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {lock}(%s, number) FROM unnest(%s::int[]) AS number", [_LOCK, numbers])  # noqa: S608


def stopped_uses(identifiers: Iterable[tuple[str, str]], deployment: Deployment) -> StoppedUses:
    """What is stopped under any of *identifiers*, which are of one person. Raises `IdentityRefused`."""
    return stopped_uses_many([list(identifiers)], deployment)[0]


def stopped_uses_many(people: Sequence[Collection[tuple[str, str]]], deployment: Deployment) -> list[StoppedUses]:
    """`stopped_uses` for each of *people*, with one query for every 10,000 identifiers."""
    return [rules.stopped_uses(rows, deployment.declaration) for rows in _choices_of(people, deployment.keyring)]


def _choices_of(people: Sequence[Collection[tuple[str, str]]], keyring: Keyring) -> list[list[Choice]]:
    """The choices under any of the identifiers of each of *people*."""
    pairs = list(dict.fromkeys(pair for identifiers in people for pair in identifiers))
    by_pair = dict(zip(pairs, rules.fingerprints(pairs, keyring), strict=True))
    rows = _rows_of(list(by_pair.values()))
    return [
        [row for name in dict.fromkeys(by_pair[pair] for pair in identifiers) for row in rows[name]]
        for identifiers in people
    ]


def _rows_of(fingerprints: Sequence[str]) -> Mapping[str, list[Choice]]:
    rows = defaultdict[str, list[Choice]](list)
    for start in range(0, len(fingerprints), _BATCH):
        for row in Choice.objects.filter(fingerprint__in=fingerprints[start : start + _BATCH]):
            rows[row.fingerprint].append(row)
    return rows


def record_choices(
    identifiers: Iterable[tuple[str, str]],
    state: ChoiceState,
    scopes: Collection[Scope],
    source: Source,
    keyring: Keyring,
    *,
    now: dt.datetime,
    shown: Hash | None = None,
) -> int:
    """Record one choice for each identifier and scope, with one ledger entry. *shown* is the hash of the text that the
    person saw. Idempotent: what the same act has recorded and is in force is not recorded again. Returns how many are
    new. Raises `IdentityRefused`."""
    named = rules.fingerprints(identifiers, keyring)
    return record_named(named, state, scopes, source, keyring, now=now, shown=shown)


def record_named(
    fingerprints: Iterable[str],
    state: ChoiceState,
    scopes: Collection[Scope],
    source: Source,
    keyring: Keyring,
    *,
    now: dt.datetime,
    shown: Hash | None = None,
) -> int:
    """`record_choices` for people who are known by their fingerprints."""
    wanted = [
        Choice(
            fingerprint=fingerprint,
            state=state,
            scope=scope.kind,
            purpose=scope.purpose,
            except_for=scope.except_for,
            source=source.duty,
            act=source.act,
            actor=source.actor,
            shown=str(shown or ""),
            since=now,
        )
        for fingerprint in dict.fromkeys(fingerprints)
        for scope in scopes
    ]
    try:
        return _record_new(wanted, source, keyring, now)
    except IntegrityError:  # another process has recorded the same act meanwhile
        return _record_new(wanted, source, keyring, now)


def _record_new(wanted: Sequence[Choice], source: Source, keyring: Keyring, now: dt.datetime) -> int:
    with transaction.atomic():
        hold_choices({row.fingerprint for row in wanted}, shared=False)
        known = {_key(row) for row in Choice.objects.filter(act=source.act, ended_at=None)}
        new = [row for row in wanted if _key(row) not in known]
        if new:
            _count_after_consents(new)
            [entry] = record(_entry("choice.recorded", new, keyring, now))
            for row in new:
                row.entry = entry
            Choice.objects.bulk_create(new)
            _tell_duties(new, now)
    return len(new)


def _count_after_consents(rows: Sequence[Choice]) -> None:
    """A choice against a use counts from the latest consent under its fingerprint at the earliest: a clock that was
    ahead at the consent, or is behind now, must not leave that the newer one."""
    if rows[0].state == ChoiceState.GIVEN:
        return
    given = Choice.objects.filter(fingerprint__in={row.fingerprint for row in rows}, state=ChoiceState.GIVEN)
    latest = dict(given.filter(ended_at=None).values_list("fingerprint").annotate(Max("since")))
    for row in rows:
        row.since = max(row.since, latest.get(row.fingerprint, row.since))


def end_choices(choices: QuerySet[Choice], keyring: Keyring, *, now: dt.datetime) -> int:
    """End those of *choices* that have not ended, with one ledger entry for each act and state. Returns how many."""
    with transaction.atomic():
        hold_choices(choices.filter(ended_at=None).values_list("fingerprint", flat=True), shared=False)
        by_act = defaultdict[tuple[str, str], list[Choice]](list)
        for row in choices.filter(ended_at=None).select_for_update().order_by("pk"):
            row.ended_at = max(now, row.since)
            by_act[row.act, row.state].append(row)
        for rows in by_act.values():
            [entry] = record(_entry("choice.ended", rows, keyring, now))
            for row in rows:
                row.end_entry = entry
            Choice.objects.bulk_update(rows, ["ended_at", "end_entry"])
        if by_act:
            _tell_duties([row for rows in by_act.values() for row in rows], now)
    return sum(map(len, by_act.values()))


def _tell_duties(changed: Iterable[Choice], now: dt.datetime) -> None:
    control_events.note("choice.changed", now=now)
    people = sorted({row.fingerprint for row in changed})
    for follow in named("choices_changed"):
        follow(people, now)


def digest_of(choices: Iterable[Choice], keyring: Keyring) -> Hash:
    """Digest of choices in an entry of theirs: shows what held since when, and until when if they have ended."""
    parts = sorted(
        "\x1f".join(
            (
                *_key(row),
                row.except_for,
                row.source,
                row.act,
                row.actor,
                row.shown,
                *(time.astimezone(dt.UTC).isoformat() if time else "" for time in (row.since, row.ended_at)),
            )
        )
        for row in choices
    )
    return keyring.digest("choices", *parts)


def _key(choice: Choice) -> tuple[str, str, str, str]:
    return choice.fingerprint, str(choice.state), str(choice.scope), choice.purpose


def _entry(kind: str, choices: Sequence[Choice], keyring: Keyring, now: dt.datetime) -> Entry:
    """The entry of *choices*, which are of one act."""
    first = choices[0]
    fields: dict[str, Value] = {
        "act": keyring.pseudonym(*first.act.split(":", 1)),
        "state": str(first.state),
        "rows": len(choices),
        "choices": digest_of(choices, keyring),
    }
    if kind == "choice.recorded":
        fields["actor"] = first.actor
    return Entry(kind, now, fields)
