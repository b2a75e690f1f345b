"""Canaries: once a week an invented person is planted in every system that allows it (`canaries: allowed`), found by a
view, erased, and looked for again, on the path that a request takes.

Only rows of the canary are ever changed, and only while the sealed record of its run names it: see `_Canary.own`.
Nothing is erased if the view finds a row of somebody else. No tombstone, case, message or entry about a person follows.
What was planted is on record before a store commits it, so that it is removed after a crash. The day after a run, and
at the next one, the canary is looked for again. A canary that cannot be removed, because its record does not open or
its table left the declaration, stays on record, and the control says so.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import itertools
import json
import logging
import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from troth.declaration import Declaration, IdentityKind, SecretMissing
from troth.ledger import Entry
from troth.protect import Keyring, Masker, MaskRefused, OpenError, SealingContext
from troth.rehearsal import CanaryPerson, InventedRow, Inventor
from troth.rows import DataMap, MapRefused, PlanRefused, Run, RunInterrupted
from troth.rows.datamap import Node
from troth.rows.operations_codec import text, untagged
from troth.rows.strategies import mask_fit
from troth.service.assurance import probers
from troth.service.assurance.models import CanaryRow
from troth.service.assurance.rules import CHECK
from troth.service.core.deployment import Deployment
from troth.service.core.holds import in_force
from troth.service.core.jobs.models import Job
from troth.service.core.jobs.queue import hasten
from troth.service.core.ledger import record
from troth.service.core.resealing import SealedPlace
from troth.stores import AnyOf, InsertingWriter, Match, Row, Scalar, Store, StoreConflict, StoreError, StoreRefused
from troth.stores.contract import Column
from troth.subjects import (
    Gone,
    Identity,
    Located,
    Receipt,
    RunFailed,
    carry_out,
    locate,
    plan_erasure,
    plan_hash,
)

_LOG = logging.getLogger("troth.canaries")
EVERY: Final = dt.timedelta(days=7)
AGAIN_EVERY: Final = dt.timedelta(days=1)
CONTROL: Final = "subjects.canaries_erased"
_SOON, _LATER = dt.timedelta(minutes=1), dt.timedelta(hours=1)
_LASTS_MAX = dt.timedelta(minutes=10)
"""How long checks wait for a run."""
_NUMBERS_MAX = 20
"""How many invented people are tried, until one has no identifier that anybody has."""

_NUMBER_MIN = 10**14
"""Fifteen digits, drawn at random: no other value contains them by accident."""
_MASK_MIN = 8
"""Characters of a mask, from which on it is of one row."""

KEPT, UNLINKED, HELD = "kept", "unlinked", "held"
SEALED_FIELD, UNREACHED, REFUSED, CHANGED, OTHERS = "sealed", "unreached", "refused", "changed", "others"
"""Why a table has no row of the canary, or it was not erased there."""
CLOSED, UNDECLARED, UNREMOVED = "closed", "undeclared", "unremoved"
"""Why rows of an earlier canary may be left in a system."""


def allowing(declaration: Declaration) -> list[str]:
    """The systems in which canaries are planted."""
    return [name for name, it in declaration.systems.items() if it.canaries and it.is_looked_into and not it.is_troths]


def systems_hash(declaration: Declaration) -> str:
    """Changes when the declaration of a system does: a canary shows nothing of another declaration."""
    shown = {name: it.model_dump_json() for name, it in declaration.systems.items() if not it.is_troths}
    return "sha256:" + hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def last(deployment: Deployment, now: dt.datetime) -> Sequence[CanaryRow]:
    """Input of controls: what the last finished run showed, a row for each system."""
    latest = CanaryRow.objects.exclude(looked_at=None).order_by("-begun_at", "-id").first()
    return [] if latest is None else list(CanaryRow.objects.filter(run=latest.run).order_by("system"))


def stuck(deployment: Deployment, now: dt.datetime) -> Sequence[CanaryRow]:
    """Input of controls: the systems in which rows of any canary may be left, and why (`CanaryRow.stuck`)."""
    return list(CanaryRow.objects.exclude(stuck="").order_by("system", "id"))


def are_planted(now: dt.datetime) -> bool:
    """Whether a canary is in the stores just now, so that controls wait rather than count it as a person."""
    return CanaryRow.objects.filter(looked_at=None, begun_at__gt=now - _LASTS_MAX).exists()


def tend(deployment: Deployment, *, now: dt.datetime) -> dt.datetime | None:
    """Plant a canary, look for the last one again, or remove what a crash left, whatever is due. Returns when to try
    again; None at the usual time."""
    deployment, latest = deployment.without_own, last(deployment, now)
    sealed = CanaryRow.objects.exclude(sealed=None)
    died = CanaryRow.objects.filter(looked_at=None)
    begun = list(sealed.values_list("run", flat=True))
    died.exclude(run__in=begun).delete()  # without a record nothing was planted
    is_new = not latest or latest[0].declaration != systems_hash(deployment.declaration)
    is_due = bool(allowing(deployment.declaration)) and (is_new or now - latest[0].begun_at >= EVERY)
    before = latest[0].looked_at if latest else None
    is_again = is_due or (before is not None and now - before >= AGAIN_EVERY)
    looks = died.exists() or (is_again and sealed.exists())
    if not is_due and not looks:
        return None
    try:
        with deployment.stores() as stores:
            map_ = deployment.map(stores)
            is_gone = not looks or _look_again(sealed.order_by("run", "id"), deployment, stores, map_, now)
            if is_due and is_gone:  # canaries that cannot be removed would pile up
                return _run(deployment, stores, map_, now)
    except (StoreError, SecretMissing, MapRefused, PlanRefused) as error:
        _LOG.warning("no canary could be planted or looked for: %s", type(error).__name__)
        return now + _LATER
    return None


# --- one run ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _PlantedRow:
    """A row of the canary: its *values* as the store holds them, and the columns that an erasure has *written*."""

    place: str
    key: Row
    values: dict[str, Scalar]
    written: tuple[str, ...] = ()


@dataclass(slots=True)
class _Canary:
    """A canary in *stores*."""

    person: CanaryPerson
    stores: Mapping[str, Store]
    map: DataMap
    keyring: Keyring
    region: str
    planted: list[_PlantedRow] = field(default_factory=list)

    def located(self, purpose: Any, *kinds: IdentityKind) -> Located:
        kinds = kinds or (IdentityKind.EMAIL, IdentityKind.PHONE)
        named = ((kind, self.person.identifier(kind)) for kind in kinds)
        return locate(self.map, self.stores, [Identity(tuple(named))], purpose=purpose, region=self.region)

    def is_marked(self, values: Iterable[Scalar]) -> bool:
        """Whether a row contains the canary's number, which nobody else has."""
        number = self.person.number
        is_long = number >= _NUMBER_MIN
        return is_long and any(isinstance(value, str) and str(number) in value for value in values)

    def now_at(self, row: _PlantedRow) -> dict[str, Scalar] | None:
        """What the store holds under the row's key now, in every column."""
        node = self.map[row.place]
        names = [column.name for column in node.schema.columns]
        rows = self._store(node).read(node.table, names, AnyOf((Match(node.key, (row.key,)),)))
        return dict(zip(names, rows[0], strict=True)) if rows else None

    def is_as_planted(self, row: _PlantedRow, stored: Mapping[str, Scalar]) -> bool:
        """Whether nothing but the erasure has changed the row: keys of deleted rows are given to others."""
        return all(
            stored.get(name) == value
            or (name in row.written and (stored.get(name) is None or self._is_mask(row, name, stored)))
            for name, value in row.values.items()
        )

    def _is_mask(self, row: _PlantedRow, name: str, stored: Mapping[str, Scalar]) -> bool:
        """Whether the column holds the mask of that very row."""
        node = self.map[row.place]
        column = node.schema.column(name)
        with contextlib.suppress(MaskRefused):
            return column is not None and Masker(self.keyring).looks_masked(
                mask_fit(node, column), f"{row.place}.{name}", row.key, stored[name]
            )
        return False

    def left(self) -> dict[str, set[Row]]:
        """Keys of the rows that still lead to the canary, or contain an identifier of it, by place."""
        left: dict[str, set[Row]] = defaultdict(set)
        for place, rows in self.located("view").rows.items():
            left[place] |= {row.key for row in rows if self.is_marked(row.values)}
        for row in self.planted:
            if (stored := self.now_at(row)) is None:
                continue
            has_phone = self.person.identifier("phone") in stored.values() and self.is_as_planted(row, stored)
            if has_phone or self.is_marked(stored.values()):
                left[row.place].add(row.key)
        return {place: keys for place, keys in left.items() if keys}

    def own(self, *, in_run: bool = False) -> dict[str, set[Row]]:
        """Keys of the rows that are the canary's and nobody else's, by place. These are

        - rows that the view finds, that name nobody else, and that contain the canary's number, such as copies;
        - planted rows that contain the number, or that its e-mail address leads to and that name nobody else;
        - planted rows that only the erasure has changed, if they contain the telephone number or a mask of that very
          row, or within the run: later, somebody else's may be equal.
        """
        own: dict[str, set[Row]] = defaultdict(set)
        by_mail = self.located("view", IdentityKind.EMAIL).rows  # somebody may have the telephone number by now
        alone = {(place, row.key) for place, rows in by_mail.items() for row in rows if not row.others}
        for place, rows in self.located("view").rows.items():
            own[place] |= {row.key for row in rows if not row.others and self.is_marked(row.values)}
        for row in self.planted:
            if (stored := self.now_at(row)) is None:
                continue
            masks = [stored[name] for name in row.written if self._is_mask(row, name, stored)]
            is_known = in_run or self.person.identifier("phone") in stored.values()
            is_known |= any(isinstance(mask, str) and len(mask) >= _MASK_MIN for mask in masks)
            is_its = (row.place, row.key) in alone or self.is_marked(stored.values())
            if is_its or (is_known and self.is_as_planted(row, stored)):
                own[row.place].add(row.key)
        for place, keys in own.items():
            node = self.map[place]
            counts = Counter(self._store(node).read(node.table, node.key, AnyOf((Match(node.key, tuple(keys)),))))
            keys &= {key for key in keys if counts[key] == 1}  # a declared key may be that of several rows
        return {place: keys for place, keys in own.items() if keys}

    def remove(self, *, in_run: bool = False) -> frozenset[str]:
        """Delete what is there of the canary, children first. Returns the systems in which some of it is left."""
        gone = self.own(in_run=in_run)
        for node in (self.map[place] for place in self.map.deletion_order if place in gone):
            with contextlib.suppress(StoreError), self._store(node).writing() as writer:
                writer.erase(node.table, node.key, sorted(gone[node.place], key=repr))
        with contextlib.suppress(StoreError):
            return frozenset(self.map[place].system for place in {**self.left(), **self.own(in_run=in_run)})
        return frozenset(self.stores)

    def _store(self, node: Node) -> Store:
        return self.stores[node.system]


def _run(deployment: Deployment, stores: Mapping[str, Store], map_: DataMap, now: dt.datetime) -> dt.datetime | None:
    """Make one run. Returns when to try again, if that cannot be now. Raises as `tend` catches."""
    run, hash_ = secrets.token_hex(8), systems_hash(deployment.declaration)
    for system in allowing(deployment.declaration):
        CanaryRow.objects.create(run=run, system=system, begun_at=now, declaration=hash_)
    rows = list(CanaryRow.objects.filter(run=run).order_by("id"))
    canary = None
    try:
        if Job.objects.filter(kind=CHECK, state=Job.State.RUNNING).exists():  # it would count the canary as a person
            return now + _SOON
        canary = _unknown(deployment, stores, map_)
        _look(canary, rows, deployment, now)
        _conclude(rows, canary, now)
    finally:
        if rows[0].looked_at is None and (canary is None or not canary.remove(in_run=True)):
            CanaryRow.objects.filter(run=run).delete()
    return None


def _look(canary: _Canary, rows: Sequence[CanaryRow], deployment: Deployment, now: dt.datetime) -> None:
    """Plant, view, erase and look again; note in *rows* what came of it."""
    why = _left_out(canary.map, {row.system for row in rows}, canary.stores, now)
    for row in rows:
        _plant(canary, row, deployment, why, now)
    located = canary.located("view")
    seen = {(place, it.key) for place, several in located.rows.items() for it in several}
    found = {row.place for row in canary.planted if (row.place, row.key) in seen}
    for planted in canary.planted:
        if (stored := canary.now_at(planted)) is None or not canary.is_as_planted(planted, stored):
            why[planted.place] = CHANGED
    is_erased = _erase(canary, rows, deployment, now)
    if not is_erased:
        why |= dict.fromkeys((planted.place for planted in canary.planted), OTHERS)
    left = canary.left() if is_erased else {}
    for row in rows:
        row.tables = {
            node.table: {
                "why": (reason := why.get(node.place, "")),
                "found": node.place in found,
                "left": 0 if reason == KEPT else len(left.get(node.place, ())),
            }
            for node in canary.map
            if node.system == row.system and node.is_personal
        }


def _unknown(deployment: Deployment, stores: Mapping[str, Store], map_: DataMap) -> _Canary:
    """A canary with identifiers that nobody has, not even in a test of the company's. Raises `StoreConflict`."""
    for _ in range(_NUMBERS_MAX):
        person = CanaryPerson(_NUMBER_MIN + secrets.randbelow(9 * _NUMBER_MIN))
        canary = _made(person, deployment, stores, map_)
        if not any(canary.located("view").rows.values()):
            return canary
    raise StoreConflict("every telephone number that nobody has is taken", store="")


def _made(person: CanaryPerson, deployment: Deployment, stores: Mapping[str, Store], map_: DataMap) -> _Canary:
    return _Canary(person, stores, map_, deployment.keyring, deployment.declaration.organisation.country)


def _left_out(map_: DataMap, systems: Collection[str], stores: Mapping[str, Store], now: dt.datetime) -> dict[str, str]:
    """The tables in which no canary is planted, each with the reason."""
    why = dict[str, str]()
    holds = [hold for hold in in_force(now) if hold.subject is None and not hold.is_provisional]
    for node in map_:
        if node.system not in systems or not node.is_personal:
            continue
        sealed = [name for name, use in node.declared.fields.items() if use.sealed or use.token is not None]
        if node.declared.keep is not None:
            why[node.place] = KEPT
        elif node.declared.unlinked is not None:
            why[node.place] = UNLINKED
        elif any(hold.is_on(node.place) for hold in holds):
            why[node.place] = HELD
        elif stores[node.system].read_only or stores[node.system].describe().dialect == "files":
            why[node.place] = REFUSED
        elif any(name in _naming(node) or not _column(node, name).nullable for name in sealed):
            why[node.place] = SEALED_FIELD
    return why


def _naming(node: Node) -> set[str]:
    return {column for link in node.links for column in link.columns}


def _column(node: Node, name: str) -> Column:
    column = node.schema.column(name)
    assert column is not None, "the map was made of it"
    return column


def _reached(map_: DataMap, places: Collection[str]) -> set[str]:
    """Those of *places* to which links lead from an e-mail address or a telephone number, by way of *places* alone."""
    kinds, reached = {IdentityKind.EMAIL, IdentityKind.PHONE}, set[str]()
    while True:
        more = [
            map_[place]
            for place in places
            if place not in reached and any(link.kind in kinds or link.parent in reached for link in map_[place].links)
        ]
        if not more:
            return reached
        reached |= {node.place for node in more}
        kinds |= {link.kind for node in more for link in node.links if link.teaches and link.kind is not None}


def _plant(canary: _Canary, row: CanaryRow, deployment: Deployment, why: dict[str, str], now: dt.datetime) -> None:
    """Insert the canary's rows of one system, in one transaction. A table that refuses its row is left out, and with it
    those to which only its row leads."""
    map_, store, before = canary.map, canary.stores[row.system], list(canary.planted)
    mine = [node.place for node in map_ if node.system == row.system and node.is_personal and node.place not in why]
    schemas = {name: it.describe() for name, it in canary.stores.items()}
    while mine:
        elsewhere = {it.place for it in before}
        reached = _reached(map_, {*mine, *elsewhere})
        why |= {place: UNREACHED for place in mine if place not in reached}
        mine = [place for place in mine if place in reached]
        # Keys that no counter gives are large and random: `number` of the inventor.
        inventor = Inventor(deployment.declaration, schemas, now, first=10**9 + secrets.randbelow(10**9))
        for it in before:
            held = {**dict(zip(map_[it.place].key, it.key, strict=True)), **it.values}
            inventor.rows[it.place] = [InventedRow(it.place, held, canary.person)]
        inventor.rows |= dict(_others(map_, mine, store))
        place = ""
        try:
            with store.writing() as writer:
                if not isinstance(writer, InsertingWriter):
                    raise StoreRefused(f"{row.system} takes no new rows", store=row.system)
                canary.planted = list(before)
                for made in inventor.fill([canary.person], mine):
                    place, node = made.place, map_[made.place]
                    values = _planted_values(node, made)
                    made.values.update(writer.insert(node.table, values))
                    key = tuple(made.values[name] for name in node.key)
                    canary.planted.append(_PlantedRow(place, key, {name: made.values[name] for name in values}))
                _keep(row, canary, deployment)  # before the store commits
                place = ""
            break
        except (StoreConflict, StoreRefused):
            canary.planted = list(before)
            refused = {place} if place else set(mine)
            why |= dict.fromkeys(refused, REFUSED)
            mine = [it for it in mine if it not in refused]
    for planted in canary.planted[len(before) :]:
        stored = canary.now_at(planted) or {}
        if canary.is_marked(stored.values()):  # a trigger changed it; else its key may be somebody's already
            planted.values = {name: stored.get(name) for name in planted.values}
    _keep(row, canary, deployment)


def _planted_values(node: Node, made: InventedRow) -> dict[str, Scalar]:
    """The values to insert: personal ones and links, and what the store requires and does not fill itself."""
    table, naming = node.declared, _naming(node)
    personal = {*table.fields, *naming, *((table.notice,) if table.notice else ())}
    values = dict[str, Scalar]()
    for name, value in made.values.items():
        column, use = _column(node, name), table.fields.get(name)
        is_sealed = use is not None and (use.sealed is not False or use.token is not None)
        is_own = name in personal and not (column.filled and name in node.schema.key)  # not a counter
        is_wanted = name in naming or is_own or not (column.filled or column.nullable)
        if value is not None and is_wanted and not is_sealed:
            values[name] = value
    return values


def _others(map_: DataMap, places: Collection[str], store: Store) -> Iterator[tuple[str, list[InventedRow]]]:
    """Rows of tables without personal data, such as products, to which rows of *places* must refer: any existing
    one."""
    for place in places:
        node = map_[place]
        for key in node.schema.foreign_keys:
            parent = f"{node.system}.{key.table}"
            is_needed = not any(_column(node, name).nullable or _column(node, name).filled for name in key.columns)
            if is_needed and (parent not in map_.nodes or not map_[parent].is_personal):
                for values in store.read(key.table, key.to_columns, None, limit=1):
                    yield parent, [InventedRow(parent, dict(zip(key.to_columns, values, strict=True)), None)]


def _erase(canary: _Canary, rows: Sequence[CanaryRow], deployment: Deployment, now: dt.datetime) -> bool:
    """Plan and carry out the erasure as a request does, but for the journal, which keeps a record of people. False if
    that would change a row that is not the canary's, or needs a review.

    What a store refuses to change is still there afterwards. Raises `StoreError` if one went away meanwhile."""
    plan = plan_erasure(deployment.declaration, canary.located("erase"), now=now)
    own = {(place, key) for place, keys in canary.own(in_run=True).items() for key in keys}
    written: dict[tuple[str, Row], tuple[str, ...]] = defaultdict(tuple)
    for change in plan.changes:
        for key, _ in change.targets:
            written[change.place, key] += tuple(column for column, _ in change.strategies)
    if not written.keys() <= own or plan.reviews:
        return False
    for planted in canary.planted:
        planted.written = written[planted.place, planted.key]
    for row in rows:
        _keep(row, canary, deployment)
    try:
        carry_out(
            plan,
            canary.stores,
            approved=plan_hash(plan, deployment.keyring),
            declaration_hash=deployment.declaration.hash,
            keyring=deployment.keyring,
            journal=_NoJournal(),
            now=deployment.now,
        )
    except RunInterrupted as interrupted:
        raise StoreError(str(interrupted), store="", retryable=True) from None
    except RunFailed:
        pass
    return True


class _NoJournal:
    """A `SubjectJournal` that keeps nothing: the canary's own rows say what to remove after a crash."""

    def begin(self, run: Run) -> None: ...

    def done(self, run_id: str, step: str) -> None: ...

    def steps(self, run_id: str) -> frozenset[str]:
        return frozenset()

    def finish(
        self, run_id: str, entries: Sequence[Entry], gone: Sequence[Gone] = (), receipts: Sequence[Receipt] = ()
    ) -> None: ...

    def unfinished(self) -> Iterator[Run]:
        return iter(())

    def final_after(self, subjects: Sequence[str], gone: Sequence[Gone], now: dt.datetime) -> Mapping[str, dt.date]:
        return {}


def _look_again(
    rows: Iterable[CanaryRow], deployment: Deployment, stores: Mapping[str, Store], map_: DataMap, now: dt.datetime
) -> bool:
    """Look for earlier canaries again, and remove what is there. Returns whether another may be planted: nothing is
    left, but in what the declaration no longer has. A run that died showed nothing, and goes."""
    may_plant, latest = True, {row.run for row in last(deployment, now)}
    for run, several in itertools.groupby(rows, key=lambda row: row.run):
        group = list(several)
        canary = _opened(group, deployment, stores, map_)
        if canary is not None and run in latest:
            left = canary.left()
            for row in group:
                for table, seen in row.tables.items():
                    if seen["why"] != KEPT:
                        seen["left"] = max(seen["left"], len(left.get(f"{row.system}.{table}", ())))
            is_gone = _conclude(group, canary, now)
        else:
            is_gone = canary is not None and not _note(group, canary.remove())
        CanaryRow.objects.bulk_update(group, ["stuck"])
        if is_gone and run not in latest:
            gone = CanaryRow.objects.filter(run=run, stuck="")
            gone.filter(looked_at=None).delete()
            gone.update(sealed=None)
        may_plant &= is_gone and all(row.stuck in ("", UNDECLARED) for row in group)
    return may_plant


def _note(rows: Sequence[CanaryRow], remains: Collection[str]) -> Collection[str]:
    """Note the systems in which some of the canary *remains*, and return them."""
    for row in rows:
        row.stuck = row.stuck or (UNREMOVED if row.system in remains else "")
    return remains


def _conclude(rows: Sequence[CanaryRow], canary: _Canary, now: dt.datetime) -> bool:
    """Remove what is there of the canary, and put on record what it showed, if that is new. Returns whether nothing is
    left of it."""
    in_run, known = rows[0].looked_at is None, sum(row.left for row in rows)
    remains = _note(rows, canary.remove(in_run=in_run))
    with transaction.atomic():
        for row in rows:
            tested = [it for it in row.tables.values() if not it["why"]]
            row.planted, row.found = len(tested), sum(it["found"] for it in tested)
            row.left, row.looked_at = sum(it["left"] for it in row.tables.values()), now
        totals = {name: sum(getattr(row, name) for row in rows) for name in ("planted", "found", "left")}
        if rows[0].entry_id is None or totals["left"] != known:
            [entry] = record(Entry("canary.made", now, {"systems": len(rows), **totals}))
            hasten(CHECK, [CONTROL], at=now)
            for row in rows:
                row.entry = entry
        for row in rows:
            row.save()
        if in_run:
            earlier = CanaryRow.objects.exclude(run=rows[0].run).exclude(looked_at=None)
            earlier.filter(stuck="").update(sealed=None)
    return not remains


# --- the record -------------------------------------------------------------------------------------------------------


def _context(run: str, system: str) -> SealingContext:
    return SealingContext(domain="assurance", table="assurance_canary", field="sealed", subject=f"{run}.{system}")


SEALED = (*probers.SEALED, SealedPlace(CanaryRow, "sealed", ("run", "system"), _context))
"""Sealed columns of this app: keys of probers, and what was planted."""


def _keep(row: CanaryRow, canary: _Canary, deployment: Deployment) -> None:
    """Put on record, sealed and durably, which rows of a system are the canary's."""
    mine = [it for it in canary.planted if it.place.partition(".")[0] == row.system]
    whole = [canary.person.number, [[it.place, it.key, it.values, it.written] for it in mine]]
    row.sealed = deployment.keyring.seal(text(whole).encode(), _context(row.run, row.system))
    row.save()


def _opened(
    rows: Sequence[CanaryRow], deployment: Deployment, stores: Mapping[str, Store], map_: DataMap
) -> _Canary | None:
    """The canary that the sealed record of a run names; None if no part of that opens. Notes in *rows* why some of it
    cannot be looked for."""
    canary = None
    for row in rows:
        try:
            number, planted = untagged(
                deployment.keyring.unseal(bytes(row.sealed or b""), _context(row.run, row.system))
            )
        except OpenError:
            row.stuck = CLOSED
            continue
        canary = canary or _made(CanaryPerson(number), deployment, stores, map_)
        known = [it for it in planted if it[0] in map_.nodes]
        is_open = row.looked_at is None or row.stuck  # else nothing was left
        row.stuck = UNDECLARED if is_open and len(known) < len(planted) else ""
        canary.planted += [
            _PlantedRow(place, tuple(key), values, tuple(written)) for place, key, values, written in known
        ]
    if closed := sorted({row.system for row in rows if row.stuck == CLOSED}):
        _LOG.warning("a canary cannot be opened with the present keys, and may be left in: %s", ", ".join(closed))
    return canary
