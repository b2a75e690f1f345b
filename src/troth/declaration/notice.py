"""Content of a notice that no other part of the declaration has (``notice:``, GDPR Art. 13-14, CalOPPA, CCPA)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool

from troth.declaration.base import StrictModel, Title

SpecialCondition = Literal[
    "explicit_consent",
    "employment",
    "vital_interests",
    "members",
    "made_public",
    "legal_claims",
    "public_interest",
    "health_care",
    "public_health",
    "archives",
]
"""The conditions of GDPR Art. 9(2)(a)-(j), in that order."""


class DataSource(StrictModel):
    """A source of data other than forms (GDPR Art. 14(2)(f))."""

    title: Title
    """A phrase that follows "from": ``our customers, who send us recordings``."""
    data: tuple[str, ...] = Field(min_length=1)
    """Data categories; a key includes all below it."""
    is_public: StrictBool = Field(default=False, alias="public")
    """Whether it is publicly accessible."""


class Decision(StrictModel):
    """An automated decision about people, with legal or similar effect (GDPR Art. 13(2)(f), 22)."""

    title: str
    logic: str
    """The data it uses, and the criteria."""
    effect: str
    """The consequence for the person."""


class Signals(StrictModel):
    """How the site responds to browser signals (CalOPPA 22575(b)(5), 11 CCR 7025)."""

    gpc: Literal["honoured", "ignored"]
    dnt: Literal["honoured", "ignored"]


class Announcing(StrictModel):
    """How people are told of a change of the policy (CalOPPA 22575(b)(3))."""

    how: tuple[Literal["email", "site"], ...] = Field(min_length=1)
    days_before: int = Field(ge=0, le=365, strict=True)
    """Days before the change takes effect."""


class Notice(StrictModel):
    """Additional content of the rendered notice."""

    sources: dict[str, DataSource] = {}
    """Sources of data other than the collection points."""
    decisions: Literal["none"] | dict[str, Decision] | None = None
    """``none``, or the automated decisions about people."""
    children: Literal["none"] | int | None = None
    """``none`` if the offer is not meant for children, or the age from which one may use it without a parent."""
    signals: Signals | None = None
    elsewhere: Literal["none"] | tuple[str, ...] | None = None
    """Recipients that track people over time and across sites; ``none`` if nobody does (CalOPPA 22575(b)(6))."""
    sold_before: Literal["none"] | None = None
    """``none`` if the company knows that in the past twelve months it neither sold personal information nor shared it
    for advertising, nor any of people under 16 (CCPA 1798.130(a)(5)(C)). No record proves that; a person must state it.
    """
    changes: Announcing | None = None
    requests: str = "/your-data/"
    """The page for requests."""
    complaints: str = "/your-data/complain/"
    """The page for complaints (DPA 2018 s. 164A)."""
    choices: str = "/cookies/"
    """The page for changing cookie choices."""
