"""External systems (``asked:`` of a system): they answer for their people, and Troth does not read them."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from troth.declaration.base import Period, StrictModel

ASKED_SCHEMES = frozenset(("https", "http", "hook", "hook+https", "hook+http", "mailchimp"))
"""URL schemes of systems that are asked."""

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


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
    """The shared secret with which both sides sign: a reference such as ``${DESK_SECRET}``. Required over HTTP."""
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
