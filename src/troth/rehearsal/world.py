"""The world of a rehearsal: a company like the declared one, in a folder, which faults may break as they like.

Everything that a fault can change is in files of the folder, in the scripted site, in the declaration, or is the time;
`World.restored` puts all of it back. No address of a real system is in it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from troth.declaration import Declaration, Table
from troth.policy import PolicyText
from troth.protect import Keyring
from troth.rehearsal.invented import InventedPerson, InventedRow
from troth.rehearsal.servers import InventedServer
from troth.rehearsal.site import ScriptedSite
from troth.rehearsal.stores import Inapplicable, ScratchStores


@dataclass(slots=True)
class World:
    """What a fault gets to break. *about* are the systems or tables that the promise is about; none means all."""

    folder: Path
    declaration: Declaration
    policy: PolicyText
    stores: ScratchStores
    scripted: ScriptedSite
    keyring: Keyring
    now: dt.datetime
    rows: Sequence[InventedRow] = ()
    """What the scratch stores were filled with; the last person has been erased since."""
    servers: Mapping[str, InventedServer] = field(default_factory=dict)
    """The invented servers of systems whose real store is one, by system."""
    about: tuple[str, ...] = ()
    inputs: dict[str, object] = field(default_factory=dict)
    """Inputs of controls that a fault replaces, by the name of the parameter."""

    @property
    def site(self) -> ScriptedSite:
        """The website. Raises `Inapplicable` if the company declares none."""
        if not self.declaration.organisation.site:
            raise Inapplicable("no website is declared")
        return self.scripted

    def declare(self, **changes: Any) -> None:
        """Change sections of the declaration."""
        self.declaration = self.declaration.model_copy(update=changes)

    def change(self, section: str, name: str, **changes: Any) -> None:
        """Change what a section of the declaration says under *name*, such as one of its recipients."""
        items = getattr(self.declaration, section)
        self.declare(**{section: {**items, name: items[name].model_copy(update=changes)}})

    def wait(self, days: float) -> None:
        """Let time pass in which nobody does anything."""
        self.now += dt.timedelta(days=days)

    def declare_table(self, place: str, table: Table) -> None:
        """Declare the table *place* of a declared system like this."""
        name, _, key = place.partition(".")
        self.change("systems", name, tables={**self.declaration.systems[name].tables, key: table})

    def is_about(self, system: str) -> bool:
        """Whether the promise is about *system*, or about a table of it."""
        return not self.about or any(_within(system, it) for it in self.about)

    @property
    def people(self) -> tuple[InventedPerson, ...]:
        """The invented people."""
        return tuple(dict.fromkeys(row.person for row in self.rows if row.person is not None))

    def put_back(self, person: InventedPerson) -> None:
        """Insert the rows of *person* again that are not there, as a restored backup does."""
        for row in self.rows:
            if row.person == person:
                with contextlib.suppress(Inapplicable):
                    self.stores.insert(row.place, [row], self.declaration)

    def tables(self) -> Iterator[tuple[str, Table]]:
        """The declared tables that the promise is about, with their places, that are in scratch databases."""
        for system, declared in self.declaration.systems.items():
            for name, table in declared.tables.items():
                place = f"{system}.{name}"
                if system in self.stores.schemas and (not self.about or any(_within(place, it) for it in self.about)):
                    yield place, table

    def table(self) -> tuple[str, Table]:
        """The first of `tables` that holds personal data. Raises `Inapplicable`."""
        for place, table in self.tables():
            if table.fields:
                return place, table
        raise Inapplicable("no table with personal data")

    def database_tables(self) -> Iterator[tuple[str, str, Table]]:
        """Those of `tables` that are in databases: system, name, and what is declared of it."""
        for place, table in self.tables():
            system, _, name = place.partition(".")
            if self.stores.is_database(system):
                yield system, name, table


def _within(place: str, part: str) -> bool:
    return place == part or place.startswith(f"{part}.") or part.startswith(f"{place}.")


class Baseline:
    """The state of a *world*, to which every fault is put back."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept = world.folder.with_name(f"{world.folder.name}.baseline")
        shutil.copytree(world.folder, self._kept)
        self._stamps = _stamps(world.folder)
        self._declaration, self._policy = world.declaration, world.policy
        self._site, self._now = world.scripted.copy(), world.now
        self._servers = dict(world.servers)

    @contextlib.contextmanager
    def restored(self) -> Iterator[World]:
        """Context manager: the world, which is as before afterwards."""
        try:
            yield self._world
        finally:
            world = self._world
            world.declaration, world.policy = self._declaration, self._policy
            world.scripted, world.now = self._site.copy(), self._now
            world.servers = dict(self._servers)
            world.about, world.inputs = (), {}
            self._put_back()

    def _put_back(self) -> None:
        """Copy every file that has changed, and remove those that are new."""
        folder, stamps = self._world.folder, _stamps(self._world.folder)
        for name in stamps.keys() - self._stamps.keys():
            (folder / name).unlink()
        for name, stamp in self._stamps.items():
            if stamps.get(name) != stamp:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self._kept / name, folder / name)
        self._stamps = _stamps(folder)


def _stamps(folder: Path) -> Mapping[str, tuple[int, int, int]]:
    """The files below *folder*, each with what changes when it does."""
    files = (path for path in folder.rglob("*") if path.is_file())
    stats = {str(path.relative_to(folder)): path.stat() for path in files}
    return {name: (it.st_mtime_ns, it.st_ctime_ns, it.st_size) for name, it in stats.items()}
