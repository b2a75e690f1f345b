"""Judges the remainder of a spoken value that overlaps another finding: part of the value, or only words."""

from __future__ import annotations

import re
from typing import Final

from troth.detect.finding import Finding
from troth.detect.speech.hints import LANGUAGES
from troth.detect.speech.language import language

SPOKEN: Final = "spoken/"
"""Prefix of the recogniser names for speech; a language follows."""
OF_WORDS: Final = frozenset({"ADDRESS", "EMAIL_ADDRESS", "PASSWORD", "URL", "USERNAME"})
"""Types of spoken values that may consist of words only."""
_WORD: Final = re.compile(r"[^\W\d_]+|\d")
_SIGNS: Final = frozenset("dotTlnmhkMO9")
_PERHAPS: Final = frozenset("wv")
"""Kinds of words for digits, letters and parts of a date, and of those that count only if there are no others."""


def is_only_words(rest: Finding, text: str) -> bool:
    """True if a remainder of a spoken value contains no part of it: a label (``MRN``), a word of other talk."""
    name = rest.recogniser.removeprefix(SPOKEN)
    if not rest.recogniser.startswith(SPOKEN) or name not in LANGUAGES or rest.type in OF_WORDS:
        return False
    kinds = language(name).kinds
    found = {"9" if it.isdigit() else kinds.get(it, "x") for it in _WORD.findall(text[rest.start : rest.end].lower())}
    return _SIGNS.isdisjoint(found) and not found <= _PERHAPS
