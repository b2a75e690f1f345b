"""The versions of the policy, and how people were told of them (``policy.versions``, clause C55)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from troth.declaration.base import Date, Period, StrictModel, Words
from troth.declaration.notice import Announcing


class Announcement(Announcing):
    """How people are told of one version before it takes effect: the notice plan, and when it was carried out."""

    on: Date | None = None
    """The day on which they were told; if omitted, it is still to be done."""


Hash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Reviewed(StrictModel):
    """A named person compared a version with the one before, and confirms that it promises no less where the words
    alone do not show it. It applies to these two texts, whose hashes ``troth policy diff`` prints."""

    by: Words
    on: Date
    text: Hash
    than: Hash
    """The hash of the text of the version before."""


class DeclaredVersion(StrictModel):
    """An earlier or future version of the policy."""

    file: Path
    effective: Date
    """The first day on which it applies. Rows name their version by it: ``2025-03-01``."""
    announce: Announcement | None = None
    """How people are told of it. A version that promises less than the one before needs this."""
    reviewed: Reviewed | None = None
    """Who confirms that it promises no less than the one before, if that is in doubt."""
    keeps: dict[str, Period] = {}
    """The periods that it promised if they differ from today's: retention rule name to period. Data collected under it
    is not kept for longer."""
