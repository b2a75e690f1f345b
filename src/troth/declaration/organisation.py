"""The controller and its data-protection officer."""

from __future__ import annotations

import zoneinfo

from pydantic import Field, field_validator

from troth.declaration.base import Country, StrictModel
from troth.declaration.processing import JointController, Representative


class Officer(StrictModel):
    """The data-protection officer (GDPR Art. 37) and how to contact them."""

    email: str
    deputy: str | None = None


class Organisation(StrictModel):
    """The controller, as GDPR Art. 13(1)(a)-(b) requires in every notice (clause C54)."""

    name: str
    country: Country
    """The country of establishment: ISO 3166-1 alpha-2, such as GB or DE."""
    address: str
    email: str
    phone: str | None = None
    number: str | None = None
    """The company's registration number."""
    regulator: str | None = None
    officer: Officer | None = None
    representative: Representative | None = None
    """Its representative where its people are, if it is established elsewhere (GDPR Art. 27)."""
    joint_controllers: dict[str, JointController] = {}
    """Joint controllers, who decide purposes together with it (GDPR Art. 26)."""
    site: str | None = None
    """The public home page, where checks of the site start."""
    logo: str | None = Field(default=None, max_length=200)
    """A picture for the pages, from this file's folder: SVG, PNG, JPEG or WebP, of at most 100 kB."""
    timezone: str | None = None
    """The time zone for deadlines, such as ``Europe/Berlin``; by default that of the country, if it has one."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in zoneinfo.available_timezones():
            raise ValueError("a time zone must be a name such as Europe/Berlin")
        return name
