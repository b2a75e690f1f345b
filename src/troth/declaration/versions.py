"""The versions of the policy, and how people learned of the later ones (``policy.versions``, clause C55)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from troth.declaration.base import Date, Period, StrictModel, Words
from troth.declaration.notice import Announcing


class Announcement(Announcing):
    """How people learn of one version before it counts: the notice plan, and when it was carried out."""

    on: Date | None = None
    """The day on which they were told; left out, it is still to be done."""


Hash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Reviewed(StrictModel):
    """A named person has read a version beside the one before it, and says that it promises no less where the words
    alone do not tell. It holds for these two texts, whose hashes ``troth policy diff`` prints."""

    by: Words
    on: Date
    text: Hash
    than: Hash
    """The text of the version before it."""


class DeclaredVersion(StrictModel):
    """The policy as it was before, or as it will be."""

    file: Path
    effective: Date
    """The day since when it counts. Rows name their version by it: ``2025-03-01``."""
    announce: Announcement | None = None
    """How people learn of it. A version that promises less than the one before it needs this."""
    reviewed: Reviewed | None = None
    """Who says that it promises no less than the one before it, where that is in doubt."""
    keeps: dict[str, Period] = {}
    """The periods that it promised where they are others than today's: the name of a retention rule to the period.
    What was collected under it is not kept for longer."""
