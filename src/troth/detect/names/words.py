"""Words of a text, and what can be told of one by its letters alone: the features that the model has weights for."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

__all__ = ["BUCKETS", "LETTERS_MAX", "SHAPES", "WORD", "features", "shape"]

WORD: Final = re.compile(r"[^\W_]+|[^\w\s]|_|\n")
"""A run of letters and digits, one sign, or the end of a line."""

LETTERS_MAX: Final = 24
"""What stands beyond in a longer word says nothing about names, and would only cost time."""

BUCKETS: Final = 8192
"""Beginnings, ends and middles of words share this many rows of the table."""

SHAPES: Final = ("lower", "Title", "UPPER", "miXed", "X", "x", "digits", "with digits", "sign", "line", "none")


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


def features(word: str) -> Iterator[int]:
    """The buckets of a word's beginnings, ends and middles, whatever its case."""
    bare = word.lower()[:LETTERS_MAX]
    framed = f"<{bare}>".encode("utf-8", "replace")
    seen = len(framed)
    for size in (2, 3, 4, 5):
        if size < seen:
            yield zlib.crc32(framed[:size]) % BUCKETS
            yield zlib.crc32(framed[-size:]) % BUCKETS
    for at in range(1, seen - 3):
        yield zlib.crc32(framed[at : at + 3]) % BUCKETS
