"""Which statements were put to databases, as one hash: so that a check can say what it asked, and two checks can be
told to have asked the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Noted:
    """The distinct statements that were put while `noting`, without the values that went with them."""

    statements: set[str] = field(default_factory=set, repr=False)

    @property
    def hash(self) -> str:
        """``sha256:`` and 64 hexadecimal digits, whatever the order; empty where nothing was asked."""
        if not self.statements:
            return ""
        return "sha256:" + hashlib.sha256("\0".join(sorted(self.statements)).encode()).hexdigest()


_NOTING: ContextVar[Noted | None] = ContextVar("noting", default=None)


@contextmanager
def noting(noted: Noted) -> Iterator[Noted]:
    """Note what this thread asks of databases from here on, in *noted*."""
    before = _NOTING.set(noted)
    try:
        yield noted
    finally:
        _NOTING.reset(before)


@contextmanager
def nothing_noted() -> Iterator[None]:
    """Ask without noting: what is looked up once and remembered, and would make two equal questions differ."""
    before = _NOTING.set(None)
    try:
        yield
    finally:
        _NOTING.reset(before)


def note(store: str, statement: str) -> None:
    """Note that *statement* was put to *store*, where somebody notes."""
    noted = _NOTING.get()
    if noted is not None:
        noted.statements.add(f"{store}\0{statement}")


def note_executed(_: Any, __: Any, statement: str, *___: Any) -> None:
    """SQLAlchemy's ``before_cursor_execute``."""
    note("", statement)
