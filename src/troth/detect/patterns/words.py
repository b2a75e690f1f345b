"""Builds expressions for context words: whole words in any spelling."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from troth.text import without_accents

_APART = r"[\s_.-]{%d,3}"
_LETTERS = r"A-Za-z\x{C0}-\x{52F}"
"""Latin, Greek and Cyrillic: naming the blocks keeps the expressions far smaller than all letters would."""
_STARTS = rf"(?:^|[^0-9{_LETTERS}])"
_ENDS = rf"(?:$|[^{_LETTERS}])"


def regex(words: Iterable[str]) -> str:
    """An RE2 expression for any of *words* as whole words, ignoring case and accents.

    ``card number`` also matches ``card_number`` and ``CardNumber``, ``n i f`` also ``NIF``. A star at an end of a word
    stands for more letters. A digit may follow (``nhs4857773456``). Scripts without case do not separate words, so
    these match anywhere.
    """
    return _any_of(words, lambda letter: _STARTS, lambda letter: _ENDS)


@cache
def sign(words: tuple[str, ...]) -> str:
    """The same, but it may match more, and underscores must be replaced by spaces before: these boundaries need a third
    of the states in RE2."""
    return _any_of(
        words, lambda first: r"\b" if first.isascii() else "", lambda last: r"(?:\b|\d)" if last.isascii() else ""
    )


def _any_of(words: Iterable[str], starts: Callable[[str], str], ends: Callable[[str], str]) -> str:
    """Any of *words*, with boundaries at ends in scripts that separate words."""
    forms: dict[tuple[str, str], list[str]] = {}
    for word in sorted({*words, *map(without_accents, words)}, key=lambda it: (-len(it), it)):
        first, last = word[0], word[-1]
        bounds = starts(first) if _stands_apart(first) else "", ends(last) if _stands_apart(last) else ""
        forms.setdefault(bounds, []).append(_joined(word.strip("*").split()))
    return "(?i)" + "|".join(f"{before}(?:{'|'.join(alike)}){after}" for (before, after), alike in forms.items())


def _joined(parts: list[str]) -> str:
    """The parts of a word with optional separators; required after two letters, or *sa id* would match in *said*."""
    before = [re.escape(part) + _APART % (len(part) == 2) for part in parts[:-1]]
    return "".join((*before, re.escape(parts[-1])))


def _stands_apart(letter: str) -> bool:
    return letter.lower() != letter.upper() or letter.isdecimal()
