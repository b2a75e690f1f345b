"""The result of a rule, and what every rule needs to build it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from troth.declaration.model import Declaration
from troth.declaration.problems import Position, Severity, shown
from troth.declaration.systems import Reference, Table


@dataclass(frozen=True, slots=True)
class UnplacedProblem:
    """A problem without its place in the file."""

    code: str
    path: tuple[str, ...]
    message: str
    fix: str
    severity: Severity = Severity.ERROR
    where: Position | None = None
    """Its place, if it is not at a key."""


Faults: TypeAlias = Iterator[UnplacedProblem]
Rule: TypeAlias = Callable[[Declaration], Faults]
"""A rule: from a declaration to its faults. The code of a fault never changes."""


@dataclass(frozen=True, slots=True)
class TablePlace:
    """One table, with its system and name."""

    system: str
    name: str
    table: Table

    def path(self, *parts: str) -> tuple[str, ...]:
        return ("systems", self.system, "tables", self.name, *parts)

    @property
    def links(self) -> Iterator[tuple[str, str, Reference]]:
        for key, reference in self.table.belongs_to.items():
            yield "belongs_to", key, reference
        for key, reference in self.table.refers_to.items():
            yield "refers_to", key, reference


def places(declaration: Declaration) -> Iterator[TablePlace]:
    for system_name, system in declaration.systems.items():
        for name, table in system.tables.items():
            yield TablePlace(system_name, name, table)


def asked_categories(declaration: Declaration) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, system in declaration.systems.items():
        for held, category in system.asked.holds.items() if system.asked else ():
            yield ("systems", name, "asked", "holds", held), category


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{shown(name)}'" for name in names)
