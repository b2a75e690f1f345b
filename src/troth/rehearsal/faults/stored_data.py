"""Breaches in what databases and folders hold: ages of rows, kinds of data, links to people."""

from __future__ import annotations

import datetime as dt

from troth.declaration import Reference, Retention, Table, covers
from troth.rehearsal.breaches import register
from troth.rehearsal.faults.stores import database_table
from troth.rehearsal.invented import dated
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World
from troth.stores import ColumnKind, Scalar

# --- how long rows stay ----------------------------------------------------------------------------------------------


def _rule(world: World) -> Retention:
    """The first retention rule that the promise is about, over rows that are not kept for ever."""
    declared = dict(world.tables())
    for rule in world.declaration.retention.values():
        keep = declared[rule.table].keep if rule.table in declared else None
        if rule.table in declared and (keep is None or keep.for_ is not None):
            return rule
    raise Inapplicable("no retention rule over a table that is looked into")


def _kind(world: World, place: str, column: str) -> ColumnKind:
    system, _, table = place.partition(".")
    schema = world.stores.schemas[system].tables.get(table)
    known = schema.column(column) if schema is not None else None
    if known is None:
        raise Inapplicable("the column is computed")
    return known.kind


def age(world: World, value: dt.datetime | str | None) -> None:
    """Write *value* where the period of a row starts, and where that of a law does."""
    rule = _rule(world)
    keep = (world.declaration.table_at(rule.table) or Table()).keep
    for column in dict.fromkeys((rule.from_, keep.from_ if keep and keep.from_ else rule.from_)):
        kind = _kind(world, rule.table, column)
        stored = dated(kind, value) if isinstance(value, dt.datetime) else value
        world.stores.put(rule.table, column, stored, world.declaration)


def _expired(world: World, days: int) -> dt.datetime:
    """A start so long ago that the period, and what a law adds to it, ended that many *days* ago."""
    rule, day = _rule(world), world.now.date() - dt.timedelta(days=days)
    keep = (world.declaration.table_at(rule.table) or Table()).keep
    starts = [period.before(day) for period in (rule.for_, keep.for_ if keep else None) if period is not None]
    return dt.datetime.combine(min(starts), dt.time(), tzinfo=dt.UTC)


def overdue(world: World, days: int) -> None:
    age(world, _expired(world, days))


def undated_row(world: World) -> None:
    if _rule(world).empty is not None:
        raise Inapplicable("an empty date has a meaning")
    age(world, None)


def row_of_tomorrow(world: World) -> None:
    if _rule(world).ahead is not None:
        raise Inapplicable("a date in the future has a meaning")
    age(world, world.now + dt.timedelta(days=4000))


def moved_date(world: World) -> None:
    age(world, _expired(world, 40))
    age(world, world.now - dt.timedelta(days=1))


def early_deletion(world: World) -> None:
    system, _, table = _rule(world).table.partition(".")
    if not world.stores.is_database(system):
        raise Inapplicable("the rows are in files")
    world.stores.run(system, f"DELETE FROM `{table}` WHERE rowid = (SELECT min(rowid) FROM `{table}`)")  # noqa: S608


# --- kinds of data ----------------------------------------------------------------------------------------------------


def write_in_free_text(world: World, note: str) -> None:
    for place, table in world.tables():
        for column, use in table.fields.items():
            if use.free_text and not use.sealed and not use.may_hold and column not in table.published:
                return world.stores.put(place, column, note, world.declaration)
    raise Inapplicable("no free text")


def new_column(world: World, name: str, value: Scalar, *, is_ignored: bool = False) -> None:
    """A column that a table has besides, with the same *value* in every row."""
    system, table = database_table(world)
    world.stores.run(
        system, f"ALTER TABLE `{table}` ADD COLUMN `{name}` {'BLOB' if isinstance(value, bytes) else 'TEXT'}"
    )
    world.stores.run(system, f"UPDATE `{table}` SET `{name}` = ?", value)  # noqa: S608
    if is_ignored:
        declared = world.declaration.systems[system].tables[table]
        ignored = declared.model_copy(update={"ignore": (*declared.ignore, name)})
        world.declare_table(f"{system}.{table}", ignored)


def shifted_columns(world: World) -> None:
    for system, name, table in world.database_tables():
        for column, use in table.fields.items():
            if covers("user.name", use.category) and not use.sealed:
                world.stores.run(system, f"UPDATE `{name}` SET `{column}` = ?", "+44 20 7946 0958")  # noqa: S608
                return
    raise Inapplicable("no column of names in a database")


def scanned_passport(world: World) -> None:
    new_column(world, "scan_2", b"\x89PNG\r\n\x1a\n" + bytes(range(64)), is_ignored=True)


# --- links to people --------------------------------------------------------------------------------------------------


def _linked(world: World) -> tuple[str, str, Reference]:
    """A table whose rows lead to a person by nothing but one link: place, the column, and where it leads."""
    for place, table in world.tables():
        links = list(table.belongs_to.values())
        is_led_by_one = len(links) == 1 and not (table.identity or table.mentions or table.keep or table.unlinked)
        if table.fields and is_led_by_one and len(links[0].columns) == 1:
            return place, links[0].columns[0], links[0]
    raise Inapplicable("no table whose rows lead to a person by one link")


def _value(world: World, place: str, column: str, at: int = 0) -> Scalar:
    """What the invented rows of *place* hold there."""
    values = [row.values[column] for row in world.rows if row.place == place and row.values[column] is not None]
    if len(values) <= at:
        raise Inapplicable(f"{place} has too few rows")
    return values[at]


def deleted_by_hand(world: World) -> None:
    place, column, link = _linked(world)
    system = link.system or place.partition(".")[0]
    if not world.stores.is_database(system):
        raise Inapplicable("the people are in files")
    world.stores.run(system, f"DELETE FROM `{link.table}` WHERE `{link.to[0]}` = ?", _value(world, place, column))  # noqa: S608


def row_of_nobody(world: World) -> None:
    place, column, _ = _linked(world)
    world.stores.put(place, column, None, world.declaration)


def other_number(world: World) -> None:
    place, column, _ = _linked(world)
    is_number = isinstance(_value(world, place, column), int)
    world.stores.put(place, column, 987_654_321 if is_number else "X-987654321", world.declaration)


def unlinked_copy(world: World) -> None:
    for system, name, table in world.database_tables():
        has_addresses = any(covers("user.contact.email", it.category) for it in table.fields.values())
        if has_addresses and not table.unlinked:
            world.stores.run(system, f"CREATE TABLE `copy_2` AS SELECT * FROM `{name}`")  # noqa: S608
            bare = Table(fields=table.fields, unlinked="numbers for reports", ignore=table.ignore)
            return world.declare_table(f"{system}.copy_2", bare)
    raise Inapplicable("no table of e-mail addresses in a database")


def wrong_person(world: World) -> None:
    place, column, _ = _linked(world)
    world.stores.put(place, column, _value(world, place, column, at=1), world.declaration)


register(__name__)
