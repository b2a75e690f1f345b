"""Outlines of expressions: an outline matches wherever its expression does, and many outlines together need few
states."""

from __future__ import annotations

import re
from typing import Final

_ESCAPE: Final = r"\\x\{?[0-9A-Fa-f]+\}?|\\p\{?\w+\}?|\\."
_TOKEN: Final = re.compile(rf"{_ESCAPE}|\{{[\d,]+\}}|\(\?[a-z-]*|\[(\^?)((?:{_ESCAPE}|[^\]\\])+)\]|[A-Za-z0-9]")
_RANGES: Final = ("1-9", "a-z", "A-Z")


def outline(regex: str) -> str:
    """*regex* with literal letters replaced by any letter, and literal digits by any digit; 0 is kept, because it often
    starts a number.

    If numbers of many countries are searched for together, RE2 has to track for each digit which of them continue; in
    outlines, all digits lead to the same few states.
    """
    return _TOKEN.sub(_widened, regex)


def _widened(token: re.Match[str]) -> str:
    written, negated, signs = token[0], token[1], token[2]
    if signs is None:
        return next((f"[{it}]" for it in _RANGES if re.fullmatch(f"[{it}]", written)), written)
    named = re.sub(_ESCAPE, "", signs)
    return written if negated else f"[{''.join(it for it in _RANGES if re.search(f'[{it}]', named))}{signs}]"
