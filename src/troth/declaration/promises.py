"""What the policy is and promises: its file, who may see how it is kept, and what shows each promise (``policy:``,
``promises:``)."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from troth.declaration.base import Date, Period, StrictModel, Words
from troth.declaration.versions import Announcement, DeclaredVersion, Reviewed
from troth.text import same_person

WAIVER_DAYS_MAX = 366
"""How long a waiver may still run."""
ATTESTATION_DAYS_MAX = 366
"""From the day on which a person gave their word to its last. What was so a year ago nobody knows without looking
again."""


class Audience(enum.StrEnum):
    """Who may see a status, from the narrowest to the widest."""

    STAFF = "staff"
    AUDITOR = "auditor"
    CUSTOMER = "customer"
    PUBLIC = "public"


class Granularity(enum.StrEnum):
    """How much of a check outsiders are told: its figures, only their order of magnitude, or no more than how the
    promise stands."""

    EXACT = "exact"
    BANDED = "banded"
    NONE = "none"


class Publish(StrictModel):
    """Who may see the status of the promises."""

    status: Audience = Audience.STAFF


class NotPromise(StrictModel):
    """A sentence of the policy that reads like a promise and is none: ``troth policy bind`` passes it over."""

    quote: Words
    because: Words


class Policy(StrictModel):
    """The published policy: the text that the promises are quoted from."""

    file: Path
    effective: Date
    url: str = "/policy/"
    """Where the public reads it: a path below the organisation's site, or a whole URL."""
    language: str = "en"
    announce: Announcement | None = None
    """How people learn of this version, where it promises less than the one before it."""
    reviewed: Reviewed | None = None
    """Who says that it promises no less than the one before it, where that is in doubt."""
    versions: tuple[DeclaredVersion, ...] = ()
    """The versions before this one, and those that will follow it."""
    not_promises: tuple[NotPromise, ...] = ()
    """What reads like a promise and is none, as somebody decided."""
    publish: Publish = Publish()


class Waiver(StrictModel):
    """A known breach of a promise, accepted for a while. The approver is never the owner, however that is written."""

    reason: Words
    approver: Words
    until: Date
    """The last day, at most a year ahead: a waiver that runs longer does not count until then."""
    scope: tuple[str, ...] = ()
    """Controls that it covers; all of the promise's where left out."""


class Attestation(StrictModel):
    """A named person's word for what nothing can measure. It is shown as ``stated``, never as ``kept``, and where the
    owner of the promise gives it, that is said beside it."""

    by: Words
    says: Words
    on: Date
    until: Date
    """The last day, at most a year after the first: a word that is to last longer does not count."""

    @property
    def is_too_long(self) -> bool:
        return (self.until - self.on).days > ATTESTATION_DAYS_MAX


class Promise(StrictModel):
    """What the policy promises, in its own words, and what shows that it is kept."""

    quote: Words
    """The whole sentence, item of a list or row of a table, exactly as published."""
    owner: Words
    controls: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    """Systems or tables that the sentence speaks of (``logins``, ``logins.login``): what a control finds elsewhere does
    not touch it. Left out, it speaks of everything that its controls look at."""
    severity: Literal["low", "medium", "high"] = "medium"
    audience: Audience = Audience.PUBLIC
    """The widest audience that may see this promise's status, within what the policy publishes."""
    delay: Period | None = None
    """Customers and the public see the status of so long ago, and nothing newer."""
    granularity: Granularity = Granularity.BANDED
    """How much of the checks customers and the public see."""
    failures: int | None = Field(default=None, ge=1, le=10, strict=True)
    """Failures in a row before this promise is broken; what each control says, where left out."""
    attest: Attestation | None = None
    waive: Waiver | None = None

    @model_validator(mode="after")
    def _approver_is_someone_else(self) -> Promise:
        if self.waive is not None and same_person(self.waive.approver, self.owner):
            raise PydanticCustomError("waiver-self", "a waiver is approved by someone who does not own the promise")
        return self
