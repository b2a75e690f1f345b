"""Splits the text next to an address into words and numbers that may belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_MARKS: Final = r"\s,;|>/*?·•–()\[\]{}<=:!\"“”"
BREAK: Final = r"<br ?/?>|\\[nrt]"
"""Line breaks as written in HTML and JSON."""
_TOKEN: Final = re.compile(rf"((?:[\s,;|>/*?·•–-]|{BREAK}){{0,12}})([^{_MARKS}\\-](?:[^{_MARKS}\\]|(?<=\d)/(?=\w))*)")
"""Separators between parts of an address, and a word or number; a number may contain a slash."""
_STARTS: Final = re.compile(rf"[,\n;:(){{}}\[\]<=>|•\"“”\t!*]|\s[-–]\s|\?\?\?|{BREAK}")
_LINES_MAX: Final = 2


class AddressToken(NamedTuple):
    """A word or number without punctuation at its end: as *written*, and as the *word* to look up.

    *gap* is the text before it.
    """

    start: int
    end: int
    written: str
    word: str
    gap: str

    @property
    def is_name(self) -> bool:
        return self.written[0].isupper()

    @property
    def is_number(self) -> bool:
        return self.written[0].isdecimal()

    @property
    def has_digits(self) -> bool:
        return not self.written.isalpha() and any(map(str.isdecimal, self.written))

    @property
    def is_last(self) -> bool:
        """True if it ends a sentence: short words with a full stop are abbreviations."""
        return len(self.written) > 4 and self.written[-1] == "."


def tokens(text: str) -> Iterator[AddressToken]:
    """The words and numbers of *text* up to the first text between them that cannot be part of an address."""
    match = _TOKEN.match(text)
    while match and match[1].count("\n") <= _LINES_MAX:
        gap, written = match.groups()
        start = match.start(2)
        yield AddressToken(start, start + len(written.rstrip(".-'’")), written, written.casefold().strip(".'-"), gap)
        match = _TOKEN.match(text, match.end())


def last_part(body: str) -> str:
    """The end of *body* after its last comma, line break or other separator."""
    start = 0
    for match in _STARTS.finditer(body):
        start = match.end()
    return body[start:]
