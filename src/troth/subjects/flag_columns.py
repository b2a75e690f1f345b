"""Flag columns (marks): tell an application not to use a person's rows (GDPR Art. 18, 21, 7(3)). Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from troth.declaration import OBJECTABLE, Basis, Declaration, FlagColumn, Problem, Severity, covers
from troth.rows.datamap import MapProblem, Node, PlanRefused
from troth.stores import Scalar
from troth.subjects.amend import AmendmentPlan, Rewrite, parsed
from troth.subjects.locate import Located
from troth.subjects.plan import Target, refuse_untrue, reviews

_NOW = "now"


def marked_for(declaration: Declaration, names: Collection[str]) -> frozenset[str]:
    """Those of *names* (``restricted``, or purposes) for which some table has a mark."""
    return frozenset(
        name
        for system in declaration.systems.values()
        for table in system.tables.values()
        for name in table.marks
        if name in names
    )


def plan_marks(
    declaration: Declaration, located: Located, names: Collection[str], *, now: dt.datetime, lifted: bool = False
) -> AmendmentPlan:
    """Plan which rows of the located subjects get marks, or with *lifted* lose them. *located* must come from `locate`
    with purpose ``amend``. Rows that already have the mark are not changed, so that its time stays. Raises
    `PlanRefused` like `refuse_untrue`, and for a mark that its column cannot hold."""
    refuse_untrue(declaration)
    rewrites: dict[tuple[str, tuple[str, ...]], list[tuple[Target, tuple[Scalar, ...], tuple[Scalar, ...]]]]
    rewrites = defaultdict(list)
    problems = list[MapProblem]()
    for node in located.map:
        marks = {mark.column: mark for name, mark in node.declared.marks.items() if name in names}
        if not marks or not located.rows.get(node.place):
            continue
        after = _values(node, marks, now, problems, lifted=lifted)
        for row in located.rows[node.place]:
            new: Mapping[str, tuple[Scalar, Scalar]] = {
                column: (before, after[column])
                for column in after
                if _is_to_set(before := located.value(node.place, row, column), after[column], marks[column], lifted)
            }
            if new:
                before_values, after_values = zip(*new.values(), strict=True)
                rewrites[node.place, tuple(new)].append(((row.key, row.subjects), before_values, after_values))
    if problems:
        raise PlanRefused(problems)
    return AmendmentPlan(
        declaration_hash=declaration.hash,
        located=located,
        rewrites=tuple(Rewrite(place, columns, tuple(rows)) for (place, columns), rows in rewrites.items()),
        kept=(),
        reviews=tuple(reviews(declaration, located)),
    )


def unmarked(declaration: Declaration) -> Iterator[Problem]:
    """Systems without a flag column for a purpose that people may stop, or for restriction if another system has one
    (GDPR Art. 18, 21, 7(3)). There a task asks staff to stop the use, and messages say so."""
    for name, purpose in declaration.purposes.items():
        if purpose.basis in OBJECTABLE or purpose.basis is Basis.CONSENT or covers("marketing", purpose.use):
            using = [key for key, system in declaration.systems.items() if name in system.purposes]
            yield from _unmarked(declaration, name, using, f"purposes.{name}")
    if marked_for(declaration, ["restricted"]):
        yield from _unmarked(declaration, "restricted", declaration.systems, "systems")


def _unmarked(declaration: Declaration, mark: str, systems: Iterable[str], path: str) -> Iterator[Problem]:
    without = [
        f"'{name}'"
        for name in systems
        if (system := declaration.systems[name]).is_looked_into
        and not system.is_troths
        and system.tables
        and not any(mark in table.marks for table in system.tables.values())
    ]
    if without:
        message = f"no column marks '{mark}' in {', '.join(without)}: somebody must stop it there by hand"
        fix = "declare the column that the application checks under 'marks' of a table"
        yield Problem("mark-missing", declaration.where(path), path, message, fix, Severity.NOTE)


@dataclass(frozen=True, slots=True)
class Flagged:
    """How far a mark is set for one person in one system, according to the rows read."""

    rows: int
    """Rows of the person in all tables of the system."""
    bearing: int
    """Rows with the mark."""
    lacking: int
    """Rows without the mark although their table has a column for it."""

    @property
    def holds(self) -> bool:
        """True if the application can see in its own rows that the use must stop."""
        return bool(self.bearing) and not self.lacking


def flags(located: Located, name: str) -> list[dict[str, Flagged]]:
    """For each located subject and system: how far the mark *name* is set in the rows read. Systems without rows of the
    subject are left out. Raises `PlanRefused` for a mark that its column cannot hold."""
    counts: list[dict[str, list[int]]] = [defaultdict(lambda: [0, 0, 0]) for _ in located.identities]
    problems = list[MapProblem]()
    for node in located.map:
        mark = node.declared.marks.get(name)
        # For marks with the value "now" the time is never compared, so any time will do.
        wanted = _values(node, {mark.column: mark}, _SOME_TIME, problems, lifted=False) if mark else {}
        for row in located.rows.get(node.place, ()):
            for subject in row.subjects:
                count = counts[subject][node.system]
                count[0] += 1
                if mark is not None:
                    bears = mark.column in wanted and not _is_to_set(
                        located.value(node.place, row, mark.column), wanted[mark.column], mark, lifted=False
                    )
                    count[1 if bears else 2] += 1
    if problems:
        raise PlanRefused(problems)
    return [{system: Flagged(*count) for system, count in systems.items()} for systems in counts]


_SOME_TIME = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def _is_to_set(before: Scalar, after: Scalar, mark: FlagColumn, lifted: bool) -> bool:
    return before != after and (lifted or mark.value != _NOW or before is None)


def _values(
    node: Node, marks: Mapping[str, FlagColumn], now: dt.datetime, problems: list[MapProblem], *, lifted: bool
) -> dict[str, Scalar]:
    values: dict[str, Scalar] = {}
    for name, mark in marks.items():
        column = node.schema.column(name)
        if column is None:
            continue
        text = mark.lifted if lifted else now.isoformat(timespec="seconds") if mark.value == _NOW else mark.value
        try:
            values[name] = parsed(column, text)
        except ValueError as fault:
            path = f"systems.{node.system}.tables.{node.table}.marks"
            problems.append(MapProblem(path, f"{name} cannot hold the mark: {fault}", "give a value that fits"))
    return values
