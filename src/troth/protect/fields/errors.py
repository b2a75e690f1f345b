"""Errors of sealed columns, named for what the caller can do about them. No message holds a value."""

from __future__ import annotations

from troth.protect.errors import ProtectError


class FieldRefused(ProtectError):
    """A value does not fit a sealed column: it is not of the column's kind."""


class RowsLeft(ProtectError):
    """Some values do not open, *unopened* of them; all others were resealed."""

    def __init__(self, message: str, *, unopened: int = 0) -> None:
        super().__init__(message)
        self.unopened = unopened


class RowsRefused(ProtectError):
    """The database refused to read or change rows. Earlier changes stay, and the run can be repeated."""


class RowsBusy(RowsRefused):
    """A lock, a deadlock or a lost race: a retry may succeed."""


class SearchRefused(ProtectError):
    """A sealed column cannot be searched or written like that; the message says how."""


class PopulationTooSmall(SearchRefused):
    """With so few values each is recognised by its frequency, so an index would hide nothing."""

    def __init__(self, population: int, needed: int, *, is_compound: bool) -> None:
        fix = "index more columns with it" if is_compound else "index it together with another column"
        super().__init__(f"{population:,} distinct values are fewer than {needed:,}; {fix}, or do not search by it")
