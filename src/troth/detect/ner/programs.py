"""Identifiers of programs: functions, classes and modules, which look like names."""

from __future__ import annotations

import re
from typing import Final

_BEFORE_MAX: Final = 24
_JOINED: Final = re.compile(r"\w::$|\belif $|\bisinstance\($")
_DEFINED: Final = re.compile(r"\b(?:def|fn|func|function|class|struct|enum|interface|trait|impl|new) $")
_AFTER_DEFINED: Final = ("(", ":", "{", "<", ";")


def is_of_program(text: str, start: int, end: int) -> bool:
    """True if the single word ``text[start:end]`` is called, defined or qualified as only in program code.

    A capitalised word, or one before an age, may still be a person, as in *Ann(f)* and *ann(34)*, and so may a value,
    as in *name=ann*.
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
