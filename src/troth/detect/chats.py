"""Finds user names in chats: at the start of a line, before a message."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from troth.data_files import read_toml
from troth.detect.expressions import ANYWHERE, Match, matches
from troth.detect.finding import Finding
from troth.detect.text import FoldedText

_LINE: Final = (
    r"(?m)^(?:[ \t]?|[ \t]{0,4}[↳→>] ?)(\[?\d{1,2}:\d{2}(?::\d{2})?\]?[ \t]{1,2})?"
    r"(?:<[@+%~&]?([A-Za-z]\w{1,30})>|@?([A-Za-z]\w{1,30})(?: \([a-z ]{1,12}\))?:)[ \t]"
)
"""The time, and a name in IRC style or before a colon."""
_SURE_LINE: Final = (
    r"(?m)^(?:[ \t]?|[ \t]{0,4}[↳→>] ?)(?:\[?\d{1,2}:\d{2}(?::\d{2})?\]?[ \t]{1,2})?"
    r"(?:<[@+%~&]?[A-Za-z]+[\d_]\w*>|@?[A-Za-z]+[\d_]\w*(?: \([a-z ]{1,12}\))?:)[ \t]"
)
"""The same with a name that contains a digit or ``_``. Without such a line, the text is not treated as a chat."""
_SAID_MAX: Final = 300
_MARKED: Final = re.compile(r"(?=\w*[A-Za-z]{3})[A-Za-z]+[\d_]\w*")
"""Looks like a name rather than a word or the number of a question."""
_MADE: Final = re.compile(r"[a-z]{4,}|(?:[A-Z][a-z]+){2,}")
"""Counts as a name if there are other names."""
_PART: Final = re.compile(r"[a-z]+")
_WORD: Final = re.compile(r"[a-z']+")
_WRITTEN: Final = re.compile(r"[={}\[\];]|  #|^[\"'`/<\d-]")
"""Typical of settings and program output, not of chat messages."""
_ALOUD: Final = re.compile(r"[?!…]$|[:;]-?[()DP]$|[\U0001F300-\U0001FAFF]")
_TIMED: Final = 0.85
_TALKING: Final = 0.75
_AMONG: Final = 0.65
"""Scores of names after a time or in angle brackets, before text that only people write, and among such names."""
_CHAT_LINES: Final = 2
"""Number of lines with certain names that make a text a chat."""


class _Line(NamedTuple):
    """A line of the chat: byte range of the name, and the score that this line gives it; 0 for none."""

    start: int
    end: int
    name: str
    score: float


class Chats:
    """Finds user names at the start of lines.

    A name has a digit or ``_`` in it, and a time before it, angle brackets around it or a person's message after it. If
    there are such names, other repeated ones are found too. Log levels and settings are not names.
    """

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """Every name, at each of its lines."""
        if _sure_line()(ANYWHERE, text.utf8, 0, len(text.utf8))[0][0] < 0:
            return
        lines = [*_lines(text)]
        best: dict[str, float] = {}
        for it in lines:
            best[it.name] = max(best.get(it.name, 0), it.score)
        is_chat = sum(best[it.name] > 0 for it in lines) >= _CHAT_LINES
        count = Counter(it.name for it in lines)
        for it in lines:
            among = _AMONG if is_chat and (count[it.name] > 1 or _MARKED.fullmatch(it.name)) else 0
            if score := max(best[it.name], among):
                yield Finding(text.offset(it.start), text.end(it.end), "USERNAME", score, "chats")


def _lines(text: FoldedText) -> Iterator[_Line]:
    """Lines that start with a possible name."""
    match, utf8, end, size = _line(), text.utf8, 0, len(text.utf8)
    while (found := match(ANYWHERE, utf8, end, size))[0][0] >= 0:
        (_, end), (time, _), in_brackets, before_colon = found
        start, stop = max(in_brackets, before_colon)
        name = utf8[start:stop].decode()
        is_marked = _MARKED.fullmatch(name) is not None
        if (is_marked or _MADE.fullmatch(name)) and not _is_setting(name):
            line_end = utf8.find(b"\n", end)
            said = utf8[end : line_end if line_end >= 0 else size][:_SAID_MAX].decode("utf-8", "ignore").strip()
            if said and not _WRITTEN.search(said):
                yield _Line(start, stop, name, _score(said, is_timed=max(time, in_brackets[0]) >= 0) * is_marked)
        text.check_clock()


def _score(name: str, *, is_timed: bool) -> float:
    if is_timed:
        return _TIMED
    is_talk = _ALOUD.search(name) or not _shipped()["talk"].isdisjoint(_WORD.findall(name.lower()))
    return _TALKING if is_talk else 0


def _is_setting(name: str) -> bool:
    return not _shipped()["settings"].isdisjoint(_PART.findall(name.lower()))


@cache
def _sure_line() -> Match:
    return matches(_SURE_LINE)


@cache
def _line() -> Match:
    return matches(_LINE)


@cache
def _shipped() -> dict[str, frozenset[str]]:
    raw = read_toml(__package__, "chats.toml")
    return {name: frozenset(words.split()) for name, words in raw.items()}
