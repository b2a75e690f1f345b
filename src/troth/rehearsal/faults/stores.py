"""Breaches in databases, folders and external systems: what there is, and what answers."""

from __future__ import annotations

import shutil
from pathlib import Path

from troth.hook import Right
from troth.rehearsal.breaches import breach
from troth.rehearsal.external_systems import LYING_HOOK, ScriptedOffer
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World
from troth.stores import StoreRefused, StoreUnreachable, is_asked

# --- the schema ------------------------------------------------------------------------------------------------------


def database_table(world: World) -> tuple[str, str]:
    """System and name of the first table with personal data in a scratch database."""
    for place, table in world.tables():
        system, _, name = place.partition(".")
        if table.fields and world.stores.is_database(system):
            return system, name
    raise Inapplicable("no table with personal data in a database")


@breach("stores.schema_declared", "A developer adds a column for dates of birth and declares nothing.")
def added_column(world: World) -> None:
    system, table = database_table(world)
    world.stores.run(system, f"ALTER TABLE `{table}` ADD COLUMN `date_of_birth_2` DATE")


@breach("stores.schema_declared", "A team copies customers into a table of its own.")
def copied_table(world: World) -> None:
    system, table = database_table(world)
    world.stores.run(system, f"CREATE TABLE `copy_of_{table}` AS SELECT * FROM `{table}`")  # noqa: S608


@breach("stores.schema_declared", "A migration renames a column, and the declaration keeps its old name.")
def renamed_column(world: World) -> None:
    system, table = database_table(world)
    column = next(iter(world.declaration.systems[system].tables[table].fields))
    world.stores.run(system, f"ALTER TABLE `{table}` RENAME COLUMN `{column}` TO `{column}_2`")


@breach("stores.schema_declared", "A migration moves a table to another name.")
def renamed_table(world: World) -> None:
    system, table = database_table(world)
    world.stores.run(system, f"ALTER TABLE `{table}` RENAME TO `{table}_v2`")


@breach("stores.schema_declared", "A new version of an application writes one more field into its files.")
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


@breach("stores.schema_declared", "A nightly job copies files beside the declared ones, with another ending.")
def copies_beside(world: World) -> None:
    for path in [it for it in _folder(world).rglob("*") if it.is_file()]:
        shutil.copy(path, f"{path}.bak")


@breach("stores.schema_declared", "Somebody packs old files into an archive of the same folder.")
def archive_beside(world: World) -> None:
    (_folder(world) / "2025.zip").write_bytes(b"PK")


@breach("stores.schema_declared", "A program copies files into a folder of its own beside the declared one.")
def copied_folder(world: World) -> None:
    files = [it for it in _folder(world).rglob("*") if it.is_file()]
    (copy := _folder(world) / "training").mkdir(exist_ok=True)
    for path in files:
        shutil.copy(path, copy)


@breach(
    "stores.schema_declared",
    "Somebody keeps a copy of a file under a name that begins with a dot.",
    unseen="such names are left to editors and other programs",
)
def hidden_copy(world: World) -> None:
    (_folder(world) / ".kept.jsonl").write_text('{"text": "Hello."}\n', encoding="utf-8")


@breach(
    "stores.schema_declared",
    "A team sets up a database of its own.",
    unseen="only declared systems are looked at",
)
def database_of_a_team(world: World) -> None:
    outside(world, "team.sqlite", "CREATE TABLE customer (email TEXT)")


@breach(
    "stores.schema_declared",
    "A view joins what was kept apart.",
    unseen="a view holds no data, and need not be declared",
)
def joining_view(world: World) -> None:
    system, table = database_table(world)
    world.stores.run(system, f"CREATE VIEW `report` AS SELECT * FROM `{table}`")  # noqa: S608


def outside(world: World, name: str, text: str) -> None:
    """A file at the company that is in no declared system."""
    folder = world.folder / "elsewhere"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


# --- external systems -------------------------------------------------------------------------------------------------


def _external(world: World) -> list[str]:
    """The external systems, first one that the promise is about."""
    asked = [name for name, it in world.declaration.systems.items() if is_asked(it)]
    names = sorted(asked, key=lambda name: not world.is_about(name))
    if not names or not world.is_about(names[0]):
        raise Inapplicable("no external system")
    return names


def _offer(world: World, offer: ScriptedOffer | None) -> None:
    """The first external system answers like this, or cannot be opened; the others as before."""
    first, *others = _external(world)
    changed: dict[str, object] = {first: offer} if offer is not None else {}
    world.inputs["asked"] = {**changed, **{name: ScriptedOffer() for name in others}}


@breach("stores.external_answer", "A service moves to another address and tells nobody.")
def moved_away(world: World) -> None:
    name = _external(world)[0]
    _offer(world, ScriptedOffer(trouble=StoreUnreachable(f"{name} does not answer", store=name, retryable=True)))


@breach("stores.external_answer", "A service is restored from a backup, with the secret of last year.")
def old_secret(world: World) -> None:
    name = _external(world)[0]
    _offer(
        world, ScriptedOffer(trouble=StoreRefused(f"the answer of {name} is not signed with our secret", store=name))
    )


@breach("stores.external_answer", "A new version of a service no longer answers one of the rights.")
def right_dropped(world: World) -> None:
    asked = world.declaration.systems[_external(world)[0]].asked
    assert asked is not None, "external systems say what they answer"
    _offer(world, ScriptedOffer(frozenset(Right) - {Right(asked.answers[-1])}))


@breach("stores.external_answer", "A server is set up anew without the secret of an external system.")
def secret_lost(world: World) -> None:
    _offer(world, None)


@breach(
    "stores.external_answer",
    "A service reports every erasure as done, and does nothing.",
    unseen="whether it does what it reports is checked after each request",
)
def lying_service(world: World) -> None:
    name = _external(world)[0]
    system = world.declaration.systems[name].model_copy(update={"store": LYING_HOOK})
    world.declare(systems={**world.declaration.systems, name: system})
