"""What is left of a value that was said, where something else is found in its midst: more of it, or only words."""

from __future__ import annotations

import re
from typing import Final

from troth.detect.finding import Finding
from troth.detect.speech.hints import LANGUAGES
from troth.detect.speech.language import language

SPOKEN: Final = "spoken/"
"""How the names of those begin who hear what is said; a language follows."""
OF_WORDS: Final = frozenset({"ADDRESS", "EMAIL_ADDRESS", "PASSWORD", "URL", "USERNAME"})
"""Types of what is said that may be words and no more."""
_WORD: Final = re.compile(r"[^\W\d_]+|\d")
_SIGNS: Final = frozenset("dotTlnmhkMO9")
_PERHAPS: Final = frozenset("wv")
"""Kinds of words that say digits, letters and parts of a date, and of those that only do so where no other stands."""


def is_only_words(rest: Finding, text: str) -> bool:
    """Whether a rest of a value that is said has no part of it: a label (``MRN``), a word of other talk."""
    name = rest.recogniser.removeprefix(SPOKEN)
    if not rest.recogniser.startswith(SPOKEN) or name not in LANGUAGES or rest.type in OF_WORDS:
        return False
    kinds = language(name).kinds
    found = {"9" if it.isdigit() else kinds.get(it, "x") for it in _WORD.findall(text[rest.start : rest.end].lower())}
    return _SIGNS.isdisjoint(found) and not found <= _PERHAPS
