"""Finds values that are said in words: most texts hold none, which one pass of RE2 tells."""

from __future__ import annotations

from collections.abc import Sequence

from troth.detect.finding import Finding
from troth.detect.spoken.hints import places
from troth.detect.text import Text

__all__ = ["Speech"]


class Speech:
    """Finds values that are said in words. Time is linear in the text: each place is read once."""

    def find(self, text: Text) -> list[Finding]:
        """Every value that is said; values may overlap."""
        return self.find_each([text])[0]

    def find_each(self, texts: Sequence[Text]) -> list[list[Finding]]:
        """What is said in each of *texts*, which takes less time than one by one."""
        found: list[list[Finding]] = [[] for _ in texts]
        worth_reading = [(at, place) for at, text in enumerate(texts) for place in places(text.utf8)]
        if worth_reading:
            # Imported where it is needed: most texts are silent, and the first one is not to wait for it.
            from troth.detect.spoken.hearing import heard

            for at, finding in heard(texts, worth_reading):
                found[at].append(finding)
        return found
