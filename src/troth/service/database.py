"""Transient errors of our own database: restarting, unreachable, locked, or disk full. Waiting fixes them, so they are
never recorded as an outcome; any other error is our bug and stays an error."""

from __future__ import annotations

import logging
import sqlite3
import time
from typing import Any, Final

from django.db import Error, InterfaceError, OperationalError, connections

WAIT_S_MAX: Final = 4
"""How long a web request waits for a lock or a connection. Workers wait longer."""
_SAID_EVERY_S: Final = 60.0
_STATEMENT_S_MAX: Final = 30
"""Time limit of one statement of a web request on PostgreSQL."""

_SQLSTATES: Final = ("08", "25006", "25P03", "40", "53", "55P03", "57", "58")
"""Prefixes: connection lost; read-only server, as during failover; idle-in-transaction timeout; transaction to be
retried; insufficient resources; lock not available; shutdown, startup or cancellation; system error."""
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
    """True if *error*, from Django, a driver or SQLAlchemy, is transient."""
    driver = getattr(error, "orig", None) or (error.__cause__ if isinstance(error, Error) else error)
    state = getattr(driver, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_SQLSTATES)
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE
    # No server code: the connection broke or was never made. Driver errors have the names that PEP 249 gives.
    return isinstance(error, (OperationalError, InterfaceError)) or type(driver).__name__ in {
        "OperationalError",
        "InterfaceError",
    }


_last_said: dict[str, float] = {}


def say_away(log: logging.Logger, words: str) -> None:
    """Log the current exception under *words*, at most once a minute: callers retry every second."""
    now = time.monotonic()
    if now - _last_said.get(words, -_SAID_EVERY_S) >= _SAID_EVERY_S:
        _last_said[words] = now
        log.exception(words)


def answer_soon() -> None:
    """Give this process, which answers people, database timeouts as short as somebody waits for a page."""
    described = connections.settings["default"]
    described["OPTIONS"] = hasty(described)


def hasty(described: Any) -> dict[str, Any]:
    """Options of Django's database settings *described*, with timeouts for processes that answer people."""
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
