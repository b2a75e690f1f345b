"""Systems that are asked (``asked:`` of a system): they answer for the people in them, and nobody looks inside."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from troth.declaration.base import Period, StrictModel

ASKED_SCHEMES = frozenset(("https", "http", "hook", "hook+https", "hook+http"))
"""How the store of a system begins that is asked."""

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class ExternalAccess(StrictModel):
    """How a system is asked that answers for itself: any service that speaks our protocol, or the application's own
    code."""

    answers: tuple[Literal["view", "port", "amend", "erase", "restrict", "object", "withdraw"], ...] = Field(
        min_length=1
    )
    """The rights that it answers. Who restricts can also lift the restriction."""
    holds: dict[str, str] = {}
    """What it holds about people: its own name of a field to the data category."""
    retain: Period | None = None
    """How long it keeps what it holds, as whoever runs it has agreed."""
    by: tuple[Literal["email", "phone", "account", "name", "postal"], ...] = Field(default=("email",), min_length=1)
    """The kinds of identifier by which it knows people; no other is sent to it."""
    recipient: str | None = None
    """Who runs it, a key of ``recipients``; the company itself where left out."""
    secret: str | None = None
    """The shared secret that both sides sign with: a reference such as ``${DESK_SECRET}``. Over HTTP it has to be."""
    within: Period = Period(count=14, unit="day")
    """How long it may take before somebody is told."""
    timeout_s: int = Field(default=30, ge=1, le=300, strict=True)
    """The seconds that one answer may take. Longer work is answered later, when it is asked again."""

    @field_validator("secret")
    @classmethod
    def _by_reference(cls, value: str | None) -> str | None:
        if value is not None and not _REFERENCE.fullmatch(value):
            raise PydanticCustomError("secret-literal", "a password or key stands in the file")
        return value
