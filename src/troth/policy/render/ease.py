"""Reading ease of English prose (Flesch 1948): 206.835 - 1.015 x words per sentence - 84.6 x syllables per word."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:(?:[aeiouy]l|[^aeiouyl])e|[^aeiouytd]ed|(?:[aeiouy]l|[^aeiouylcgsxzh]|th)es)$")
_APART = re.compile(
    r"[^ctsg]ia|[^ctsg]io(?!u)|[^ctg]iou|uou|(?<![pg])eo|(?:cr|ar|id)ea|[^gq]u[ao](?!u)|(?:sc|qu|so[a-z]|ip)ie|[aeiou]ing$"
)
_CONTRACTED = re.compile(r"[ds]n't$")
_SHORTER = frozenset("business businesses every everyone everything someone something interest interests".split())  # noqa: SIM905
"""Words with a silent vowel in the middle."""


def reading_ease(sentences: Iterable[str]) -> float:
    """The reading ease of these sentences: 100 is very easy, 50 fairly difficult, 0 academic. 100 if there are none."""
    counted = [words for sentence in sentences if (words := _WORD.findall(sentence))]
    total = sum(map(len, counted))
    if not total:
        return 100.0
    spoken = sum(syllables(word) for words in counted for word in words)
    return 206.835 - 1.015 * total / len(counted) - 84.6 * spoken / total


def syllables(word: str) -> int:
    """The number of syllables of an English word, counted by vowel groups; at least one."""
    word = word.casefold().replace("’", "'")
    count = len(_VOWELS.findall(word)) + len(_APART.findall(word)) + len(_CONTRACTED.findall(word))
    count -= bool(_SILENT.search(word)) + (word in _SHORTER)
    return max(count, 1)
