"""Marks: columns by which an application is told not to use a person's rows (GDPR Art. 18, 21, 7(3)). Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping

from troth.declaration import Declaration, Mark
from troth.stores import Scalar
from troth.subjects.amend import AmendmentPlan, Rewrite, parsed
from troth.subjects.datamap import MapProblem, Node
from troth.subjects.locate import Located
from troth.subjects.plan import PlanRefused, Target, refuse_untrue, reviews

__all__ = ["marked_for", "plan_marks"]

_NOW = "now"


def marked_for(declaration: Declaration, names: Collection[str]) -> frozenset[str]:
    """Which of *names* (``restricted``, or purposes) some table has a mark for."""
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
    """Decide which rows of the located get which marks, or, *lifted*, lose them. *located* must have been found to
    ``amend``. A row that bears the mark already is left as it is, with the moment that it has borne it since. Raises
    `PlanRefused` as `refuse_untrue` does, and for a mark that its column cannot hold."""
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


def _is_to_set(before: Scalar, after: Scalar, mark: Mark, lifted: bool) -> bool:
    return before != after and (lifted or mark.value != _NOW or before is None)


def _values(
    node: Node, marks: Mapping[str, Mark], now: dt.datetime, problems: list[MapProblem], *, lifted: bool
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
