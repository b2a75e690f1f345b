"""After a restore: repeat every erasure newer than the backup, and prove it (clause C07).

A backup brings erased people back. What remains of them here are tombstones: keyed marks that match identifiers in
restored rows, with the date of erasure. People erased after the backup are erased again under the current rules: legal
holds and periods apply, and rows that may be somebody else's need a person's review. Systems that were not restored are
left alone.
"""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from django.db import IntegrityError, transaction

from troth.declaration import Declaration, IdentityKind
from troth.ledger import DeclaredName, Entry, Hash, LogReader, Value
from troth.protect import Keyring
from troth.rows import DataMap
from troth.service.core.actions import InOtherHands, act, holds_on
from troth.service.core.journal import TOMBSTONES_KEPT
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import record, sequence_if_sound
from troth.service.core.models import CheckRow, EntryRow, Replay, RunRow
from troth.service.core.tombstones import Grave, Tombstones
from troth.stores import Row, Store
from troth.subjects import (
    ErasurePlan,
    Gone,
    Identity,
    IdentityRefused,
    NotApproved,
    Receipt,
    Review,
    locate,
    orphans,
    plan_erasure,
    plan_hash,
    references_of,
)

if TYPE_CHECKING:
    from troth.rows.datamap import Node, PersonLink

PEOPLE_MAX = 100_000
"""Most people per replay; repeat it for more."""

BATCH_ROWS = 5_000
"""Rows per batch in memory."""

_SILENCE = dt.timedelta(days=1)
"""A check runs every hour: a day without one means that records may be missing."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Back:
    """Erased people found by a scan. *people* holds identifiers; its `repr` shows counts only."""

    rows: int
    """Rows read."""
    places: Mapping[str, int]
    """``system.table.column`` → rows with an identifier that was erased after the backup."""
    found: Mapping[str, int]
    """System → number of distinct such identifiers."""
    older: int
    """Identifiers erased before the backup was made: they were already back then."""
    shared: Mapping[str, int]
    """``system.table.column`` → rows that match only by a value that people may share."""
    returned: Mapping[str, int]
    """``system.table.column`` → rows of people who have returned of their own accord since. Their data from the backup
    must go, and a new account must stay: a person tells them apart."""
    people: tuple[Identity, ...]

    def __repr__(self) -> str:
        return f"Back({sum(self.found.values())} identifiers in {len(self.places)} columns)"


@dataclass(frozen=True, slots=True)
class Replaying:
    """What a replay would do. *plan* is None if nobody is to be erased. *reviews* and *orphans* need a person;
    *unknown* lists gaps in our records."""

    restored_from: dt.datetime
    back: Back
    plan: ErasurePlan | None
    reviews: tuple[Review, ...]
    orphans: Mapping[str, int]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Result by system: identifiers that were back, and that still are."""

    restored_from: dt.datetime
    found: Mapping[str, int]
    left: Mapping[str, int]
    receipts: tuple[Receipt, ...] = ()

    @property
    def erased(self) -> Mapping[str, int]:
        return {system: max(0, found - self.left.get(system, 0)) for system, found in self.found.items()}


class Erasures(Protocol):
    """Erasures, looked up by identifier."""

    def erased(
        self, system: str, kind: IdentityKind, values: Iterable[str], *, now: dt.datetime
    ) -> Mapping[str, Grave]:
        """Those of *values* that were erased from *system*, with the details."""
        ...


class LedgerToo:
    """Tombstones plus the erasures in a copy of the ledger, for when tombstones were lost.

    An entry names a subject as in the request, so it identifies only people requested by one identifier alone.
    """

    def __init__(self, log: LogReader, keyring: Keyring) -> None:
        self._keyring, self._tombstones = keyring, Tombstones(keyring)
        told = (b'"kind":"subject.erased"', b'"kind":"return.acknowledged"')
        stored = (entry for entry in log.stored(0, log.size) if any(kind in entry for kind in told))
        self._at, self._lifted = dict[str, dt.datetime](), set[str]()
        for entry in map(Entry.decode, stored):
            subject = str(entry.fields["subject"])
            if entry.kind == "return.acknowledged":
                self._lifted.add(subject)
            else:
                self._at[subject] = entry.at
                self._lifted.discard(subject)

    def erased(
        self, system: str, kind: IdentityKind, values: Iterable[str], *, now: dt.datetime
    ) -> Mapping[str, Grave]:
        several = list(dict.fromkeys(values))
        names = references_of([Gone(system, kind, value) for value in several], self._keyring)
        told = {
            value: Grave(name.text.encode(), self._at[name.text], name.text in self._lifted)
            for value, name in zip(several, names, strict=True)
            if name.text in self._at
        }
        buried = self._tombstones.erased(system, kind, several, now=now)
        newer = {
            value: one for value, one in told.items() if value not in buried or one.erased_at > buried[value].erased_at
        }
        return {**buried, **newer}


def look(
    declaration: Declaration,
    map_: DataMap,
    stores: Mapping[str, Store],
    keyring: Keyring,
    *,
    systems: Collection[str],
    restored_from: dt.datetime,
    now: dt.datetime,
    erasures: Erasures | None = None,
    progress: Progress | None = None,
) -> Replaying:
    """Find erased people in *systems* and plan to erase them again. Changes nothing. *erasures* defaults to the
    tombstones.

    If some need a person's review first, the plan covers the others. Raises as `troth.subjects.plan_erasure` does, and
    the stores' errors.
    """
    part = map_.only(systems)
    back = _Scan(erasures or Tombstones(keyring), restored_from, now).of(part, stores, progress)
    people, plan, reviews = list(back.people), None, list[Review]()
    while people:
        located = locate(part, stores, people, purpose="erase", region=declaration.organisation.country)
        plan = plan_erasure(declaration, located, now=now, holds=holds_on(located, keyring, at=now))
        if not plan.reviews:
            break
        reviews += plan.reviews
        waiting = {review.subject for review in plan.reviews}
        people, plan = [one for index, one in enumerate(people) if index not in waiting], None
    lost = orphans(map_, stores, systems)
    return Replaying(restored_from, back, plan, tuple(reviews), lost, tuple(_unknown(restored_from, now)))


# --- the scan --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Scan:
    """One scan of every column with identifiers."""

    erasures: Erasures
    since: dt.datetime
    now: dt.datetime
    rows: int = 0
    places: Counter[str] = field(default_factory=Counter)
    shared: Counter[str] = field(default_factory=Counter)
    returned: Counter[str] = field(default_factory=Counter)
    marks: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    older: set[bytes] = field(default_factory=set)
    people: dict[str, Identity] = field(default_factory=dict)
    mentioned: dict[str, Identity] = field(default_factory=dict)

    def of(self, part: DataMap, stores: Mapping[str, Store], progress: Progress | None = None) -> Back:
        for node in part:
            links = [link for link in node.links if link.kind is not None]
            columns = list(dict.fromkeys([*node.key, *(link.columns[0] for link in links)]))
            for rows in stores[node.system].scan(node.table, columns, batch=BATCH_ROWS) if links else ():
                self.rows += len(rows)
                self._take(node, links, columns, rows)
                if progress is not None:
                    progress(f"{node.place}, {self.rows:,} rows")
        known = {Identity((one,)).canonical() for person in self.people.values() for one in person.identifiers}
        alone = [one for name, one in self.mentioned.items() if name not in known]
        return Back(
            rows=self.rows,
            places=dict(self.places),
            found={system: len(marks) for system, marks in self.marks.items() if marks},
            older=len(self.older),
            shared=dict(self.shared),
            returned=dict(self.returned),
            people=tuple(itertools.islice([*self.people.values(), *alone], PEOPLE_MAX)),
        )

    def _take(self, node: Node, links: Sequence[PersonLink], columns: Sequence[str], rows: Sequence[Row]) -> None:
        back = [(link, found) for link in links if (found := self._back(node.system, link, columns, rows))]
        for row in rows if back else ():
            met = [(link, grave) for link, graves in back if (grave := graves.get(row[columns.index(link.columns[0])]))]
            if any(grave.is_lifted for _, grave in met):
                self.returned.update(f"{node.place}.{link.columns[0]}" for link, _ in met)
                continue
            by = [link for link, _ in met]
            for link in by:
                self.places[f"{node.place}.{link.columns[0]}"] += 1
            sure = [link for link in by if not link.shared]
            if any(link.teaches for link in sure):
                self._remember(self.people, self._person(node, columns, row))
            elif sure:
                for link in sure:
                    assert link.kind is not None, "only links with a kind are scanned"
                    named = (link.kind, str(row[columns.index(link.columns[0])]))
                    self._remember(self.mentioned, _identity([named]))
            else:
                for link in by:
                    self.shared[f"{node.place}.{link.columns[0]}"] += 1

    def _back(self, system: str, link: PersonLink, columns: Sequence[str], rows: Sequence[Row]) -> Mapping[Any, Grave]:
        """Values of one column that were erased after the backup."""
        at = columns.index(link.columns[0])
        values = {value for row in rows if isinstance(value := row[at], str) and value.strip()}
        assert link.kind is not None, "only links with a kind are scanned"
        found = self.erasures.erased(system, link.kind, values, now=self.now)
        newer = {value: grave for value, grave in found.items() if grave.erased_at > self.since}
        self.marks[system].update(grave.mark for grave in newer.values() if not grave.is_lifted)
        self.older.update(
            grave.mark for grave in found.values() if grave.erased_at <= self.since and not grave.is_lifted
        )
        return newer

    def _person(self, node: Node, columns: Sequence[str], row: Row) -> Identity | None:
        """Owner of a row: by all identifiers that are theirs alone, as a hold may name any; else by its key."""
        named = [
            (link.kind, value)
            for link in node.links
            if link.kind is not None
            and link.teaches
            and isinstance(value := row[columns.index(link.columns[0])], str)
            and value.strip()
        ]
        key = tuple(str(row[columns.index(column)]) for column in node.key)
        return _identity(named) or (Identity(keys=((node.place, key),)) if all(key) else None)

    @staticmethod
    def _remember(known: dict[str, Identity], person: Identity | None) -> None:
        if person is not None:
            known.setdefault(person.canonical(), person)


def _identity(named: Sequence[tuple[IdentityKind, str]]) -> Identity | None:
    """Identity of these identifiers, without invalid ones."""
    valid: list[tuple[IdentityKind, str]] = []
    for kind, value in named:
        try:
            valid += Identity(((kind, value.strip()),)).identifiers
        except IdentityRefused:
            continue
    return Identity(tuple(valid)) if valid else None


# --- gaps in our records ---------------------------------------------------------------------------------------------


def _unknown(restored_from: dt.datetime, now: dt.datetime) -> Iterator[str]:
    """Reasons why erasures since the backup may have left no tombstone here."""
    if restored_from < now - TOMBSTONES_KEPT:
        yield f"tombstones are kept for {TOMBSTONES_KEPT.days // 365} years, and the backup is older"
    first = EntryRow.objects.order_by("id").first()
    begun = Entry.decode(bytes(first.content)).at if first is not None else None
    if begun is None or begun > restored_from:
        yield f"these records begin {f'at {begun:%Y-%m-%d %H:%M} UTC' if begun else 'now'}, after the backup was made"
    looks = CheckRow.objects.filter(at__gte=restored_from).order_by("at").values_list("at", flat=True).distinct()
    if CheckRow.objects.exists():
        for before, after in itertools.pairwise([restored_from, *looks.iterator(chunk_size=BATCH_ROWS), now]):
            if after - before > _SILENCE:
                yield f"there is no check on record from {before:%Y-%m-%d %H:%M} to {after:%Y-%m-%d %H:%M} UTC"


# --- execution -------------------------------------------------------------------------------------------------------


def replay(
    replaying: Replaying,
    map_: DataMap,
    stores: Mapping[str, Store],
    *,
    approved: str,
    declaration: Declaration,
    keyring: Keyring,
    clock: Callable[[], dt.datetime],
    erasures: Erasures | None = None,
    progress: Progress | None = None,
) -> ReplayResult:
    """Carry out the approved plan, scan again, and record the result. Raises as `troth.service.core.actions.act` does:
    `troth keep` or the next replay finishes an interrupted one."""
    assert replaying.plan is not None, "the plan has somebody to erase"
    row = _begun(replaying, str(plan_hash(replaying.plan, keyring)), clock())
    try:
        receipts = act(
            replaying.plan,
            stores,
            approved=approved,
            declaration=declaration,
            keyring=keyring,
            progress=progress,
            run_id=row.run_id,
        )
    except NotApproved:
        row.delete()
        raise
    known = erasures or Tombstones(keyring)
    return _conclude(row, map_, stores, declaration, keyring, clock(), known, tuple(receipts.values()))


def _begun(replaying: Replaying, hash_: str, now: dt.datetime) -> Replay:
    try:
        with transaction.atomic(durable=True):
            return Replay.objects.create(
                run_id=f"replay-{secrets.token_hex(8)}",
                plan_hash=hash_,
                restored_from=replaying.restored_from,
                found=dict(replaying.back.found),
                review=len(replaying.reviews),
                begun_at=now,
            )
    except IntegrityError:
        raise InOtherHands("another process is carrying out this plan; try again when it has finished") from None


def nothing_found(
    replaying: Replaying, systems: Collection[str], declaration: Declaration, keyring: Keyring, now: dt.datetime
) -> None:
    """Record that a restored store was scanned and no erased person is back."""
    with transaction.atomic(durable=True):
        record(*(_entry(system, replaying.restored_from, 0, 0, now) for system in sorted(systems)))
    sequence_if_sound(ledger_signer(keyring, declaration.organisation), now=now)


def conclude_all(
    map_: DataMap, stores: Mapping[str, Store], declaration: Declaration, keyring: Keyring, *, now: dt.datetime
) -> list[ReplayResult]:
    """Scan again and record the result for every replay whose run has ended since: those whose process was killed. One
    still in another process's hands is skipped."""
    rows = Replay.objects.filter(ended_at__isnull=True).order_by("begun_at")
    open_runs = set(RunRow.objects.filter(finished_at__isnull=True).values_list("run_id", flat=True))
    over = [row for row in rows if row.run_id not in open_runs]
    return [_conclude(row, map_, stores, declaration, keyring, now, Tombstones(keyring)) for row in over]


def _conclude(
    row: Replay,
    map_: DataMap,
    stores: Mapping[str, Store],
    declaration: Declaration,
    keyring: Keyring,
    now: dt.datetime,
    erasures: Erasures,
    receipts: tuple[Receipt, ...] = (),
) -> ReplayResult:
    part = map_.only(row.found.keys())
    left = _Scan(erasures, row.restored_from, now).of(part, stores).found
    outcome = ReplayResult(
        row.restored_from, row.found, {system: left.get(system, 0) for system in row.found}, receipts
    )
    with transaction.atomic(durable=True):
        fresh = Replay.objects.select_for_update().get(pk=row.pk)
        if fresh.ended_at is None:
            record(
                *(
                    _entry(system, row.restored_from, count, outcome.left[system], now, row)
                    for system, count in row.found.items()
                )
            )
            fresh.ended_at, fresh.left = now, outcome.left
            fresh.save(update_fields=["ended_at", "left"])
    sequence_if_sound(ledger_signer(keyring, declaration.organisation), now=now)
    return outcome


def _entry(
    system: str, restored_from: dt.datetime, count: int, left: int, now: dt.datetime, row: Replay | None = None
) -> Entry:
    fields: dict[str, Value] = {"system": DeclaredName.of(system), "restored_from": restored_from.date()}
    fields |= {"found": count, "erased": max(0, count - left), "left": left}
    if row is not None:
        fields |= {"plan": Hash(row.plan_hash), "review": row.review}
    return Entry("erasure.replayed", now, fields)
