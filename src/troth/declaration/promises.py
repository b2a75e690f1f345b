"""The policy and its promises: its file, who may see their status, and what proves each promise (``policy:``,
``promises:``)."""

from __future__ import annotations

import enum
import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from troth.declaration.base import Date, Period, StrictModel, Words, canonical
from troth.declaration.versions import Announcement, DeclaredVersion, Reviewed
from troth.text import same_person

WAIVER_DAYS_MAX = 366
"""Maximum remaining days of a waiver."""
ATTESTATION_DAYS_MAX = 366
"""Maximum days from the date of an attestation to its last day: nobody knows without checking again whether something
is still true after a year."""


class Audience(enum.StrEnum):
    """Audiences of a status, from the narrowest to the widest."""

    STAFF = "staff"
    AUDITOR = "auditor"
    CUSTOMER = "customer"
    PUBLIC = "public"


class Granularity(enum.StrEnum):
    """The detail of a check that outsiders see: its figures, only their order of magnitude, or only the status of the
    promise."""

    EXACT = "exact"
    BANDED = "banded"
    NONE = "none"


class Publish(StrictModel):
    """Who may see the status of the promises."""

    status: Audience = Audience.STAFF


class NotPromise(StrictModel):
    """A sentence of the policy that reads like a promise but is none: ``troth policy bind`` skips it."""

    quote: Words
    because: Words


class Policy(StrictModel):
    """The published policy: the text that the promises are quoted from."""

    file: Path
    effective: Date
    url: str = "/policy/"
    """Where it is published: a path below the organisation's site, or a whole URL."""
    language: str = "en"
    announce: Announcement | None = None
    """How people are told of this version, if it promises less than the one before."""
    reviewed: Reviewed | None = None
    """Who confirms that it promises no less than the one before, if that is in doubt."""
    versions: tuple[DeclaredVersion, ...] = ()
    """The versions before this one, and future ones."""
    not_promises: tuple[NotPromise, ...] = ()
    """Sentences that read like promises but are none, as somebody decided."""
    publish: Publish = Publish()


class Waiver(StrictModel):
    """A known breach of a promise, accepted for a while. The approver is never the owner, in whatever spelling. It
    counts only once a second person has approved exactly its text."""

    reason: Words
    approver: Words
    until: Date
    """The last day, at most a year ahead: a longer waiver does not count until it is within that."""
    scope: tuple[str, ...] = ()
    """The controls that it covers; by default all of the promise's."""


class Attestation(StrictModel):
    """A named person's statement about something that cannot be measured. It is shown as ``stated``, never as ``kept``,
    with a remark if the owner of the promise gives it. It counts only once a second person has approved exactly its
    text."""

    by: Words
    says: Words
    on: Date
    until: Date
    """The last day, at most a year after the first: a longer attestation does not count."""

    @property
    def is_too_long(self) -> bool:
        return (self.until - self.on).days > ATTESTATION_DAYS_MAX


def is_own(place: str) -> bool:
    """Whether *place*, a system or ``system.table``, is in Troth's own database."""
    return place.partition(".")[0] == "troth"


class Promise(StrictModel):
    """A promise of the policy, in its own words, and what proves that it is kept."""

    quote: Words
    """The whole sentence, item of a list or row of a table, exactly as published."""
    owner: Words
    controls: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    """Systems or tables that the sentence is about (``logins``, ``logins.login``; ``troth.mail_delivery`` for one of
    Troth's own): findings of a control elsewhere do not affect it. By default it is about everything that its controls
    examine."""
    severity: Literal["low", "medium", "high"] = "medium"
    audience: Audience = Audience.PUBLIC
    """The widest audience that may see this promise's status, within what the policy publishes."""
    delay: Period | None = None
    """Delay after which customers and the public see a status; they see nothing newer."""
    granularity: Granularity = Granularity.BANDED
    """The detail of the checks that customers and the public see."""
    failures: int | None = Field(default=None, ge=1, le=10, strict=True)
    """Failures in a row before this promise is broken; by default as each control says."""
    attest: Attestation | None = None
    waive: Waiver | None = None

    @property
    def waiver_hash(self) -> str | None:
        """What a second person approves: ``sha256:`` and the digits over the sentence, its owner, the waiver, and the
        controls that it covers. None without a waiver."""
        covered = sorted(self.waive.scope or self.controls) if self.waive else []
        return self._hash_with("waive", self.waive, controls=covered)

    @property
    def attestation_hash(self) -> str | None:
        """The same for the attestation."""
        return self._hash_with("attest", self.attest)

    def _hash_with(self, kind: str, given: StrictModel | None, **more: object) -> str | None:
        if given is None:
            return None
        meaning = {"quote": self.quote, "owner": self.owner, kind: given.model_dump(mode="json"), **more}
        return "sha256:" + hashlib.sha256(canonical(meaning).encode("ascii")).hexdigest()

    @model_validator(mode="after")
    def _approver_is_someone_else(self) -> Promise:
        if self.waive is not None and same_person(self.waive.approver, self.owner):
            raise PydanticCustomError("waiver-self", "the owner of a promise cannot approve its waiver")
        return self
