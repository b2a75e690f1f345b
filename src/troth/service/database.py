"""Which errors of our own database pass: it restarts, is out of reach, locked, or has no room. Waiting mends them, so
they are never the outcome of anything; any other error is a mistake of ours and stays one."""

from __future__ import annotations

import sqlite3
from typing import Final

from django.db import Error, InterfaceError, OperationalError

__all__ = ["may_pass"]

_SQLSTATES: Final = ("08", "25006", "25P03", "40", "53", "55P03", "57", "58")
"""Connection lost; a server that only reads, as while another takes its place; ended while idle; to be repeated; no
room; lock not available; shutting down, starting up or cancelled; a fault of the machine. Each stands for what begins
with it."""
_SQLITE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)


def may_pass(error: BaseException) -> bool:
    """Whether *error* is one of Django's (or of a driver, or of SQLAlchemy) that waiting may mend."""
    driver = getattr(error, "orig", None) or (error.__cause__ if isinstance(error, Error) else error)
    state = getattr(driver, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_SQLSTATES)
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE
    # Without a code of a server the connection itself broke, or never came about. A driver's errors have the names that
    # PEP 249 gives them.
    return isinstance(error, (OperationalError, InterfaceError)) or type(driver).__name__ in {
        "OperationalError",
        "InterfaceError",
    }
