"""Detects text in scripts in which names are not searched for, so that it is not mistaken for free of people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from troth.text import script_of

_ELSEWHERE: Final = re.compile("(?:(?![\\d_])[\u0370-\u1dff\u2e80-\ud7a3\uf900-\ufaff]){2}")
"""Two adjacent letters of a non-Latin alphabet. A single one is a mathematical symbol or a unit."""


def heeded(chunks: Iterator[str], remark: Callable[[str], None]) -> Iterator[str]:
    """Passes the text through; *remark* is called once, for the first letters in which names are not searched for."""
    for chunk in chunks:
        yield chunk
        if not chunk.isascii() and (found := _ELSEWHERE.search(chunk)):
            remark(f"it has {_script(found[0][0])} letters: people and places are only found in Latin letters")
            break
    yield from chunks


def _script(letter: str) -> str:
    """The name of the script: Cyrillic, Arabic, CJK."""
    name = script_of(letter) or "other"
    return name if name == "CJK" else name.capitalize()
