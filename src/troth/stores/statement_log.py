"""Logging the statements sent to databases as one hash: so that a check can prove its queries, and two checks can be
compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Noted:
    """The distinct statements sent during `noting`, without their values."""

    statements: set[str] = field(default_factory=set, repr=False)

    @property
    def hash(self) -> str:
        """``sha256:`` and 64 hexadecimal digits, independent of the order; empty without any statement."""
        if not self.statements:
            return ""
        return "sha256:" + hashlib.sha256("\0".join(sorted(self.statements)).encode()).hexdigest()


_NOTING: ContextVar[Noted | None] = ContextVar("noting", default=None)


@contextmanager
def noting(noted: Noted) -> Iterator[Noted]:
    """Record the database statements of this context in *noted*."""
    before = _NOTING.set(noted)
    try:
        yield noted
    finally:
        _NOTING.reset(before)


@contextmanager
def nothing_noted() -> Iterator[None]:
    """Suspend recording: for lookups that are cached, which would make two equal queries differ."""
    before = _NOTING.set(None)
    try:
        yield
    finally:
        _NOTING.reset(before)


def note(store: str, statement: str) -> None:
    """Record *statement* for *store*, if recording is on."""
    noted = _NOTING.get()
    if noted is not None:
        noted.statements.add(f"{store}\0{statement}")


def note_executed(_: Any, __: Any, statement: str, *___: Any) -> None:
    """A listener for SQLAlchemy's ``before_cursor_execute``."""
    note("", statement)
