"""Finds values that are said in words: most texts hold none, which one pass of RE2 tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from troth.detect.finding import Finding
from troth.detect.spoken.addresses import addresses
from troth.detect.spoken.answers import answers
from troth.detect.spoken.dates import ages, dates
from troth.detect.spoken.hints import languages, windows
from troth.detect.spoken.language import Language
from troth.detect.spoken.runs import digits_and_letters
from troth.detect.spoken.said import Said
from troth.detect.spoken.streets import streets
from troth.detect.spoken.talk import Talk, hear
from troth.detect.text import Text

__all__ = ["Speech"]

_GRAMMARS: Final = (addresses, dates, ages, streets, answers, digits_and_letters)
"""In this order: what one has taken says nothing to those after it."""


class Speech:
    """Finds values that are said in words. Time is linear in the text: each place is read once."""

    def find(self, text: Text) -> Iterator[Finding]:
        """Every value that is said; values may overlap."""
        for spoken in languages(text.utf8):
            for start, end in windows(text.utf8, spoken):
                text.check_clock()
                window = text.utf8[start:end].decode("utf-8")
                talk = hear(window, spoken, begins_line=start == 0 or text.utf8[start - 1 : start] == b"\n")
                for grammar in _GRAMMARS:
                    found = list(grammar(talk, spoken))
                    for said in found:
                        yield _finding(text, start, window, talk, said, spoken)
                    if found and grammar is not _GRAMMARS[-1]:
                        talk = talk.without(found)


def _finding(text: Text, window_start: int, window: str, talk: Talk, said: Said, spoken: Language) -> Finding:
    start, end = talk.starts[said.start], talk.ends[said.end - 1]
    before = start if window.isascii() else len(window[:start].encode())
    length = end - start if window.isascii() else len(window[start:end].encode())
    start = window_start + before
    return Finding(
        text.offset(start),
        text.offset(start + length),
        said.type,
        round(said.score, 2),
        f"spoken/{spoken.name}",
        said.checked,
        said.told,
    )
