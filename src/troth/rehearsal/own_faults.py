"""The company's own faults (``faults:`` of its declaration) as breaches."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from troth.declaration import Declaration, OwnFault
from troth.rehearsal.breaches import RehearsedBreach
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World

_SECONDS_MAX: Final = 20.0
_REFUSED: Final = frozenset({sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA})
"""What would reach other files than the scratch database; VACUUM attaches one, too."""


def own_breaches(declaration: Declaration) -> list[RehearsedBreach]:
    """One breach for each fault and each control that it breaks. They raise `Inapplicable` if they change nothing."""
    return [
        RehearsedBreach(id_, fault.breach, partial(_plant, fault), is_own=True)
        for fault in declaration.faults.values()
        for id_ in fault.breaks
    ]


def _plant(fault: OwnFault, world: World) -> None:
    if fault.sql is not None:
        if fault.sql.system not in world.stores.schemas or not world.stores.is_database(fault.sql.system):
            raise Inapplicable(f"{fault.sql.system} is no database here")
        _run(world.stores.file(fault.sql.system), fault.sql.run)
        return
    assert fault.page is not None, "a fault has one of the two"
    page = world.site.pages.get(fault.page.path)
    if page is None:
        raise Inapplicable(f"the scripted website has no page {fault.page.path}")
    if fault.page.out not in world.site.shown(fault.page.path):
        raise Inapplicable(f"{fault.page.path} of the scripted website does not hold that text")
    page.left_out += (fault.page.out,) if fault.page.out else ()
    page.body += fault.page.put


def _run(file: Path, statement: str) -> None:
    before, until = file.read_bytes(), time.monotonic() + _SECONDS_MAX
    try:
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.set_authorizer(lambda action, *_: int(action in _REFUSED))  # 1 is SQLITE_DENY
            connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
            connection.execute(statement).fetchall()
    except (sqlite3.Error, sqlite3.Warning) as refused:
        raise Inapplicable(f"SQLite, which is the database here, refuses the statement: {refused}") from None
    if file.read_bytes() == before:
        raise Inapplicable("the statement changes no row of the invented company")
