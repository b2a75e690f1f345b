"""Checks of the blind indexes in a declaration: what each leaks, and which are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from troth.declaration import BlindSearch, Declaration, Problem, Severity
from troth.protect.fields.blind import IndexPlan, plan_index
from troth.protect.fields.errors import SearchRefused


def check(declaration: Declaration) -> Iterator[Problem]:
    """A note with the leak of every index; an error instead if its population is too small."""
    for path, _, search in _searches(declaration):
        try:
            plan = _plan(search)
        except SearchRefused as refused:
            yield declaration.problem("search-population", path, str(refused))
        else:
            yield declaration.problem("search-leak", path, plan.leaks(), severity=Severity.NOTE)


def check_rows(declaration: Declaration, rows: Mapping[str, int | None]) -> Iterator[Problem]:
    """A warning for every index over a table (``system.table``) with fewer *rows* than the declared values."""
    for path, table, search in _searches(declaration):
        found = rows.get(table)
        if found is not None and found < search.population:
            message = f"the table has about {found:,} rows, and so fewer values than the {search.population:,} declared"
            fix = "declare what it holds: among fewer values, more are alone in their bucket"
            yield declaration.problem("search-rows", path, message, fix, Severity.WARNING)


def _plan(search: BlindSearch) -> IndexPlan:
    columns = 1 + len(search.with_)
    return plan_index(search.population, columns=columns, values_per_bucket=search.values_per_bucket)


def _searches(declaration: Declaration) -> Iterator[tuple[str, str, BlindSearch]]:
    for system, it in declaration.systems.items():
        for name, table in it.tables.items():
            for column, use in table.fields.items():
                if use.search is not None:
                    path = f"systems.{system}.tables.{name}.fields.{column}.search"
                    yield path, f"{system}.{name}", use.search
