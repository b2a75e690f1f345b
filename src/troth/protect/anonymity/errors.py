"""What anonymity refuses, named for what the caller can do about it. No message holds a value of a table."""

from __future__ import annotations

from troth.protect.errors import ProtectError


class AnonymityError(ProtectError):
    """A measure, a release or its preparation was refused or failed; nothing was released."""


class AnonymityRefused(AnonymityError):
    """The question does not fit the table: a column, a type, a hierarchy or a bound; the message says which."""


class TargetNotReached(AnonymityError):
    """The table cannot be brought to that k and l within the bound on suppression; *needed* rows would have to go."""

    def __init__(self, message: str, *, needed: int) -> None:
        super().__init__(message)
        self.needed = needed


class BudgetSpent(AnonymityError):
    """What is left of the budget does not pay for this release. No noise was drawn and nothing was spent."""


class KeptRefused(AnonymityError):
    """The file of a budget or of a history is missing, damaged, not for its owner alone, or there already; the message
    says what to mend. It is never taken for one in which nothing was released."""
