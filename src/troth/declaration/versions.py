"""The versions of the policy, and how people learned of the later ones (``policy.versions``, clause C55)."""

from __future__ import annotations

from pathlib import Path

from troth.declaration.part import Date, Part, Period
from troth.declaration.telling import Announcing

__all__ = ["Announcement", "Version"]


class Announcement(Announcing):
    """How people learn of one version before it counts: the notice plan, and when it was carried out."""

    on: Date | None = None
    """The day on which they were told; left out, it is still to be done."""


class Version(Part):
    """The policy as it was before, or as it will be."""

    file: Path
    effective: Date
    """The day since when it counts. Rows name their version by it: ``2025-03-01``."""
    announce: Announcement | None = None
    """How people learn of it. A version that promises less than the one before it needs this."""
    keeps: dict[str, Period] = {}
    """The periods that it promised where they are others than today's: the name of a retention rule to the period.
    What was collected under it is not kept for longer."""
