"""The principles by which a policy is measured, and how far each is shown to be kept.

Each control names the principles that it serves (``catalogue.toml``, and ``controls:`` of a declaration); the
principles themselves are ``principles.toml`` beside this file.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from troth.controls.model import Control, Status
from troth.data_files import read_toml
from troth.declaration import Promise


@dataclass(frozen=True, slots=True)
class Principle:
    """One principle: its requirement, and its source. The id begins with its set, ``ftc`` or ``oecd``."""

    id: str
    title: str
    source: str
    asks: str

    @property
    def set(self) -> str:
        return self.id.partition(".")[0]


@functools.cache
def principles() -> Mapping[str, Principle]:
    """All principles by id, in the order of the file."""
    rows = read_toml(__package__, "principles.toml")
    return MappingProxyType({id_: Principle(id_, **row) for id_, row in rows.items()})


@dataclass(frozen=True, slots=True)
class Served:
    """How one principle is served: the number of promises by status among those bound to one of its controls, and how
    many of those are not shown."""

    principle: Principle
    by_status: Mapping[Status, int]
    privately: int = 0

    @property
    def promises(self) -> int:
        return sum(self.by_status.values()) + self.privately

    @property
    def is_kept(self) -> bool:
        """Whether at least one promise that serves it is shown to be kept."""
        return self.by_status.get(Status.KEPT, 0) > 0

    @property
    def is_broken(self) -> bool:
        """Whether at least one promise that serves it is shown to be broken."""
        return self.by_status.get(Status.BROKEN, 0) > 0


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every principle, with the promises that serve it."""

    rows: tuple[Served, ...]

    def of(self, set_: str) -> tuple[Served, ...]:
        """The principles of one set."""
        return tuple(row for row in self.rows if row.principle.set == set_)

    def kept(self, set_: str) -> int:
        """The number of a set's principles with a promise that is kept. They may have a broken one, too."""
        return sum(row.is_kept for row in self.of(set_))

    def broken(self, set_: str) -> int:
        """The number of a set's principles with a promise that is broken."""
        return sum(row.is_broken for row in self.of(set_))


def matrix(seen: Iterable[tuple[Promise, Status | None]], controls: Mapping[str, Control]) -> Matrix:
    """Match the promises, with the status shown to an audience (None if it is not shown), with the principles that
    their controls serve. A promise serves a principle once, however many of its controls do."""
    counts: dict[str, dict[Status, int]] = {id_: {} for id_ in principles()}
    hidden = dict.fromkeys(principles(), 0)
    for promise, status in seen:
        bound = (controls[id_] for id_ in promise.controls if id_ in controls)
        for principle in dict.fromkeys(id_ for control in bound for id_ in control.principles):
            if status is None:
                hidden[principle] += 1
            else:
                counts[principle][status] = counts[principle].get(status, 0) + 1
    ordered = {id_: {status: found[status] for status in Status if status in found} for id_, found in counts.items()}
    return Matrix(tuple(Served(each, ordered[id_], hidden[id_]) for id_, each in principles().items()))
