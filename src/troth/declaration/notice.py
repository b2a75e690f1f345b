"""What a notice has to say and no other part of the declaration knows (``notice:``, GDPR Art. 13-14, CalOPPA, CCPA)."""

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
    """Where data comes from that no form asks for (GDPR Art. 14(2)(f))."""

    title: Title
    """In words, after "from": ``our customers, who send us recordings``."""
    data: tuple[str, ...] = Field(min_length=1)
    """Data categories; a key stands for all below it."""
    is_public: StrictBool = Field(default=False, alias="public")
    """Whether anybody can look there."""


class Decision(StrictModel):
    """Something that is decided about people by a machine alone, with effect (GDPR Art. 13(2)(f), 22)."""

    title: str
    logic: str
    """What it looks at, and what counts."""
    effect: str
    """What follows for the person."""


class Signals(StrictModel):
    """How the site answers signals of a browser (CalOPPA 22575(b)(5), 11 CCR 7025)."""

    gpc: Literal["honoured", "ignored"]
    dnt: Literal["honoured", "ignored"]


class Announcing(StrictModel):
    """How people learn of a change of the policy (CalOPPA 22575(b)(3))."""

    how: tuple[Literal["email", "site"], ...] = Field(min_length=1)
    days_before: int = Field(ge=0, le=365, strict=True)
    """How many days before the change counts."""


class Notice(StrictModel):
    """What the rendered notice says beside what the rest of the declaration holds."""

    sources: dict[str, DataSource] = {}
    """Where data comes from, beside the collection points."""
    decisions: Literal["none"] | dict[str, Decision] | None = None
    """``none``, or what a machine alone decides about people."""
    children: Literal["none"] | int | None = None
    """``none`` where the offer is not meant for children, or the age from which one may use it without a parent."""
    signals: Signals | None = None
    elsewhere: Literal["none"] | tuple[str, ...] | None = None
    """Recipients that watch what people do over time and across sites; ``none`` where nobody does
    (CalOPPA 22575(b)(6))."""
    sold_before: Literal["none"] | None = None
    """``none`` where the company knows that it neither sold personal information nor shared it for advertising in the
    past twelve months, nor any of people under 16 (CCPA 1798.130(a)(5)(C)). No record shows that; a person has to."""
    changes: Announcing | None = None
    requests: str = "/your-data/"
    """The page where people ask for what they have a right to."""
    complaints: str = "/your-data/complain/"
    """The page where they complain (DPA 2018 s. 164A)."""
    choices: str = "/cookies/"
    """The page where they change their mind about cookies."""
