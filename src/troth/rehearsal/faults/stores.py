"""Breaches in databases, folders and external systems: what there is, and what answers."""

from __future__ import annotations

import shutil
from pathlib import Path

from troth.hook import Right
from troth.rehearsal.breaches import register
from troth.rehearsal.external_systems import LYING_HOOK, ScriptedOffer
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World
from troth.stores import StoreError, is_asked

# --- the schema ------------------------------------------------------------------------------------------------------


def database_table(world: World) -> tuple[str, str]:
    """System and name of the first table with personal data in a scratch database."""
    for system, name, table in world.database_tables():
        if table.fields:
            return system, name
    raise Inapplicable("no table with personal data in a database")


def change_schema(world: World, statement: str) -> None:
    """Run *statement* on a database, in which {table} is one with personal data, and {column} a column of it."""
    system, table = database_table(world)
    column = next(iter(world.declaration.systems[system].tables[table].fields))
    world.stores.run(system, statement.format(table=table, column=column))


def field_in_files(world: World) -> None:
    for place, table in world.tables():
        if table.fields and not world.stores.is_database(place.partition(".")[0]):
            return world.stores.put(place, "date_of_birth_2", "1980-05-17", world.declaration)
    raise Inapplicable("no files with personal data")


def _folder(world: World) -> Path:
    """The first folder of files that the promise is about."""
    for place, table in world.tables():
        folder = world.stores.folder / place.partition(".")[0]
        if table.fields and folder.is_dir():
            return folder
    raise Inapplicable("no folder of files with personal data")


def copy_files(world: World, folder: str = "", ending: str = "") -> None:
    """Copy the files of a folder into a *folder* of it, under their names and an *ending*."""
    files = [it for it in _folder(world).rglob("*") if it.is_file()]
    (copies := _folder(world) / folder).mkdir(exist_ok=True)
    for path in files:
        shutil.copy(path, copies / f"{path.name}{ending}")


def beside(world: World, name: str, content: str) -> None:
    """A file beside those of a folder."""
    (_folder(world) / name).write_text(content, encoding="utf-8")


def outside(world: World, name: str, content: str) -> None:
    """A file at the company that is in no declared system."""
    folder = world.folder / "elsewhere"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content, encoding="utf-8")


# --- external systems -------------------------------------------------------------------------------------------------


def _external(world: World) -> list[str]:
    """The external systems, first one that the promise is about."""
    asked = [name for name, it in world.declaration.systems.items() if is_asked(it)]
    names = sorted(asked, key=lambda name: not world.is_about(name))
    if not names or not world.is_about(names[0]):
        raise Inapplicable("no external system")
    return names


def no_answer(world: World, *, is_opened: bool = True, message: str = "it does not answer") -> None:
    """The first external system gives an error instead of an answer, or cannot even be opened."""
    error = StoreError(message, store=_external(world)[0])
    _offer(world, ScriptedOffer(trouble=error) if is_opened else None)


def _offer(world: World, offer: ScriptedOffer | None) -> None:
    """The first external system answers like this, or cannot be opened; the others as before."""
    first, *others = _external(world)
    changed: dict[str, object] = {first: offer} if offer is not None else {}
    world.inputs["asked"] = {**changed, **{name: ScriptedOffer() for name in others}}


def right_dropped(world: World) -> None:
    asked = world.declaration.systems[_external(world)[0]].asked
    assert asked is not None, "external systems say what they answer"
    _offer(world, ScriptedOffer(frozenset(Right) - {Right(asked.answers[-1])}))


def lying_service(world: World) -> None:
    world.change("systems", _external(world)[0], store=LYING_HOOK)


register(__name__)
