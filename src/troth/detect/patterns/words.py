"""Words that say what a value near them is, found whole and however they are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

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
    return _any_of(words, lambda letter: _STARTS, lambda letter: _ENDS)


@cache
def sign(words: tuple[str, ...]) -> str:
    """The same, but it may match more, and wants underscores written as spaces: for such bounds RE2 needs a third of
    the states.
    """
    return _any_of(
        words, lambda first: r"\b" if first.isascii() else "", lambda last: r"(?:\b|\d)" if last.isascii() else ""
    )


def without_accents(word: str) -> str:
    """As it is often written: ``numero`` for ``número``."""
    if word.isascii():
        return word
    return "".join(it for it in unicodedata.normalize("NFD", word) if unicodedata.category(it) != "Mn")


def _any_of(words: Iterable[str], starts: Callable[[str], str], ends: Callable[[str], str]) -> str:
    """Any of *words*, between what is at their ends where they stand apart."""
    forms: dict[tuple[str, str], list[str]] = {}
    for word in sorted({*words, *map(without_accents, words)}, key=lambda it: (-len(it), it)):
        first, last = word[0], word[-1]
        bounds = starts(first) if _stands_apart(first) else "", ends(last) if _stands_apart(last) else ""
        forms.setdefault(bounds, []).append(_joined(word.strip("*").split()))
    return "(?i)" + "|".join(f"{before}(?:{'|'.join(alike)}){after}" for (before, after), alike in forms.items())


def _joined(parts: list[str]) -> str:
    """Parts of a word with what may stand between: something behind two letters, or *sa id* would be in *said*."""
    before = [re.escape(part) + _APART % (len(part) == 2) for part in parts[:-1]]
    return "".join((*before, re.escape(parts[-1])))


def _stands_apart(letter: str) -> bool:
    return letter.lower() != letter.upper() or letter.isdecimal()
