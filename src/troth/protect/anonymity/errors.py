"""Errors of anonymity, named for what the caller can do about them. No message holds a value of a table."""

from __future__ import annotations

from troth.protect.errors import ProtectError


class AnonymityError(ProtectError):
    """A measure, a release or its preparation was refused or failed; nothing was released."""


class AnonymityRefused(AnonymityError):
    """The arguments do not fit the table: a column, a type, a hierarchy or a bound; the message says which."""


class TargetNotReached(AnonymityError):
    """No generalisation reaches that k and l within the suppression bound; *needed* rows would be suppressed."""

    def __init__(self, message: str, *, needed: int) -> None:
        super().__init__(message)
        self.needed = needed


class BudgetSpent(AnonymityError):
    """The remaining budget does not cover this release. No noise was drawn and nothing was spent."""


class KeptRefused(AnonymityError):
    """The file of a budget or history is missing, damaged, accessible to others, or exists already; the message says
    what to fix. Such a file is never treated as one without releases."""
