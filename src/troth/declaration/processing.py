"""Further content of the record of processing and the risk assessment (GDPR Art. 26-28, 30, 35): other responsible
parties, the people concerned, and what makes a purpose risky (``representative``, ``controllers``, ``risk``).

Everything here is optional. `troth.reports` says what is missing, and where it goes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool, field_validator

from troth.declaration.base import Country, Date, Period, StrictModel

Role = Literal["controller", "processor"]


class Representative(StrictModel):
    """The representative of a company that is not established where its people are (GDPR Art. 27)."""

    name: str
    address: str
    email: str


class JointController(StrictModel):
    """A joint controller, who decides the purposes together with us (GDPR Art. 26)."""

    name: str
    country: Country
    email: str
    address: str | None = None
    purposes: tuple[str, ...] = ()
    """The purposes decided together; by default all."""


class ActedFor(StrictModel):
    """A controller for which we act as a processor (GDPR Art. 30(2)(a))."""

    name: str
    country: Country
    email: str
    address: str | None = None
    officer: str | None = None
    """The e-mail address of their data-protection officer."""
    representative: Representative | None = None
    purposes: tuple[str, ...] = ()
    """The purposes served for them; by default every purpose with ``role: processor``."""


class Assessment(StrictModel):
    """A completed data-protection impact assessment (GDPR Art. 35(7))."""

    file: str
    """Where it is stored."""
    on: Date


class Risk(StrictModel):
    """Risk factors of a purpose, as the company states them (GDPR Art. 35). An omitted answer is unknown: it is never
    taken for *no*."""

    people: int | None = Field(default=None, ge=0, strict=True)
    """The approximate number of people concerned."""
    large_scale: StrictBool | None = None
    """Whether that is a large scale, if the company has decided so itself."""
    evaluates: StrictBool | None = None
    """People are scored, rated or profiled."""
    decides: StrictBool | None = None
    """Decisions with legal or similarly significant effects are automated (GDPR Art. 22)."""
    monitors: StrictBool | None = None
    """People are monitored systematically: their behaviour, their location, their devices."""
    public_area: StrictBool | None = None
    """... in an area that is open to the public."""
    matches: StrictBool | None = None
    """Data collected for other purposes, or by others, is combined."""
    vulnerable: tuple[str, ...] | None = None
    """People among them who can hardly refuse: children, employees, patients. An empty list means nobody."""
    new_technology: StrictBool | None = None
    """Technology is used in a new way that is not yet well understood."""
    prevents: StrictBool | None = None
    """Its outcome decides whether somebody gets a service or a contract, or can exercise a right."""
    unseen: StrictBool | None = None
    """The data comes from others, and the people are not told (GDPR Art. 14(5)(b))."""
    physical_harm: StrictBool | None = None
    """A breach could endanger somebody's health or safety."""
    assessment: Assessment | None = None


class ProofSettings(StrictModel):
    """Settings for evidence that the policy is kept (GDPR Art. 5(2))."""

    keep: Period = Period(count=3, unit="year")
    """How long checks are kept. The latest ones, and those on which a status is still based, are kept longer."""

    @field_validator("keep")
    @classmethod
    def _outlives_a_review(cls, period: Period) -> Period:
        if period.count < {"day": 365, "week": 53, "month": 12, "year": 1}[period.unit]:
            raise ValueError("evidence must be kept for at least a year: reviews look back that far")
        return period
