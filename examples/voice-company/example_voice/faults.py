"""Two honest faults, as they happen: a deletion job that missed some rows, and a column that somebody added.

With them, ``retention.nothing_overdue`` and ``stores.schema_declared`` are red for a reason that can be looked at.
`fix` does what the company should do about them, and both may be repeated.
"""

from __future__ import annotations

import datetime as dt
import random

from sqlalchemy import Connection, Date, Engine, bindparam, column, func, inspect, select, table, text, update

from example_voice import systems
from example_voice.systems import Places, connect

_LOGIN_DAYS = 90  # as the policy promises
_OVERDUE, _BIRTHDAYS = 7, 25


def plant(places: Places, *, seed: int, now: dt.datetime) -> None:
    """Make some web logins older than ninety days, and give the desk a ``date_of_birth`` that nobody declared."""
    rng = random.Random(f"faults {seed}")  # noqa: S311  # made-up dates
    for name, fault in (("logins", _forget_logins), ("desk", _ask_birthdays)):
        engine = connect(places.databases[name])
        try:
            fault(engine, rng, now)
        finally:
            engine.dispose()


def fix(places: Places, *, now: dt.datetime) -> None:
    """Delete the logins that are overdue and drop the column."""
    logins, desk = (connect(places.databases[name]) for name in ("logins", "desk"))
    try:
        with logins.begin() as connection:
            due = systems.login.c.at < now - dt.timedelta(days=_LOGIN_DAYS)
            connection.execute(systems.login.delete().where(due))
        if _has_birthdays(desk):
            with desk.begin() as connection:
                connection.execute(text("ALTER TABLE ticket DROP COLUMN date_of_birth"))
    finally:
        logins.dispose()
        desk.dispose()


def _forget_logins(engine: Engine, rng: random.Random, now: dt.datetime) -> None:
    login = systems.login
    with engine.begin() as connection:
        due = login.c.at < now - dt.timedelta(days=_LOGIN_DAYS)
        if connection.scalar(select(func.count()).where(due)):
            return
        rows = connection.execute(select(login).order_by(login.c.id).limit(_OVERDUE)).mappings().all()
        older = [
            {
                "row": row["id"],
                "when": now - dt.timedelta(days=_LOGIN_DAYS + rng.randint(2, 30), hours=rng.randint(0, 20)),
            }
            for row in rows
        ]
        if older:
            connection.execute(update(login).where(login.c.id == bindparam("row")).values(at=bindparam("when")), older)


def _has_birthdays(engine: Engine) -> bool:
    return any(found["name"] == "date_of_birth" for found in inspect(engine).get_columns("ticket"))


def _ask_birthdays(engine: Engine, rng: random.Random, now: dt.datetime) -> None:
    if _has_birthdays(engine):
        return
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE ticket ADD COLUMN date_of_birth DATE"))
        _fill_birthdays(connection, rng, now)


def _fill_birthdays(connection: Connection, rng: random.Random, now: dt.datetime) -> None:
    ticket = table("ticket", column("id"), column("date_of_birth", Date()))
    numbers = connection.scalars(select(ticket.c.id).order_by(ticket.c.id).limit(_BIRTHDAYS)).all()
    rows = [{"row": number, "born": now.date() - dt.timedelta(days=rng.randint(7_000, 28_000))} for number in numbers]
    if rows:
        born = update(ticket).where(ticket.c.id == bindparam("row")).values(date_of_birth=bindparam("born"))
        connection.execute(born, rows)
