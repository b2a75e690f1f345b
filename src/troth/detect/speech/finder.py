"""Finds spoken values; one pass of RE2 detects that most texts contain none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from troth.detect.finding import Finding
from troth.detect.speech.hints import places
from troth.detect.text import FoldedText

_ABROAD: Final = {
    "UK_DRIVING_LICENCE": "DRIVER_LICENSE",
    "UK_PASSPORT": "PASSPORT",
    "UK_POSTCODE": "POSTAL_CODE",
    "UK_VEHICLE_REGISTRATION": "VEHICLE_REGISTRATION",
}
"""Types that the same words request in other countries, and the corresponding type there."""


class Speech:
    """Finds spoken values. Time is linear in the text: each part is read once.

    Values of *foreign* types are dropped, unless they were requested with words that are used in every country.
    """

    def __init__(self, foreign: Collection[str] = ()) -> None:
        self._foreign = frozenset(foreign)

    def find(self, text: FoldedText) -> list[Finding]:
        """All spoken values; they may overlap."""
        return self.find_each([text])[0]

    def find_each(self, texts: Sequence[FoldedText]) -> list[list[Finding]]:
        """The spoken values in each of *texts*, faster than separate calls."""
        found: list[list[Finding]] = [[] for _ in texts]
        worth_reading = [(at, place) for at, text in enumerate(texts) for place in places(text.utf8)]
        if worth_reading:
            # Imported lazily, because most texts contain no speech and it would delay the first one.
            from troth.detect.speech.extraction import heard

            for at, finding in heard(texts, worth_reading):
                if finding.type not in self._foreign:
                    found[at].append(finding)
                elif finding.told and finding.type in _ABROAD:
                    found[at].append(finding._replace(type=_ABROAD[finding.type]))
        return found
