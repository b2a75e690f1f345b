"""Runs of letters and digits that are longer than any word: keys, pictures as text, a letter that is held down."""

from __future__ import annotations

import re
from typing import Final

_WORD_MAX: Final = 40
"""No word of a name or an address is longer."""
_RUN: Final = re.compile(rf"[\w+/=-]{{{_WORD_MAX + 1},}}")
_ONE_WORD: Final = re.compile(rf"\w{{{_WORD_MAX + 1},}}")
_CHANGE: Final = re.compile(r"[a-z](?=[A-Z\d])|[A-Z](?=\d)|\d(?=[A-Za-z])")
"""Where one kind of letter or digit follows another, as in no word; a path and its names in capitals have few."""
_BETWEEN_CHANGES_MAX: Final = 4


def is_in_key(text: str, start: int, end: int) -> bool:
    """Whether any of ``text[start:end]`` stands in a run that is one overlong word, or mixed as keys are."""
    begin = max(0, start - _WORD_MAX)
    for run in _RUN.finditer(text[begin : end + _WORD_MAX]):
        touches = run.start() < end - begin and run.end() > start - begin
        if touches and (_ONE_WORD.search(run[0]) or _is_mixed(run[0])):
            return True
    return False


def _is_mixed(run: str) -> bool:
    return len(_CHANGE.findall(run)) * _BETWEEN_CHANGES_MAX >= len(run)
