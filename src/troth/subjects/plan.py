"""Plans: all effects are decided, and can be printed, before anything is changed.

Pure functions on the result of `locate`. A plan lists every table, strategy, count and exception with its citation. It
is bound to the declaration's hash and approved by its own hash, so that exactly the plan that was reviewed is executed.
It contains row keys and, for an amendment, the new values; its `repr` shows only counts.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from troth.declaration import Declaration, Keep, Problem, Severity, Strategy
from troth.declaration import check as check_declaration
from troth.rows.datamap import MapProblem, Node, PersonLink, PlanRefused, is_nullable
from troth.rows.keeping import KeepingPeriod, kept_until
from troth.rows.strategies import Strategies, fault
from troth.rows.values import as_kinds, without_collection
from troth.stores import Row
from troth.subjects.identity import Identity
from troth.subjects.locate import FoundRow, Located

Target = tuple[Row, tuple[int, ...]]
"""A row's key and its subjects (indices of the requested identities)."""

ABOUT_OTHERS = ("the row is also about someone else", "GDPR Art. 15(4), 17(1)")
NOT_PERSONAL = ("no category of it is personal data", "GDPR Art. 4(1)")
UNLISTED = ("it has parts that our record of systems does not list, and they are as they were", "GDPR Art. 12(4)")
"""Reason why a partly treated row cannot be called free of personal data: it has undeclared columns."""

ROWS_MAX = 20
"""Maximum number of rows that a review lists; choosing among more needs another query."""

SUBJECTS_PER_CHUNK = 500
"""Number of subjects per transaction of a store."""


@dataclass(frozen=True, slots=True)
class HoldScope:
    """A legal hold: nothing in its scope is erased while it is active (clauses C48, C50).

    *places* are systems or tables (``shop``, ``shop.invoice``), *subjects* are indices of the requested identities; if
    empty, either means all.
    """

    reason: str
    cite: str
    places: tuple[str, ...] = ()
    subjects: tuple[int, ...] = ()

    def covers(self, place: str, subjects: Iterable[int]) -> bool:
        """True if rows of this place about these subjects must not be changed."""
        in_place = not self.places or any(place == held or place.startswith(held + ".") for held in self.places)
        return in_place and (not self.subjects or not set(self.subjects).isdisjoint(subjects))


class Stage(IntEnum):
    """Order within a transaction: clear references to rows to be deleted, write into rows that stay, delete."""

    DETACH = 0
    WRITE = 1
    DELETE = 2


@dataclass(frozen=True, slots=True)
class RowChange:
    """One kind of change to rows of one place: apply *strategies* to their columns, or delete the rows."""

    place: str
    stage: Stage
    strategies: Strategies
    targets: tuple[Target, ...]

    def words(self) -> str:
        """Description of the change for people."""
        if self.stage is Stage.DELETE:
            return "delete"
        return ", ".join(f"{strategy} {column}" for column, strategy in self.strategies)

    def __repr__(self) -> str:
        return f"Change({self.place}: {self.words()}, {len(self.targets)} rows)"


@dataclass(frozen=True, slots=True)
class KeptRows:
    """Rows, or fields of rows, that are kept, with the reason given to the person (GDPR Art. 12(4), 17(3))."""

    place: str
    fields: tuple[str, ...]
    reason: str
    cite: str
    until: dt.date | None
    targets: tuple[Target, ...]

    def __repr__(self) -> str:
        return f"Kept({self.place}, {len(self.targets)} rows, {self.cite!r}, until {self.until})"


@dataclass(frozen=True, slots=True)
class Review:
    """A question that staff must resolve before the plan may be executed. *rows* are the rows in question, each in the
    form of ``--id``, at most `ROWS_MAX`; rows whose key is personal data are not listed."""

    place: str
    subject: int
    message: str
    fix: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """Effects of erasing the *located* subjects, in order of execution."""

    declaration_hash: str
    located: Located
    changes: tuple[RowChange, ...]
    kept: tuple[KeptRows, ...]
    reviews: tuple[Review, ...]

    def __repr__(self) -> str:
        subjects = len(self.located.identities)
        return f"ErasurePlan({subjects} subjects, {len(self.changes)} changes, {len(self.kept)} kept)"


def refuse_untrue(declaration: Declaration, misfits: Sequence[MapProblem] = ()) -> None:
    """Raise `PlanRefused` if any plan would be wrong: with the errors that `troth.declaration.check` finds in the
    systems, or if there are none, with the *misfits* of the stores.

    Errors in purposes, recipients and promises do not affect any row, and so are no reason to delay a request.
    """
    if (faults := _errors_of(declaration)) or misfits:
        raise PlanRefused(faults or misfits)


_checked: list[tuple[Declaration, list[Problem]]] = []
"""The last declaration, with its errors."""


def _errors_of(declaration: Declaration) -> list[Problem]:
    """Errors in the systems. A declaration cannot change, so one is not checked again for each of its plans."""
    for known, errors in _checked:
        if known is declaration:
            return errors
    errors = [
        problem
        for problem in check_declaration(declaration)
        if problem.severity is Severity.ERROR
        and problem.path.startswith("systems.")
        and problem.code not in _OF_PURPOSES
    ]
    _checked[:] = [(declaration, errors)]
    return errors


_OF_PURPOSES = ("category-without-purpose", "purpose-unknown")


@without_collection()
def plan_erasure(
    declaration: Declaration, located: Located, *, now: dt.datetime, holds: Sequence[HoldScope] = ()
) -> ErasurePlan:
    """Plan the erasure of the located subjects (GDPR Art. 17, clause C50). Changes nothing.

    Raises `PlanRefused` like `refuse_untrue`, and if the stores cannot do what the declaration requires for these rows:
    delete a row that a kept row must refer to, clear a NOT NULL reference, or mask a column that is too narrow. `check`
    reports the same for all tables, without rows.
    """
    refuse_untrue(declaration)
    return _Erasing(located, now, tuple(holds)).plan(declaration)


@dataclass(slots=True)
class _Erasing:
    """Decisions of one erasure, children before parents, so that the kept rows that need a parent are known."""

    located: Located
    now: dt.datetime
    holds: tuple[HoldScope, ...]
    gone: dict[str, list[FoundRow]] = field(default_factory=lambda: defaultdict(list))
    written: dict[tuple[str, Strategies], list[Target]] = field(default_factory=lambda: defaultdict(list))
    kept: dict[tuple[str, tuple[str, ...], str, str, dt.date | None], list[Target]] = field(
        default_factory=lambda: defaultdict(list)
    )
    needed: dict[tuple[str, tuple[str, ...]], set[Row]] = field(default_factory=lambda: defaultdict(set))
    """(place, columns) → values by which rows that stay refer to it."""
    problems: dict[MapProblem, None] = field(default_factory=dict)
    splits: dict[tuple[str, Strategies], tuple[Strategies, tuple[str, ...]]] = field(default_factory=dict)
    constraints: dict[str, Sequence[tuple[str, PersonLink]]] = field(default_factory=dict)

    def plan(self, declaration: Declaration) -> ErasurePlan:
        order = self.located.map.deletion_order
        for place in order:
            node = self.located.map[place]
            for row in self.located.rows.get(place, ()):
                self._decide(node, row)
        detached = list(self._detachments())
        if self.problems:
            raise PlanRefused(self.problems)
        writes = [RowChange(place, Stage.WRITE, how, tuple(rows)) for (place, how), rows in self.written.items()]
        deletes = [
            RowChange(place, Stage.DELETE, (), tuple((row.key, row.subjects) for row in self.gone[place]))
            for place in order
            if place in self.gone
        ]
        return ErasurePlan(
            declaration_hash=declaration.hash,
            located=self.located,
            changes=(*detached, *writes, *deletes),
            kept=tuple(KeptRows(*what, tuple(targets)) for what, targets in self.kept.items()),
            reviews=tuple(reviews(declaration, self.located)),
        )

    def _decide(self, node: Node, row: FoundRow) -> None:
        hold = next((hold for hold in self.holds if hold.covers(node.place, row.subjects)), None)
        keep = node.declared.keep
        erase = node.declared.erase
        if hold is not None:
            self._stay(node, row, {}, (hold.reason, hold.cite), None)
        elif keep is not None and not (until := period_of(self.located, node, row, keep, self.now)).is_over:
            self._stay(node, row, keep.meanwhile, (keep.because, keep.cite), until.day)
        elif row.others:
            self._stay(node, row, _share(node, row), ABOUT_OTHERS, None)
        elif deletes(node) and not self._is_needed(node, row):
            self.gone[node.place].append(row)
        else:
            why = (keep.because, keep.cite) if keep is not None else NOT_PERSONAL  # otherwise the plan is refused
            self._stay(node, row, erase.fields if erase is not None else {}, why, None)

    def _stay(
        self, node: Node, row: FoundRow, strategies: Mapping[str, Strategy], why: tuple[str, str], until: dt.date | None
    ) -> None:
        """Keep the row: apply *strategies* to it, and record its other personal fields as kept for reason *why*."""
        target = (row.key, row.subjects)
        writes, kept = self._split(node, tuple(strategies.items()))
        if writes:
            self.written[node.place, writes].append(target)
        if kept or not writes:
            self.kept[node.place, kept, *why, until].append(target)
        elif node.unlisted:
            self.kept[node.place, node.unlisted, *UNLISTED, None].append(target)
        for parent, link in self._constraints(node.place):
            value = self._values(node.place, row, link.columns)
            if None not in value and not set(link.columns) & {column for column, _ in writes}:
                self.needed[parent, link.to].add(value)

    def _split(self, node: Node, strategies: Strategies) -> tuple[Strategies, tuple[str, ...]]:
        """The strategies that write, and the personal fields that stay. Cached, because few combinations occur."""
        found = self.splits.get((node.place, strategies))
        if found is None:
            writes = tuple((column, how) for column, how in strategies if how is not Strategy.KEEP)
            self._refuse_faults(node, writes)
            kept = tuple(column for column in node.declared.fields if column not in dict(writes))
            found = self.splits[node.place, strategies] = (writes, kept)
        return found

    def _refuse_faults(self, node: Node, writes: Strategies) -> None:
        for name, how in writes:
            column = node.schema.column(name)
            if column is not None and (found := fault(node, column, how)) is not None:
                self._problem(node.place, f"erase.fields.{name}", *found)

    def _constraints(self, place: str) -> Sequence[tuple[str, PersonLink]]:
        """References that rows of *place* that stay must keep, to parents that may be deleted."""
        found = self.constraints.get(place)
        if found is None:
            map_ = self.located.map
            found = [(parent, link) for parent, link in map_.constraints_of(place) if deletes(map_[parent])]
            self.constraints[place] = found
        return found

    def _is_needed(self, node: Node, row: FoundRow) -> bool:
        """True if a row that stays must refer to this one. Then this row also stays, and its fields are treated."""
        needed = any(
            self._values(node.place, row, columns) in values
            for (place, columns), values in self.needed.items()
            if place == node.place
        )
        if needed and not (node.declared.erase and node.declared.erase.fields):
            self._problem(
                node.place,
                "erase",
                "a row that stays must refer to a row that would be deleted",
                "declare what happens to its fields then: erase: {rows: delete, fields: {NAME: mask, …}}",
            )
        return needed

    def _detachments(self) -> Iterator[RowChange]:
        """Clear references to rows to be deleted, from rows that are not deleted before them."""
        for node in self.located.map:
            going = self.gone.get(node.place, ())
            for place, link in node.referrers if going else ():
                referring = self.located.map[place]
                kinds = [referring.kind(column) for column in link.columns]
                by_value = {as_kinds(self._values(node.place, row, link.to), kinds): row.subjects for row in going}
                cut = (place, link.columns) in self.located.map.cut
                own = {row.key: chunk(row.subjects) for row in self.gone.get(place, ())}
                refers = [
                    (key, by_value[value])
                    for key, value in self.located.referring.get((place, link.columns), ())
                    if value in by_value
                ]
                late = [(key, owners) for key, owners in refers if key in own and own[key] > chunk(owners)]
                if is_nullable(referring, link.columns):
                    stay = [(key, owners) for key, owners in refers if cut or key not in own]
                    if targets := tuple(dict.fromkeys([*stay, *late])):
                        strategies = tuple((column, Strategy.NULL) for column in link.columns)
                        yield RowChange(place, Stage.DETACH, strategies, targets)
                elif late:
                    self._refuse(place, link, "plan these people one by one, those who refer to others first")
                elif place != node.place and any(cut or key not in own for key, _ in refers):
                    fix = f"treat the fields of {node.place} instead of deleting its rows, or declare whose they are"
                    self._refuse(place, link, fix)

    def _refuse(self, place: str, link: PersonLink, fix: str) -> None:
        message = f"{', '.join(link.columns)} refers to rows that are deleted, and must not be null"
        self._problem(place, f"refers_to.{link.name}", message, fix)

    def _values(self, place: str, row: FoundRow, columns: Iterable[str]) -> Row:
        return tuple(self.located.value(place, row, column) for column in columns)

    def _problem(self, place: str, path: str, message: str, fix: str) -> None:
        system, _, table = place.partition(".")
        self.problems[MapProblem(f"systems.{system}.tables.{table}.{path}", message, fix)] = None


def chunk(subjects: Sequence[int]) -> int:
    """The chunk in which a row is changed: that of its first subject."""
    return subjects[0] // SUBJECTS_PER_CHUNK


def deletes(node: Node) -> bool:
    """True if erasure deletes rows of this table, according to the declaration."""
    return node.declared.erase is not None and node.declared.erase.rows == "delete"


def _share(node: Node, row: FoundRow) -> dict[str, Strategy]:
    """Strategies for a row about several people: fields about the subject, and identifiers and references that name
    only the subject.

    A field without ``of`` in the declaration stays, unless the table declares ``shared: erase``.
    """
    alone = set(row.mine).difference(row.others)
    declared = node.declared.erase.fields if node.declared.erase is not None else {}
    joint = node.declared.shared == "erase"
    mine = [column for column, use in node.declared.fields.items() if use.of in alone or (use.of is None and joint)]
    mine += [link.columns[0] for link in node.links if link.kind is not None and link.name in alone]
    strategies = {column: declared.get(column) or _fallback(node, column) for column in mine}
    for link in node.links:
        if (
            link.parent is not None
            and link.name in alone
            and is_nullable(node, link.columns)
            and not set(link.columns) & set(node.key)
        ):
            strategies |= dict.fromkeys(link.columns, Strategy.NULL)
    return strategies


def _fallback(node: Node, column: str) -> Strategy:
    """Strategy for one person's field in a shared row, if the table declares only that rows are deleted."""
    found = node.schema.column(column)
    return Strategy.NULL if found is None or found.nullable else Strategy.MASK


def period_of(located: Located, node: Node, row: FoundRow, keep: Keep, now: dt.datetime) -> KeepingPeriod:
    """The period for which the law keeps a located row."""
    return kept_until(keep, None if keep.from_ is None else located.value(node.place, row, keep.from_), now)


# --- reviews -------------------------------------------------------------------------------------------------------


def reviews(declaration: Declaration, located: Located) -> Iterator[Review]:
    """Reviews for an identity that matches several people, rows found only by a shared value, and too many rows."""
    people: dict[tuple[str, int], list[FoundRow]] = defaultdict(list)
    rows: Counter[int] = Counter()
    shared: dict[tuple[str, int], list[FoundRow]] = defaultdict(list)
    for place, found in located.rows.items():
        node = located.map[place]
        loose = {link.name for link in node.links if link.shared}
        for row in found:
            rows.update(row.subjects)
            for subject in row.subjects:
                if node.is_person:
                    people[place, subject].append(row)
                elif loose.issuperset(row.mine):
                    shared[place, subject].append(row)
    rows_of_people = Counter(subject for _, subject in people)
    by_id = "identify the person by a row: --id SYSTEM.TABLE=KEY"
    limits = declaration.limits
    for (place, subject), found in people.items():
        if len(found) > limits.people:
            message = f"the identity matches {len(found)} people"
            yield Review(place, subject, message, by_id, named(located.map[place], found))
    for (place, subject), found in shared.items():
        if rows_of_people[subject] != 1:
            message = f"{len(found)} rows match by a value that several people may share"
            yield Review(place, subject, message, by_id, named(located.map[place], found))
    for subject, count in rows.items():
        if count > limits.rows:
            yield Review(
                "",
                subject,
                f"{count} rows exceed the limit of {limits.rows}",
                "raise limits.rows, or check why there are so many",
            )


def named(node: Node, rows: Iterable[FoundRow]) -> tuple[str, ...]:
    """References to the first `ROWS_MAX` of *rows* in the form of ``--id``; none if keys may be personal data."""
    declared = node.declared
    personal = {*declared.fields, *(it.column for it in (*declared.identity.values(), *declared.mentions.values()))}
    if personal.intersection(node.key):
        return ()
    return tuple(itertools.islice(filter(None, (_reference(node, row.key) for row in rows)), ROWS_MAX))


def _reference(node: Node, key: Row) -> str | None:
    """Reference to one row in the form of ``--id``; None if its key cannot be parsed back from text."""
    parts = [str(part) for part in key]
    typed = Identity(keys=((node.place, tuple(parts)),)) if all(parts) else None
    reference = f"{node.place}={','.join(parts)}"
    is_given_back = typed is not None and typed == Identity.of(ids=[reference])
    return reference if is_given_back and as_kinds(tuple(parts), [node.kind(it) for it in node.key]) == key else None
