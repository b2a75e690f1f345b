"""Detects long runs of letters and digits that are not words: keys, encoded images, a key held down."""

from __future__ import annotations

import re
from typing import Final

_WORD_MAX: Final = 40
"""Longer than any word of a name or address."""
_RUN: Final = re.compile(rf"[\w+/=-]{{{_WORD_MAX + 1},}}")
_ONE_WORD: Final = re.compile(rf"\w{{{_WORD_MAX + 1},}}")
_CHANGE: Final = re.compile(r"[a-z](?=[A-Z\d])|[A-Z](?=\d)|\d(?=[A-Za-z])")
"""Where one class of character follows another, unlike in words; paths with capitalised names have few of these."""
_BETWEEN_CHANGES_MAX: Final = 4


def is_in_key(text: str, start: int, end: int) -> bool:
    """True if part of ``text[start:end]`` is in a run that is one overlong word or is mixed like a key."""
    begin = max(0, start - _WORD_MAX)
    for run in _RUN.finditer(text[begin : end + _WORD_MAX]):
        touches = run.start() < end - begin and run.end() > start - begin
        if touches and (_ONE_WORD.search(run[0]) or _is_mixed(run[0])):
            return True
    return False


def _is_mixed(run: str) -> bool:
    return len(_CHANGE.findall(run)) * _BETWEEN_CHANGES_MAX >= len(run)
