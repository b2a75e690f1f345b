"""The base of every error that Troth raises on purpose.

A message says what happened, where, and how to fix it. It never holds a personal value: a store, a table, a column and
a keyed reference are enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class TrothError(Exception):
    """An operation was refused or failed; the message is for the person who can fix it."""


def install_hint(extra: str) -> str:
    """The command that installs *extra*. Troth is on no package index, and a project of that name there is unrelated:
    it is installed from a checkout, or from a wheel built from one."""
    return f"pip install '.[{extra}]' in the checkout of Troth"


@contextmanager
def needs(extra: str, refused: type[Exception], why: str) -> Iterator[None]:
    """Context manager for importing what *extra* installs. If it is not there, it raises *refused* with *why* it is
    needed and how to install it."""
    try:
        yield
    except ImportError:
        raise refused(f"{why}: {install_hint(extra)}") from None
