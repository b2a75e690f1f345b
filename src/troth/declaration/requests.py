"""How requests are answered: the company's decisions beyond what the law requires (``requests:``)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, StrictBool, field_validator

from troth.declaration.base import Period, StrictModel

Right = Literal["view", "amend", "erase", "restrict", "port", "object", "withdraw"]


class FlagColumn(StrictModel):
    """A column that the application obeys: rows with this value are not used."""

    column: str
    """A column of this table, personal or not."""
    value: str = Field(max_length=200)
    """The value that means that the rows must not be used: ``"1"``, ``stopped``, or ``now`` for the current time."""
    lifted: str | None = Field(default=None, max_length=200)
    """The value once the mark is lifted; by default empty."""


class Requests(StrictModel):
    """How requests are answered. Every default complies with the law."""

    approve: tuple[Right, ...] = ()
    """Rights for which a second person must approve before anything is carried out or shown."""
    window: Period | None = None
    """Cooling-off period before an erasure: the data is restricted, and the person may change their mind."""
    verify: dict[Right, Literal["channel", "points", "account"]] = {}
    """The proof of identity for a right, if control of a channel is not enough: ``points``, two stored data points as
    well; ``account``, signing in to the company's own login with a second factor, or three points and a declaration."""
    package: Period = Period(count=7, unit="day")
    """How long a package can be downloaded."""
    languages: tuple[Literal["en", "de", "fr", "es"], ...] = ("en", "de", "fr", "es")
    """The languages of the privacy centre and of messages; the first is the default."""
    serves: tuple[str, ...] = ()
    """The markets that the organisation serves, as countries or states: their laws may apply."""
    keep: Period = Period(count=3, unit="year")
    """How long requests and answers are kept after a case is closed; some laws require at least two years."""
    by_mail: StrictBool = True
    """Whether the mailbox ``organisation.email`` is read for requests."""
    by_api: StrictBool = False
    """Whether the company's own application sends requests by the API, so that an active token for it is required."""

    @field_validator("package")
    @classmethod
    def _package_ends(cls, period: Period) -> Period:
        if period.unit == "year" or period.count < 1:
            raise ValueError("give the period in days, weeks or months, at least 1")
        return period

    @field_validator("approve", mode="before", json_schema_input_type=tuple[Right, ...] | Right)
    @classmethod
    def _one_right(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value
