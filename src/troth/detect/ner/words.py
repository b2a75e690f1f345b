"""Tokenises text, and computes the features of a word from its letters."""

from __future__ import annotations

import re
import zlib
from typing import Final

WORD: Final = re.compile(r"[^\W_]{1,64}|[^\w\s]|_|\n")
"""A run of letters and digits, a sign, or a line end. Longer runs are split, so that no token is large."""

_ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")

LETTERS_MAX: Final = 24
"""Further letters of a longer word carry no information about names and would only cost time."""

BUCKETS: Final = 8192
"""Number of table rows shared by prefixes, suffixes and infixes of words (feature hashing)."""

SHAPES: Final = ("lower", "Title", "UPPER", "miXed", "X", "x", "digits", "with digits", "sign", "line", "none")

LISTS: Final = ("given names", "common family names", "family names", "cities", "parts of cities", "countries, regions")
"""The lists of names that a word may be on."""


def plain(text: str) -> str:
    """The text with every digit replaced by 0, because digits carry no information about names."""
    # On bytes this is thirty times as fast; in UTF-8, digit bytes occur only in digits.
    return text.encode("utf-8", "surrogatepass").translate(_ZEROS).decode("utf-8", "surrogatepass")


def shape(word: str) -> int:
    """How a word is written, as an index into `SHAPES`."""
    if word.isalpha():
        if len(word) == 1:
            return 4 if word.isupper() else 5
        if word.islower():
            return 0
        if word.isupper():
            return 2
        return 1 if word[0].isupper() and word[1:].islower() else 3
    if word.isdigit():
        return 6
    if word.isalnum():
        return 7
    return 9 if word == "\n" else 8


def pieces(word: str) -> set[int]:
    """The buckets of a word's prefixes, infixes and suffixes, ignoring case. There is at least one."""
    framed = f"<{word.lower()[:LETTERS_MAX]}>".encode("utf-8", "replace")
    size = len(framed)
    found = {zlib.crc32(framed[at : at + 3]) % BUCKETS for at in range(size - 2)}
    for taken in range(2, min(size, 6)):
        found.add(zlib.crc32(framed[:taken]) % BUCKETS)
        found.add(zlib.crc32(framed[-taken:]) % BUCKETS)
    return found
