"""What a rule tells, and what every rule needs to tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from troth.declaration.model import Declaration
from troth.declaration.problems import Position, Severity, shown
from troth.declaration.systems import Reference, Table


@dataclass(frozen=True, slots=True)
class UnplacedProblem:
    """A problem that does not yet know its place."""

    code: str
    path: tuple[str, ...]
    message: str
    mend: str
    severity: Severity = Severity.ERROR
    where: Position | None = None
    """Where it stands, where that is no key."""


Faults: TypeAlias = Iterator[UnplacedProblem]
Rule: TypeAlias = Callable[[Declaration], Faults]
"""From a declaration to what is wrong with it. The code of a fault stays the same for ever."""


@dataclass(frozen=True, slots=True)
class TablePlace:
    """One table, with where it is."""

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


def meant(near: str | None, otherwise: str) -> str:
    return f"did you mean '{shown(near)}'?" if near else otherwise


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{shown(name)}'" for name in names)
