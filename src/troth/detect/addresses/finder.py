"""Finds addresses; a few passes of RE2 detect that most texts have none."""

from __future__ import annotations

from typing import Final

from troth.detect.addresses.grammar import cores
from troth.detect.finding import Finding
from troth.detect.text import FoldedText


class AddressFinder:
    """Finds postal addresses and streets in any case, on one or more lines."""

    TYPES: Final = frozenset({"ADDRESS", "LOCATION"})

    def find(self, text: FoldedText) -> list[Finding]:
        """Addresses in order, without overlaps."""
        found = list(cores(text.utf8))
        if not found:
            return []
        # Imported lazily, because few texts need it and it would delay the first one.
        from troth.detect.addresses.classification import placed

        return list(placed(text, found))
