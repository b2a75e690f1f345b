"""The root of every error that Troth raises on purpose.

A message says what happened, where, and how to mend it. It never holds a personal value: a store, a table, a
column and a keyed reference are enough.
"""

from __future__ import annotations


class TrothError(Exception):
    """Something was refused or failed, and the message is meant for the person who can mend it."""


def install_hint(extra: str) -> str:
    """The command that installs what *extra* brings. Troth is on no package index, and whoever has its name there has
    nothing to do with it: it is installed from a checkout, or from a wheel that was built from one."""
    return f"pip install '.[{extra}]' in the checkout of Troth"
