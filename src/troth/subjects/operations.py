"""Compiled plans: the operations of a run, with the queries and allowed results of its rescan, and its receipts.

A run can be resumed from its compiled plan alone, even if the declaration has changed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.declaration import IdentityKind, Strategy
from troth.ledger import Pseudonym
from troth.protect import Keyring, Masker
from troth.rows.datamap import Node, PersonLink
from troth.rows.operations import Operation, by_chunk, link_columns, new_values, steps
from troth.rows.strategies import mask_fit
from troth.rows.values import picker, without_collection
from troth.stores import Row, Scalar
from troth.subjects.amend import AmendmentPlan
from troth.subjects.identity import Identity, spelled
from troth.subjects.locate import Located
from troth.subjects.plan import ErasurePlan, Stage, Target, chunk
from troth.subjects.treatment import Treatment, treatments_by_subject


@dataclass(frozen=True, slots=True)
class LinkValues:
    """Values queried by one link, with the subjects that each names."""

    columns: tuple[str, ...]
    fold: bool
    values: Mapping[Row, tuple[int, ...]]
    digits: bool = False

    def __repr__(self) -> str:
        return f"Asked({', '.join(self.columns)}: {len(self.values)} values)"


@dataclass(frozen=True, slots=True)
class RescanQuery:
    """Query of the rescan on one table, by the same values as before. *kept* are keys of rows that the plan does not
    change; rows that it writes may also be found, with the values written."""

    system: str
    table: str
    key: tuple[str, ...]
    asked: tuple[LinkValues, ...]
    kept: frozenset[Row] = frozenset()

    def __repr__(self) -> str:
        return f"Question({self.system}.{self.table})"


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line of a subject's receipt: the number of rows of a place, their treatment, and what is kept, why and until
    when. Each row counts in one line only. *strategies* end with ``keep`` if any data of the rows stays."""

    place: str
    rows: int
    strategies: tuple[str, ...]
    words: str
    cite: str = ""
    until: dt.date | None = None
    because: str = ""

    @property
    def stays(self) -> bool:
        """True if any data of these rows stays."""
        return "keep" in self.strategies

    @property
    def changes(self) -> bool:
        """True if these rows are changed."""
        return self.strategies != ("keep",)


@dataclass(frozen=True, slots=True)
class Gone:
    """An identifier that no declared column of *system* contains after the run; a tombstone must match it. Its `repr`
    does not show it."""

    system: str
    kind: IdentityKind
    value: str
    subjects: tuple[int, ...] = ()
    """Its subjects, as indices into the run's subjects."""

    def __repr__(self) -> str:
        return f"Gone({self.system}, {self.kind})"


@dataclass(frozen=True, slots=True)
class CompiledPlan:
    """All operations of a run, the queries of its rescan, and the receipt lines of each subject.

    *subjects* are keyed references; *tallies* follow the same order.
    """

    action: str
    plan_hash: str
    declaration_hash: str
    subjects: tuple[str, ...]
    operations: tuple[Operation, ...]
    questions: tuple[RescanQuery, ...]
    tallies: tuple[tuple[ReceiptLine, ...], ...]
    gone: tuple[Gone, ...] = ()

    def __repr__(self) -> str:
        return f"Work({self.action}, {len(self.subjects)} subjects, {len(self.operations)} operations)"

    def chunk(self, subject: int) -> int:
        """The chunk in which a subject's rows are changed."""
        return chunk((subject,))

    def subjects_of(self, number: int) -> list[int]:
        """The subjects of one chunk."""
        return [subject for subject in range(len(self.subjects)) if self.chunk(subject) == number]

    def steps(self) -> dict[str, list[Operation]]:
        """The operations by step, in order."""
        return steps(self.operations)

    def steps_of(self, subject: int) -> list[str]:
        """The steps of this subject's chunk."""
        chunk = f"{self.chunk(subject)}/"
        return [step for step in self.steps() if step.startswith(chunk)]


@without_collection()
def compile_work(plan: ErasurePlan | AmendmentPlan, keyring: Keyring, plan_hash: str) -> CompiledPlan:
    """Turn a plan into operations. Raises `troth.protect.MaskTooNarrow` when a column cannot hold its masks."""
    subjects = [str(reference) for reference in references(plan.located.identities, keyring)]
    if isinstance(plan, AmendmentPlan):
        return _amendment(plan, plan_hash, subjects)
    return _erasure(plan, keyring, plan_hash, subjects)


def preview(plan: ErasurePlan | AmendmentPlan, keyring: Keyring) -> tuple[tuple[ReceiptLine, ...], ...]:
    """Receipt lines of each subject for this plan: places, counts and grounds, without values."""
    return compile_work(plan, keyring, "").tallies


def references(identities: Sequence[Identity], keyring: Keyring) -> list[Pseudonym]:
    """The keyed reference of each identity. The same identifiers always give the same reference."""
    return keyring.pseudonyms("subject", [identity.canonical() for identity in identities])


def references_of(gone: Iterable[Gone], keyring: Keyring) -> list[Pseudonym]:
    """Keyed references of identities with only one of these identifiers each."""
    return keyring.pseudonyms("subject", [spelled(one.kind, one.value) for one in gone])


def _erasure(plan: ErasurePlan, keyring: Keyring, plan_hash: str, subjects: Sequence[str]) -> CompiledPlan:
    located = plan.located
    masker = Masker(keyring)
    detached: dict[str, set[str]] = defaultdict(set)
    for change in plan.changes:
        if change.stage is Stage.DETACH:
            detached[change.place].update(column for column, _ in change.strategies)
    operations: list[Operation] = []
    for change in plan.changes:
        node = located.map[change.place]
        columns = tuple(column for column, _ in change.strategies)
        values = [_values(node, column, how, change.targets, masker, subjects) for column, how in change.strategies]
        if change.stage is Stage.DETACH:  # may be rows of others, found by their references
            seen, before = columns, dict(located.referring[change.place, columns])
        else:
            seen = tuple(name for name in link_columns(node) if name not in detached[change.place])
            before = _before(located, change.place, seen)
        operations += by_chunk(node, columns, _chunks(change.targets), values, seen, before, keep_nulls=True)
    operations.sort(key=lambda operation: operation.chunk)  # stable: keeps the plan's order within a chunk
    return CompiledPlan(
        action="erase",
        plan_hash=plan_hash,
        declaration_hash=plan.declaration_hash,
        subjects=tuple(subjects),
        operations=tuple(operations),
        questions=tuple(_questions(plan)),
        tallies=_tallies(plan),
        gone=tuple(_gone(plan)),
    )


def _values(
    node: Node, name: str, how: Strategy, targets: Sequence[Target], masker: Masker, subjects: Sequence[str]
) -> list[Scalar]:
    """New values of one column, for all targets."""
    if how is not Strategy.PSEUDONYMISE:
        return new_values(node, name, how, [key for key, _ in targets], masker)
    column = node.schema.column(name)
    assert column is not None
    return [masker.pseudonymise(mask_fit(node, column), subjects[owners[0]]) for _, owners in targets]


def _before(located: Located, place: str, seen: Sequence[str]) -> dict[Row, Row]:
    """Values of located rows in the *seen* columns, by key."""
    rows = located.rows.get(place, ())
    if not seen:
        return {row.key: () for row in rows}
    pick = picker(located.columns[place], seen)
    return {row.key: pick(row.values) for row in rows}


def _chunks(targets: Sequence[Target]) -> list[tuple[Row, int]]:
    """Keys with their chunks. A row is in the chunk of its first subject. Its parents' subjects are also its own, so it
    is never changed later than its parents."""
    return [(key, chunk(owners)) for key, owners in targets]


def _amendment(plan: AmendmentPlan, plan_hash: str, subjects: Sequence[str]) -> CompiledPlan:
    operations: list[Operation] = []
    rewritten: dict[str, dict[Row, tuple[int, ...]]] = defaultdict(dict)
    for rewrite in plan.rewrites:
        node = plan.located.map[rewrite.place]
        targets = [target for target, _, _ in rewrite.rows]
        values = list(zip(*(after for _, _, after in rewrite.rows), strict=True))
        seen = tuple(dict.fromkeys([*link_columns(node), *rewrite.columns]))
        before = _before(plan.located, rewrite.place, seen)
        operations += by_chunk(node, rewrite.columns, _chunks(targets), values, seen, before)
        for (key, owners), new in zip(targets, (after for _, _, after in rewrite.rows), strict=True):
            changed = dict(zip(rewrite.columns, new, strict=True))
            rewritten[rewrite.place][moved(node.key, key, changed)] = owners
    nodes = [(plan.located.map[place], owners) for place, owners in rewritten.items()]
    operations.sort(key=lambda operation: operation.chunk)
    return CompiledPlan(
        action="amend",
        plan_hash=plan_hash,
        declaration_hash=plan.declaration_hash,
        subjects=tuple(subjects),
        operations=tuple(operations),
        questions=tuple(
            RescanQuery(n.system, n.table, n.key, (LinkValues(n.key, False, owners),)) for n, owners in nodes
        ),
        tallies=_tallies(plan),
    )


def moved(names: Sequence[str], key: Row, changed: Mapping[str, Scalar]) -> Row:
    """A row's key after its columns have *changed*: if an e-mail address is the key, correcting it changes the key."""
    return tuple(changed.get(name, value) for name, value in zip(names, key, strict=True))


def _questions(plan: ErasurePlan) -> Iterator[RescanQuery]:
    """Queries that repeat all values of the trace."""
    located = plan.located
    kept: dict[str, set[Row]] = defaultdict(set)
    for stays in plan.kept:
        kept[stays.place].update(key for key, _ in stays.targets)
    for place, values in located.asked.items():
        node = located.map[place]
        asked = tuple(
            LinkValues(
                way.columns, way.fold, {v: tuple(sorted(who)) for v, who in values[way.name].items()}, way.digits
            )
            for way in (PersonLink("", node.key), *node.links)
            if values.get(way.name)
        )
        if asked:
            yield RescanQuery(node.system, node.table, node.key, asked, frozenset(kept[place]))


def _gone(plan: ErasurePlan) -> Iterator[Gone]:
    """Identifiers that the plan removes from a system completely."""
    located = plan.located
    deleted: dict[str, set[Row]] = defaultdict(set)
    written: dict[tuple[str, str], set[Row]] = defaultdict(set)
    for change in plan.changes:
        keys = {key for key, _ in change.targets}
        if change.stage is Stage.DELETE:
            deleted[change.place] |= keys
        for column, _ in change.strategies:
            written[change.place, column] |= keys
    leaves: dict[tuple[str, IdentityKind, str], bool] = {}
    owners: dict[tuple[str, IdentityKind, str], set[int]] = defaultdict(set)
    for place, rows in located.rows.items():
        node = located.map[place]
        for link in node.links:
            at = located.columns[place].index(link.columns[0])
            for row in rows if link.kind is not None and not link.shared else ():
                value = row.values[at]
                if isinstance(value, str) and link.kind is not None and link.name in row.mine:
                    goes = row.key in deleted[place] or row.key in written[place, link.columns[0]]
                    one = (node.system, link.kind, value.strip().lower())
                    leaves[one] = leaves.get(one, True) and goes
                    owners[one].update(row.subjects)
    return (Gone(*one, tuple(sorted(owners[one]))) for one, goes in leaves.items() if goes)


def _tallies(plan: ErasurePlan | AmendmentPlan) -> tuple[tuple[ReceiptLine, ...], ...]:
    """Receipt lines of each subject: each row counts in one line, with its treatment, what stays and why. Lines of
    unchanged rows come last."""
    found = []
    for counts in treatments_by_subject(plan):
        lines = [_tally(place, how, rows) for (place, how), rows in counts.items()]
        found.append(tuple(sorted(lines, key=lambda line: line.strategies == ("keep",))))
    return tuple(found)


def _tally(place: str, how: Treatment, rows: int) -> ReceiptLine:
    if how.stays is None:
        return ReceiptLine(place, rows, how.strategies, how.words())
    return ReceiptLine(place, rows, how.strategies, how.words(), how.stays.cite, how.stays.until, how.stays.because)
