"""Splits names of tables and columns into words, whatever their style."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Final

from troth.data_files import read_toml
from troth.text import without_accents

Words = tuple[str, ...]
_NAME_LENGTH_MAX: Final = 200
_PIECE: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+(?=s\b)|[A-Z]+|\d+|[^\W\d_]+")
_PART_MIN: Final = 3
_PART_MAX: Final = 20
_LONG: Final = 5
_JOINED: Final = re.compile(r"(.{3,}?)(users?)|(.+ed)(by)|(user)(id)")
"""Words that are often joined, whatever else a schema shows: ``appuser``, ``createdby``, ``userid``."""
_TAILS: Final = frozenset({"id", "nr", "fk", "by", "to"})
"""Endings of joined names that are too short to be searched for elsewhere."""


def pieces(name: str) -> Words:
    """A name's words in lower case without accents: ``FirstName``, ``first_name`` and ``FIRST-NAME`` are equal."""
    return tuple(piece.lower() for piece in _PIECE.findall(_plain(name)))


def _plain(name: str) -> str:
    cut = name[:_NAME_LENGTH_MAX]
    if cut.isascii():
        return cut
    return without_accents(unicodedata.normalize("NFKC", cut)).replace("ß", "ss")


@functools.lru_cache(maxsize=20_000)
def root(word: str) -> str:
    """A stem that is equal for a word and its plural, in English and related languages. Roots are not real words and
    are only compared with each other: ``categories``, ``categorie`` and ``category`` have the same one."""
    word = read_toml(__package__, "irregular.toml").get(word, word)
    if word.endswith(("ay", "ey", "oy", "ays", "eys", "oys")):
        word = word.removesuffix("s")  # `survey` keeps its ending, unlike `category`
    if word.endswith("y"):
        word = word[:-1] + "i"
    while len(word) > _PART_MIN and word[-1] in "esnx":
        word = word[:-1]
    return word


class SchemaVocabulary:
    """The vocabulary of one schema: joined names are split where the schema uses the parts elsewhere."""

    def __init__(self, names: Iterable[str]) -> None:
        self._uses = Counter(word for name in names for word in {root(piece) for piece in pieces(name)})
        self._cut: dict[str, Words] = {}

    def words(self, name: str) -> Words:
        """The words of a name, with compounds split."""
        return tuple(part for word in pieces(name) for part in self._parts(word))

    def _apart(self, word: str) -> Words:
        """The parts of a commonly joined word; the word itself if it is not one."""
        found = _JOINED.fullmatch(word)
        return tuple(part for part in found.groups() if part) if found else (word,)

    def _parts(self, word: str) -> Words:
        if len(word) < _LONG:
            return (word,)
        known = self._cut.get(word)
        if known is None:
            cut = self._apart(word)
            cut = self._cut_up(word) if len(cut) == 1 else cut
            known = cut if len(cut) == 1 else tuple(piece for part in cut for piece in self._parts(part))
            self._cut[word] = known
        return known

    def _cut_up(self, word: str) -> Words:
        """The fewest parts that the schema uses separately; the word itself if there are none."""
        best: list[Words | None] = [(), *[None] * len(word)]
        for end in range(2, len(word) + 1):
            for start in range(max(0, end - _PART_MAX), end - 1):
                before, part = best[start], word[start:end]
                if before is None or not self._is_part(part, whole=word, at_end=end == len(word)):
                    continue
                if best[end] is None or len(before) + 1 < len(best[end] or ()):
                    best[end] = (*before, part)
        return best[-1] or (word,)

    def _is_part(self, part: str, *, whole: str, at_end: bool) -> bool:
        if len(part) < _PART_MIN:
            return at_end and part in _TAILS
        return part != whole and self._uses.get(root(part), 0) >= (2 if len(part) > _PART_MIN else 4)
