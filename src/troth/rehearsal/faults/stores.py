"""Breaches in databases and folders: schema, ages of rows, links to people."""

from __future__ import annotations

import datetime as dt

from troth.declaration import Retention
from troth.rehearsal.breaches import breach
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World


def _rule(world: World) -> tuple[str, str, Retention]:
    """System, table and rule of the first retention rule that the promise is about, in a scratch database."""
    places = {place for place, _ in world.tables()}
    for rule in world.declaration.retention.values():
        system, _, table = rule.table.partition(".")
        if rule.table in places and world.stores.is_database(system):
            return system, table, rule
    raise Inapplicable("no retention rule over a database")


def _age(world: World, moment: dt.datetime | None) -> None:
    system, table, rule = _rule(world)
    text = moment.strftime("%Y-%m-%d %H:%M:%S") if moment else None
    statement = f"UPDATE `{table}` SET `{rule.from_}` = ? WHERE rowid = (SELECT min(rowid) FROM `{table}`)"  # noqa: S608
    world.stores.run(system, statement, text)


@breach("retention.nothing_overdue", "A deletion job misses a row.")
def missed_row(world: World) -> None:
    _, _, rule = _rule(world)
    day = rule.for_.before(world.now.date() - dt.timedelta(days=40))
    _age(world, dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC))


@breach("retention.nothing_overdue", "An import writes rows without the date from which their period is counted.")
def undated_row(world: World) -> None:
    if _rule(world)[2].empty is not None:
        raise Inapplicable("an empty date has a meaning")
    _age(world, None)


@breach("retention.nothing_overdue", "A wrong clock dates a row in the future, so that its period never ends.")
def row_of_tomorrow(world: World) -> None:
    _age(world, world.now + dt.timedelta(days=4000))


@breach("stores.schema_declared", "A developer adds a column for dates of birth and declares nothing.")
def added_column(world: World) -> None:
    place, _ = world.table()
    system, _, table = place.partition(".")
    if not world.stores.is_database(system):
        raise Inapplicable("no database")
    world.stores.run(system, f"ALTER TABLE `{table}` ADD COLUMN `date_of_birth_2` DATE")


@breach("stores.schema_declared", "A team copies customers into a table of its own.")
def copied_table(world: World) -> None:
    place, _ = world.table()
    system, _, table = place.partition(".")
    if not world.stores.is_database(system):
        raise Inapplicable("no database")
    world.stores.run(system, f"CREATE TABLE `copy_of_{table}` AS SELECT * FROM `{table}`")  # noqa: S608
