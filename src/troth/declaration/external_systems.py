"""External systems (``asked:`` of a system): they answer for their people, and Troth does not read them."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, StrictBool, field_validator
from pydantic_core import PydanticCustomError

from troth.declaration.base import Period, StrictModel
from troth.declaration.purposes import Feed

ASKED_SCHEMES = frozenset(("https", "http", "hook", "hook+https", "hook+http", "mailchimp"))
"""URL schemes of systems that are asked."""

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class ListSync(Feed):
    """How a mailing list of a processor is kept in sync: the rows of *table* *where* people are on the company's own
    list are added to it, if each person's choices allow the purpose; stops and erasures are passed on both ways."""

    purpose: str
    """The purpose for which the list is written to, a key of ``purposes``."""
    email: str = "email"
    """The column of *table* with the address."""
    fields: dict[str, str] = {}
    """Merge fields of the list, each with the column that it is filled from when somebody is added."""
    tracking: StrictBool = False
    """Whether its campaigns may count who opens them and who clicks."""


class ExternalAccess(StrictModel):
    """How to ask a system that answers for itself: any service that speaks our protocol, or the application's own
    code."""

    answers: tuple[Literal["view", "port", "amend", "erase", "restrict", "object", "withdraw"], ...] = Field(
        min_length=1
    )
    """The rights that it answers. A system that answers ``restrict`` can also lift the restriction."""
    holds: dict[str, str] = {}
    """The data it holds about people: its own field names to data categories."""
    retain: Period | None = None
    """How long it keeps the data, as agreed with its operator."""
    by: tuple[Literal["email", "phone", "account", "name", "postal"], ...] = Field(default=("email",), min_length=1)
    """The kinds of identifier by which it knows people; no others are sent to it."""
    recipient: str | None = None
    """Its operator, a key of ``recipients``; by default the company itself."""
    secret: str | None = None
    """The shared secret with which both sides sign: a reference such as ``${DESK_SECRET}``. Required over HTTP. For a
    list of Mailchimp it is the API key."""
    sync: ListSync | None = None
    """For a list of Mailchimp: how it is kept in sync."""
    within: Period = Period(count=14, unit="day")
    """How long it may take before staff are alerted."""
    timeout_s: int = Field(default=30, ge=1, le=300, strict=True)
    """Timeout of one answer in seconds. Longer work is answered later, when it is asked again."""

    @field_validator("secret")
    @classmethod
    def _by_reference(cls, value: str | None) -> str | None:
        if value is not None and not _REFERENCE.fullmatch(value):
            raise PydanticCustomError("secret-literal", "the file contains a password or key")
        return value
