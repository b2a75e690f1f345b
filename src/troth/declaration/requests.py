"""How requests of people are answered: what a company decides beyond what the law says (``requests:``)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, StrictBool, field_validator

from troth.declaration.base import Period, StrictModel

Right = Literal["view", "amend", "erase", "restrict", "port", "object", "withdraw"]


class FlagColumn(StrictModel):
    """A column that the application heeds: rows that bear this value are not used."""

    column: str
    """A column of this table, personal or not."""
    value: str = Field(max_length=200)
    """What stands in it once the rows must not be used: ``"1"``, ``stopped``, or ``now`` for the moment."""
    lifted: str | None = Field(default=None, max_length=200)
    """What stands in it when the mark is lifted; empty where left out."""


class Requests(StrictModel):
    """How requests are answered. Everything here has a default that fits the law."""

    approve: tuple[Right, ...] = ()
    """Rights that a second person approves before anything is carried out, or shown."""
    window: Period | None = None
    """Before an erasure, the data is restricted for so long, and the person may think again."""
    verify: dict[Right, Literal["channel", "points", "account"]] = {}
    """The proof of identity that a right asks for, where more than the control of a channel is meant: ``points``, two
    stored data points besides; ``account``, signing in to the company's own login with a second factor, or three points
    and a declaration."""
    package: Period = Period(count=7, unit="day")
    """How long a package may be fetched."""
    languages: tuple[Literal["en", "de", "fr", "es"], ...] = ("en", "de", "fr", "es")
    """The languages of the privacy centre and of letters, the first where nobody has chosen."""
    serves: tuple[str, ...] = ()
    """The markets that the organisation offers itself to, as countries or states: whose laws may count."""
    keep: Period = Period(count=3, unit="year")
    """How long what was asked and answered stays after a case is closed; of some laws, at least two years."""
    by_mail: StrictBool = True
    """Whether the mailbox ``organisation.email`` is read for requests."""
    by_api: StrictBool = False
    """Whether the company's own application sends requests by the API, so that a token for it has to be in force."""

    @field_validator("package")
    @classmethod
    def _package_ends(cls, period: Period) -> Period:
        if period.unit == "year" or period.count < 1:
            raise ValueError("a package may be fetched for a day to some months")
        return period

    @field_validator("approve", mode="before", json_schema_input_type=tuple[Right, ...] | Right)
    @classmethod
    def _one_right(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value
