"""What the policy is and promises: its file, who may see how it is kept, and what shows each promise (``policy:``,
``promises:``)."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from troth.declaration.part import Date, Part

__all__ = ["Attestation", "Audience", "Policy", "Promise", "Publish", "Waiver"]


class Audience(enum.StrEnum):
    """Who may see a status, from the narrowest to the widest."""

    STAFF = "staff"
    AUDITOR = "auditor"
    CUSTOMER = "customer"
    PUBLIC = "public"


class Publish(Part):
    """Who may see the status of the promises."""

    status: Audience = Audience.STAFF


class Policy(Part):
    """The published policy: the text that the promises are quoted from."""

    file: Path
    effective: Date
    url: str = "/policy/"
    """Where the public reads it: a path below the organisation's site, or a whole URL."""
    language: str = "en"
    publish: Publish = Publish()


class Waiver(Part):
    """A known breach of a promise, accepted for a while. The approver is never the owner."""

    reason: str
    approver: str
    until: Date
    scope: tuple[str, ...] = ()
    """Controls that it covers; all of the promise's where left out."""


class Attestation(Part):
    """A named person's word for what nothing can measure. It is shown as ``stated``, never as ``kept``."""

    by: str
    says: str
    on: Date
    until: Date


class Promise(Part):
    """What the policy promises, in its own words, and what shows that it is kept."""

    quote: str
    """The sentence or a distinct part of it, exactly as published."""
    owner: str
    controls: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    """Systems or tables that the sentence speaks of (``logins``, ``logins.login``): what a control finds elsewhere does
    not touch it. Left out, it speaks of everything that its controls look at."""
    severity: Literal["low", "medium", "high"] = "medium"
    audience: Audience = Audience.PUBLIC
    """The widest audience that may see this promise's status, within what the policy publishes."""
    attest: Attestation | None = None
    waive: Waiver | None = None

    @model_validator(mode="after")
    def _approver_is_someone_else(self) -> Promise:
        if self.waive is not None and _same_person(self.waive.approver, self.owner):
            raise PydanticCustomError("waiver-self", "a waiver is approved by someone who does not own the promise")
        return self


def _same_person(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()
