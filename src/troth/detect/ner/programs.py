"""Names of programs' own: functions, classes and modules, which are written like names and are nobody's."""

from __future__ import annotations

import re
from typing import Final

_BEFORE_MAX: Final = 24
_JOINED: Final = re.compile(r"\w::$|\belif $|\bisinstance\($")
_DEFINED: Final = re.compile(r"\b(?:def|fn|func|function|class|struct|enum|interface|trait|impl|new) $")
_AFTER_DEFINED: Final = ("(", ":", "{", "<", ";")


def is_of_program(text: str, start: int, end: int) -> bool:
    """Whether the one word ``text[start:end]`` is called, defined or joined to others as only programs do.

    One with a capital or before an age may be a person still, as in *Ann(f)* and *ann(34)*, and so may a value, as in
    *name=ann*.
    """
    word = text[start:end]
    if not word.isalnum():
        return False
    before = text[max(0, start - _BEFORE_MAX) : start]
    after = text[end : end + 2]
    if _JOINED.search(before) or after == "::" or (_DEFINED.search(before) and after.startswith(_AFTER_DEFINED)):
        return True
    is_called = after.startswith("(") and not after[1:].isdecimal()
    return word[0].islower() and (is_called or (after[:1] == "=" and not after[1:].isspace()))
