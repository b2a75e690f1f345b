"""Detects which of many word lists occur in a text, with one lookup per word of the text, however many lists there
are."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

import re2

from troth.detect.expressions import Prefilter
from troth.text import without_accents

_LETTERS_ALONE: Final = bytes(
    byte + 32 if chr(byte).isupper() and byte < 128 else byte if byte >= 128 or chr(byte).islower() else 32
    for byte in range(256)
)
"""Maps bytes to lower case, and non-letters to spaces; non-ASCII bytes count as letters."""
_APART: Final = r"[\s_.-]*"


class WordIndex:
    """Numbers word lists and detects those of which a word may occur. It reports too many rather than too few.

    A word may consist of several with spaces, which a text may write together; a star at an end stands for more
    letters. Words in scripts without case are not separated by spaces, so they are matched anywhere.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}

    def add(self, words: Iterable[str]) -> int:
        """The number, below zero, of a list of words in lower case; equal lists have the same number. Add all before
        searching."""
        return self._numbers.setdefault(tuple(words), -1 - len(self._numbers))

    def occurring(self, utf8: bytes) -> set[int]:
        """The numbers of the lists of which a word may occur."""
        lowered = utf8 if utf8.isascii() else utf8.decode("utf-8", "replace").lower().encode("utf-8")
        known, by_longest = self._parted
        here = known.intersection(lowered.translate(_LETTERS_ALONE).split())
        numbers = {number for word in here & by_longest.keys() for parts, number in by_longest[word] if parts <= here}
        anywhere, found_anywhere = self._unparted
        if found_anywhere:
            numbers.update(*(found_anywhere[part] for part in anywhere.occurring(utf8) if part))
        return numbers

    @cached_property
    def _parted(self) -> tuple[frozenset[bytes], dict[bytes, list[tuple[frozenset[bytes], int]]]]:
        """All parts of words, and the words by their longest part, which is the rarest in a text.

        Computed lazily, because most texts contain none.
        """
        forms = [
            (parts, number)
            for word, number in self._words()
            if not _is_anywhere(word)
            for parts in set(_written_together(word.encode("utf-8").translate(_LETTERS_ALONE).split()))
        ]
        by_longest: dict[bytes, list[tuple[frozenset[bytes], int]]] = {}
        for parts, number in forms:
            by_longest.setdefault(max(parts, key=lambda it: (len(it), it)), []).append((parts, number))
        return frozenset(part for parts, _ in forms for part in parts), by_longest

    @cached_property
    def _unparted(self) -> tuple[Prefilter, dict[int, list[int]]]:
        """A prefilter for words that may be part of others, and the numbers of the lists that contain each."""
        anywhere, found_anywhere = Prefilter(ignores_case=True), defaultdict[int, list[int]](list)
        for word, number in self._words():
            if _is_anywhere(word):
                part = anywhere.add(_APART.join(map(re2.escape, word.strip("*").split())))
                found_anywhere[part].append(number)
        return anywhere, found_anywhere

    def _words(self) -> Iterator[tuple[str, int]]:
        """Every word with and without its accents, and the number of its list."""
        for these, number in self._numbers.items():
            for word in {*these, *map(without_accents, these)}:
                yield word, number


def _written_together(parts: list[bytes]) -> Iterator[frozenset[bytes]]:
    """The forms of a text that joins adjacent parts: ``date of birth``, ``dateof birth`` …"""
    for joints in itertools.product((b" ", b""), repeat=len(parts) - 1):
        yield frozenset(b"".join(itertools.chain(*zip(parts, (*joints, b""), strict=True))).split())


def _is_anywhere(word: str) -> bool:
    """True if a word may be part of others, like those in scripts without case."""
    return "*" in word or not any(map(_has_capital, word))


def _has_capital(letter: str) -> bool:
    return letter.lower() != letter.upper()
