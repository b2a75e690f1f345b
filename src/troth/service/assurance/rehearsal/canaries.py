"""Ordinary business and breaches of canaries: an erasure that leaves something of an invented person."""

from __future__ import annotations

import datetime as dt

from troth.rehearsal import Inapplicable, World, register
from troth.service.assurance.canaries import AGAIN_EVERY, allowing, tend
from troth.service.assurance.models import CanaryRow
from troth.service.core.deployment import current


def ordinary(world: World) -> None:
    """A canary is planted and erased."""
    tend(current(), now=world.now)


def _table(world: World) -> tuple[str, str, str]:
    """System and name of a table in which a canary was planted and deleted, and the names of its columns."""
    allowed = allowing(world.declaration)
    for system, name, table in world.database_tables():
        deletes = table.erase is not None and table.erase.rows == "delete" and table.keep is None
        if system in allowed and table.fields and deletes:
            columns = world.stores.schemas[system].tables[name].columns
            return system, name, ", ".join(f"`{it.name}`" for it in columns)
    raise Inapplicable("no database allows canaries and deletes the rows of a person")


def _plant_anew(world: World) -> None:
    CanaryRow.objects.all().delete()
    tend(current(), now=world.now)


def _copied(world: World, to: str) -> tuple[str, str]:
    """Have each new row of a table copied into another, and plant a canary anew. Returns system and table."""
    system, table, columns = _table(world)
    values = ", ".join(f"new.{name}" for name in columns.split(", "))
    world.stores.script(
        system,
        f"CREATE TABLE `{to}` AS SELECT {columns} FROM `{table}` WHERE 0;"  # noqa: S608
        f"CREATE TRIGGER `copies_{to}` AFTER INSERT ON `{table}` BEGIN INSERT INTO `{to}` VALUES ({values}); END",
    )
    _plant_anew(world)
    return system, table


def kept_by_trigger(world: World) -> None:
    system, table, _ = _table(world)
    world.stores.script(system, f"CREATE TRIGGER soft BEFORE DELETE ON `{table}` BEGIN SELECT RAISE(IGNORE); END")
    _plant_anew(world)


def written_back(world: World) -> None:
    system, table, columns = _table(world)
    values = ", ".join(f"old.{name}" for name in columns.split(", "))
    statement = f"INSERT INTO `{table}` ({columns}) VALUES ({values})"  # noqa: S608
    world.stores.script(system, f"CREATE TRIGGER back AFTER DELETE ON `{table}` BEGIN {statement}; END")
    _plant_anew(world)


def written_back_later(world: World) -> None:
    system, table = _copied(world, "archive")
    world.stores.script(system, f"INSERT INTO `{table}` SELECT * FROM archive")  # noqa: S608
    CanaryRow.objects.update(looked_at=world.now - AGAIN_EVERY)
    tend(current(), now=world.now)


def left_undone(world: World) -> None:
    if not CanaryRow.objects.update(begun_at=world.now - dt.timedelta(days=14)):
        raise Inapplicable("no canary was planted")


def copied(world: World) -> None:
    _copied(world, "mailing")


def written_otherwise(world: World) -> None:
    for system, name, table in world.database_tables():
        if table.belongs_to:
            column = next(iter(table.belongs_to.values())).columns[0]
            world.stores.run(system, f"UPDATE `{name}` SET `{column}` = '0'")  # noqa: S608
            return
    raise Inapplicable("no rows belong to others")


register(__name__)
