"""What sealed columns refuse, named for what the caller can do about it. No message holds a value."""

from __future__ import annotations

from troth.protect.errors import ProtectError

__all__ = [
    "FieldRefused",
    "PlainFound",
    "PopulationTooSmall",
    "RowsBusy",
    "RowsLeft",
    "RowsRefused",
    "SearchRefused",
]


class FieldRefused(ProtectError):
    """A value cannot stand in a sealed column: it is not of the column's kind."""


class PlainFound(FieldRefused):
    """A value in a sealed column is not sealed. Seal what is there already, or find out who wrote it."""


class RowsLeft(ProtectError):
    """Some values could not be sealed anew; all others were. *unopened* do not open, *plain* are not sealed."""

    def __init__(self, message: str, *, unopened: int = 0, plain: int = 0) -> None:
        super().__init__(message)
        self.unopened = unopened
        self.plain = plain


class RowsRefused(ProtectError):
    """The database refused to read or change rows. What was changed before stays, and can be gone on with."""


class RowsBusy(RowsRefused):
    """A lock, a deadlock or a lost race: the same may work when it is tried again."""


class SearchRefused(ProtectError):
    """A sealed column is not searched or written like that; the message says how."""


class PopulationTooSmall(SearchRefused):
    """Of so few values each is told from how often it occurs, so an index would hide nothing."""

    def __init__(self, population: int, needed: int, *, is_compound: bool) -> None:
        mend = "index more columns with it" if is_compound else "index it together with another column"
        super().__init__(f"{population:,} distinct values are fewer than {needed:,}; {mend}, or do not search by it")
