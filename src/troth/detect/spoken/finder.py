"""Finds values that are said in words: most texts hold none, which one pass of RE2 tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

    def find(self, text: Text) -> list[Finding]:
        """Every value that is said; values may overlap."""
        return self.find_each([text])[0]

    def find_each(self, texts: Sequence[Text]) -> list[list[Finding]]:
        """What is said in each of *texts*. Each grammar reads all of them at once, which takes less time."""
        windows = [window for at, text in enumerate(texts) for window in _windows(at, text)]
        found: list[list[Finding]] = [[] for _ in texts]
        for grammar in _GRAMMARS:
            for window in windows:
                texts[window.at].check_clock()
                if said := list(grammar(window.talk, window.spoken)):
                    found[window.at] += [_finding(texts[window.at], window, it) for it in said]
                    window.talk = window.talk.without(said)
        return found


@dataclass(slots=True, repr=False)
class _Window:
    """A part of the text that is number *at*, from byte *start* on, and what is heard there and not taken yet."""

    at: int
    start: int
    written: str
    spoken: Language
    talk: Talk


def _windows(at: int, text: Text) -> Iterator[_Window]:
    for spoken in languages(text.utf8):
        for start, end in windows(text.utf8, spoken):
            text.check_clock()
            written = text.utf8[start:end].decode("utf-8")
            talk = hear(written, spoken, begins_line=start == 0 or text.utf8[start - 1 : start] == b"\n")
            yield _Window(at, start, written, spoken, talk)


def _finding(text: Text, window: _Window, said: Said) -> Finding:
    start, end = window.talk.starts[said.start], window.talk.ends[said.end - 1]
    if not window.written.isascii():
        start, end = (len(window.written[:it].encode()) for it in (start, end))
    return Finding(
        text.offset(window.start + start),
        text.offset(window.start + end),
        said.type,
        round(said.score, 2),
        f"spoken/{window.spoken.name}",
        said.checked,
        said.told,
    )
