"""Finds values that are said in words: most texts hold none, which one pass of RE2 tells."""

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
"""What is asked for by the same words in other countries, and what it is there."""


class Speech:
    """Finds values that are said in words. Time is linear in the text: each place is read once.

    What is of a type that is *foreign* is none, unless it is asked for by words that are used in every country.
    """

    def __init__(self, foreign: Collection[str] = ()) -> None:
        self._foreign = frozenset(foreign)

    def find(self, text: FoldedText) -> list[Finding]:
        """Every value that is said; values may overlap."""
        return self.find_each([text])[0]

    def find_each(self, texts: Sequence[FoldedText]) -> list[list[Finding]]:
        """What is said in each of *texts*, which takes less time than one by one."""
        found: list[list[Finding]] = [[] for _ in texts]
        worth_reading = [(at, place) for at, text in enumerate(texts) for place in places(text.utf8)]
        if worth_reading:
            # Imported where it is needed: most texts are silent, and the first one is not to wait for it.
            from troth.detect.speech.extraction import heard

            for at, finding in heard(texts, worth_reading):
                if finding.type not in self._foreign:
                    found[at].append(finding)
                elif finding.told and finding.type in _ABROAD:
                    found[at].append(finding._replace(type=_ABROAD[finding.type]))
        return found
