"""Words that say what a value near them is, found whole and however they are written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import re2

__all__ = ["regex"]

_APART = r"[\s_.-]{%d,3}"
_LETTERS = r"A-Za-z\x{C0}-\x{52F}"
"""Latin, Greek and Cyrillic: naming the blocks keeps the expressions far smaller than all letters would."""
_STARTS = rf"(?:^|[^0-9{_LETTERS}])"
_ENDS = rf"(?:$|[^{_LETTERS}])"


def regex(words: Iterable[str]) -> str:
    """An expression of RE2 for any of *words*, whole, in upper or lower case, with its accents or without.

    ``card number`` is also ``card_number`` and ``CardNumber``, ``n i f`` also ``NIF``. A star at an end of a word
    stands for more letters. A digit may follow (``nhs4857773456``). Scripts without capitals do not part their words,
    so there any place will do.
    """
    forms: dict[tuple[bool, bool], list[str]] = {}
    for word in sorted({*words, *map(_without_accents, words)}, key=lambda it: (-len(it), it)):
        ends = _stands_apart(word[0]), _stands_apart(word[-1])
        forms.setdefault(ends, []).append(_joined(word.strip("*").split()))
    either = [
        f"{_STARTS if starts else ''}(?:{'|'.join(alike)}){_ENDS if ends else ''}"
        for (starts, ends), alike in forms.items()
    ]
    return f"(?i){'|'.join(either)}"


def _joined(parts: list[str]) -> str:
    """Parts of a word with what may stand between: something behind two letters, or *sa id* would be in *said*."""
    before = [re2.escape(part) + _APART % (len(part) == 2) for part in parts[:-1]]
    return "".join((*before, re2.escape(parts[-1])))


def _stands_apart(letter: str) -> bool:
    return letter.lower() != letter.upper() or letter.isdecimal()


def _without_accents(word: str) -> str:
    return "".join(it for it in unicodedata.normalize("NFD", word) if unicodedata.category(it) != "Mn")
