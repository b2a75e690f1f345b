"""What is known beside the text: drawn from a declaration, and from what a look at the site has seen."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Facts"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts by name, for the conditions of rules; one that is not known stays out."""

    known: tuple[tuple[str, bool], ...] = ()

    def holds(self, name: str) -> bool | None:
        """Whether the fact holds; None where nobody knows."""
        return dict(self.known).get(name)
