"""What sealed columns refuse, named for what the caller can do about it. No message holds a value."""

from __future__ import annotations

from troth.protect.errors import ProtectError


class FieldRefused(ProtectError):
    """A value cannot stand in a sealed column: it is not of the column's kind."""


class RowsLeft(ProtectError):
    """Some values do not open, *unopened* of them; all others were sealed anew."""

    def __init__(self, message: str, *, unopened: int = 0) -> None:
        super().__init__(message)
        self.unopened = unopened


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
