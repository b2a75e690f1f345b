"""Addresses in a text: most texts hold none, which a few passes of RE2 tell."""

from __future__ import annotations

from typing import Final

from troth.detect.addresses.grammar import cores
from troth.detect.finding import Finding
from troth.detect.text import FoldedText


class AddressFinder:
    """Finds postal addresses and streets, in any case, on one line or several."""

    TYPES: Final = frozenset({"ADDRESS", "LOCATION"})

    def find(self, text: FoldedText) -> list[Finding]:
        """Addresses in their order. They do not overlap."""
        found = list(cores(text.utf8))
        if not found:
            return []
        # Imported where it is needed: the first text is not to wait for what few texts need.
        from troth.detect.addresses.classification import placed

        return list(placed(text, found))
