"""Who we are: the controller, and the officer for data protection."""

from __future__ import annotations

import zoneinfo

from pydantic import Field, field_validator

from troth.declaration.base import Country, StrictModel
from troth.declaration.processing import JointController, Representative


class Officer(StrictModel):
    """The data-protection officer (GDPR Art. 37): how a person reaches them."""

    email: str
    deputy: str | None = None


class Organisation(StrictModel):
    """The controller, as GDPR Art. 13(1)(a)-(b) has it named in every notice (clause C54)."""

    name: str
    country: Country
    """Where it is established: ISO 3166-1 alpha-2, such as GB or DE."""
    address: str
    email: str
    phone: str | None = None
    number: str | None = None
    """The company's registration number."""
    regulator: str | None = None
    officer: Officer | None = None
    representative: Representative | None = None
    """Who stands for it where its people are, where it is established elsewhere (GDPR Art. 27)."""
    joint_controllers: dict[str, JointController] = {}
    """Who decides purposes together with it (GDPR Art. 26)."""
    site: str | None = None
    """The public home page, from which the probes start."""
    logo: str | None = Field(default=None, max_length=200)
    """A picture for the pages, from this file's folder: SVG, PNG, JPEG or WebP, of at most 100 kB."""
    timezone: str | None = None
    """Where a day begins and ends for deadlines, such as ``Europe/Berlin``; that of the country where it has one."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in zoneinfo.available_timezones():
            raise ValueError("a time zone is a name such as Europe/Berlin")
        return name
