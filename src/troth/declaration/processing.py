"""What the record of processing and the assessment of risks ask for besides (GDPR Art. 26-28, 30, 35): who else is
responsible, whose data it is, and what makes a purpose risky (``representative``, ``controllers``, ``risk``).

Everything here may be left out. `troth.reports` says what is then missing, and where it goes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool, field_validator

from troth.declaration.base import Country, Date, Period, StrictModel

Role = Literal["controller", "processor"]


class Representative(StrictModel):
    """Who stands for a company that is not established where its people are (GDPR Art. 27)."""

    name: str
    address: str
    email: str


class JointController(StrictModel):
    """Someone who decides the purposes together with us (GDPR Art. 26)."""

    name: str
    country: Country
    email: str
    address: str | None = None
    purposes: tuple[str, ...] = ()
    """The purposes decided together; all of them where left out."""


class ActedFor(StrictModel):
    """A controller on whose behalf we act as a processor (GDPR Art. 30(2)(a))."""

    name: str
    country: Country
    email: str
    address: str | None = None
    officer: str | None = None
    """The address of their data-protection officer."""
    representative: Representative | None = None
    purposes: tuple[str, ...] = ()
    """What we do for them; every purpose with ``role: processor`` where left out."""


class Assessment(StrictModel):
    """A data-protection impact assessment that was made (GDPR Art. 35(7))."""

    file: str
    """Where it is kept."""
    on: Date


class Risk(StrictModel):
    """What makes a purpose risky, as the company states it (GDPR Art. 35). What is left out is not known: no answer is
    never taken for *no*."""

    people: int | None = Field(default=None, ge=0, strict=True)
    """About how many people the data is about."""
    large_scale: StrictBool | None = None
    """Whether that is a large scale, where the company has decided so itself."""
    evaluates: StrictBool | None = None
    """People are scored, rated or profiled."""
    decides: StrictBool | None = None
    """Decisions with legal or similarly significant effects are made by machines alone (GDPR Art. 22)."""
    monitors: StrictBool | None = None
    """People are watched systematically: their behaviour, their place, their devices."""
    public_area: StrictBool | None = None
    """... in an area that is open to the public."""
    matches: StrictBool | None = None
    """Data that was collected for other purposes, or by others, is combined."""
    vulnerable: tuple[str, ...] | None = None
    """Who among the people can hardly refuse: children, employees, patients. An empty list says: nobody."""
    new_technology: StrictBool | None = None
    """Technology is used in a way that is new, and not yet understood well."""
    prevents: StrictBool | None = None
    """Its outcome decides whether somebody gets a service or a contract, or can use a right."""
    unseen: StrictBool | None = None
    """The data comes from others, and the people are not told (GDPR Art. 14(5)(b))."""
    physical_harm: StrictBool | None = None
    """A breach could endanger somebody's health or safety."""
    assessment: Assessment | None = None


class ProofSettings(StrictModel):
    """What is kept to show that the policy is kept (GDPR Art. 5(2))."""

    keep: Period = Period(count=3, unit="year")
    """How long checks stay. The latest ones, and those that a status still rests on, stay longer."""

    @field_validator("keep")
    @classmethod
    def _outlives_a_review(cls, period: Period) -> Period:
        if period.count < {"day": 365, "week": 53, "month": 12, "year": 1}[period.unit]:
            raise ValueError("evidence stays for a year at least: a review looks back as long")
        return period
