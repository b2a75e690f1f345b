"""The base of every error that Troth raises on purpose.

A message says what happened, where, and how to fix it. It never holds a personal value: a store, a table, a column and
a keyed reference are enough.
"""

from __future__ import annotations


class TrothError(Exception):
    """An operation was refused or failed; the message is for the person who can fix it."""


def install_hint(extra: str) -> str:
    """The command that installs *extra*. Troth is on no package index, and a project of that name there is unrelated:
    it is installed from a checkout, or from a wheel built from one."""
    return f"pip install '.[{extra}]' in the checkout of Troth"
