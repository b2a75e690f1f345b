"""A piece of text beside an address, as the words and numbers that may belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_MARKS: Final = r"\s,;|>/*?·•–()\[\]{}<=:!\"“”"
BREAK: Final = r"<br ?/?>|\\[nrt]"
"""A line's end as HTML and JSON write it."""
_TOKEN: Final = re.compile(rf"((?:[\s,;|>/*?·•–-]|{BREAK}){{0,12}})([^{_MARKS}\\-](?:[^{_MARKS}\\]|(?<=\d)/(?=\w))*)")
"""What may divide two parts of an address, and a word or number of one; a slash may stand within a number."""
_STARTS: Final = re.compile(rf"[,\n;:(){{}}\[\]<=>|•\"“”\t!*]|\s[-–]\s|\?\?\?|{BREAK}")
_LINES_MAX: Final = 2


class AddressToken(NamedTuple):
    """A word or number, without the marks at its end: as it is *written*, and the *word* that is looked up.

    *gap* is what stands before it.
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
        """Whether a sentence ends with it: short words with a full stop are abbreviations."""
        return len(self.written) > 4 and self.written[-1] == "."


def tokens(text: str) -> Iterator[AddressToken]:
    """The words and numbers of *text*, as long as only what may divide an address stands between them."""
    match = _TOKEN.match(text)
    while match and match[1].count("\n") <= _LINES_MAX:
        gap, written = match.groups()
        start = match.start(2)
        yield AddressToken(start, start + len(written.rstrip(".-'’")), written, written.casefold().strip(".'-"), gap)
        match = _TOKEN.match(text, match.end())


def last_part(body: str) -> str:
    """The end of *body* behind its last comma, line break or other mark."""
    start = 0
    for match in _STARTS.finditer(body):
        start = match.end()
    return body[start:]
