"""Text in letters in which no names are looked for: said, so that nobody takes it for free of people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

_ELSEWHERE: Final = re.compile("(?:(?![\\d_])[\u0370-\u1dff\u2e80-\ud7a3\uf900-\ufaff]){2}")
"""Two letters side by side of another alphabet than the Latin one. A single one is a sign of mathematics or a unit."""


def heeded(chunks: Iterator[str], remark: Callable[[str], None]) -> Iterator[str]:
    """The same text; *remark* is told once of the first letters in which names are not looked for."""
    for chunk in chunks:
        yield chunk
        if not chunk.isascii() and (found := _ELSEWHERE.search(chunk)):
            remark(f"it has {_script(found[0][0])} letters: people and places are looked for in Latin ones only")
            break
    yield from chunks


def _script(letter: str) -> str:
    """What the letters are called: Cyrillic, Arabic, CJK."""
    name = unicodedata.name(letter, "other").partition(" ")[0]
    return name if name == "CJK" else name.capitalize()
