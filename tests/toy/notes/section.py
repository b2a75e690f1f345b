from __future__ import annotations

from pydantic import Field

from troth.declaration.base import StrictModel


class Notes(StrictModel):
    """Notes that programs leave."""

    longest: int = Field(ge=1)
    """Characters of a note."""
