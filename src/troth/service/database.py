"""Which errors of our own database pass: it restarts, is out of reach, locked, or has no room. Waiting mends them, so
they are never the outcome of anything; any other error is a mistake of ours and stays one."""

from __future__ import annotations

import logging
import sqlite3
import time
from typing import Any, Final

from django.db import Error, InterfaceError, OperationalError, connections

WAIT_S_MAX: Final = 4
"""How long a request of somebody waits for the database, for a lock or to connect. Workers wait longer."""
_SAID_EVERY_S: Final = 60.0
_STATEMENT_S_MAX: Final = 30
"""How long one statement of a request may take on PostgreSQL."""

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


_last_said: dict[str, float] = {}


def say_away(log: logging.Logger, words: str) -> None:
    """Log the error that is handled under *words*, once a minute: what waits for a database tries every second."""
    now = time.monotonic()
    if now - _last_said.get(words, -_SAID_EVERY_S) >= _SAID_EVERY_S:
        _last_said[words] = now
        log.exception(words)


def answer_soon() -> None:
    """Let this process, which answers people, wait no longer for our own database than somebody waits for a page."""
    described = connections.settings["default"]
    described["OPTIONS"] = hasty(described)


def hasty(described: Any) -> dict[str, Any]:
    """The options of Django's description of a database, for whoever answers people."""
    options = dict(described["OPTIONS"])
    if "sqlite" in described["ENGINE"]:
        return {**options, "timeout": WAIT_S_MAX}
    limits = f"-c lock_timeout={WAIT_S_MAX}s -c statement_timeout={_STATEMENT_S_MAX}s"
    return {
        **options,
        "connect_timeout": WAIT_S_MAX,
        "tcp_user_timeout": WAIT_S_MAX * 1000,
        "options": f"{options.get('options', '')} {limits}".strip(),
    }
