"""Words with which a promise claims the whole of something: “all”, “every”, “never”, “no one else”, “only”.

They are data, by language (``absolute_words.toml``).
"""

from __future__ import annotations

import functools
import re

from troth.data_files import read_toml


def absolute_words(sentence: str) -> tuple[str, ...]:
    """The absolute words of *sentence* as the list has them, each once, in the order of the sentence."""
    return tuple(dict.fromkeys(found[0].casefold() for found in _words().finditer(_without_exceptions(sentence))))


def _without_exceptions(sentence: str) -> str:
    return _exceptions().sub(" ", " ".join(sentence.split()))


@functools.cache
def _words() -> re.Pattern[str]:
    return _any_of("words")


@functools.cache
def _exceptions() -> re.Pattern[str]:
    return _any_of("unless")


def _any_of(key: str) -> re.Pattern[str]:
    """Any phrase of the list, the longer ones first."""
    phrases = [
        phrase for language in read_toml(__package__, "absolute_words.toml").values() for phrase in language[key]
    ]
    ordered = sorted(phrases, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, ordered))})\b", re.IGNORECASE)
