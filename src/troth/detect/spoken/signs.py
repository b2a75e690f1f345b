"""The digits, letters and signs that words say, with the way back to the words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from troth.detect.spoken.language import Language
from troth.detect.spoken.talk import GAPS, Talk

__all__ = ["Signs", "read"]

_MULTIPLIED: Final = "dwotTlvn9"
_CARDINAL: Final = re.compile("(?:(?:T[dw]?|[td])k)(?:&?[dt]h)?(?:&(?:T[dw]?|[td]))?|[dt]h&(?:T[dw]?|[td])")
"""A number with thousands, or with hundreds and something."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is said, one character a sign (``o`` for what is a nought or the letter), and which word says each.

    *shape* has D for a digit (Z for a nought), L for a letter, B for what may be either, other signs as they are. *noise* counts words
    that are no part of the value: corrections, turns, other talk; *repeats* how many signs come from a word that was just said.
    """

    said: str
    shape: str
    words: list[int]
    noise: int
    repeats: int


def read(talk: Talk, spans: Sequence[tuple[int, int]], language: Language) -> Signs:
    """The signs that the words of *spans* say, each from its first word to its last (not included)."""
    said: list[str] = []
    words: list[int] = []
    for start, end in spans:
        for at, value in _values(talk, start, end, language):
            said.extend(value)
            words.extend([at] * len(value))
    noise = sum(kind in "cysz" for start, end in spans for kind in talk.kinds[start:end]) + len(spans) - 1
    repeats = sum(at != before and talk.words[at] == talk.words[before] for before, at in itertools.pairwise(words))
    return Signs("".join(said), "".join(map(_shape, said)), words, noise, repeats)


def _shape(sign: str) -> str:
    if sign.isdigit():
        return "D" if sign != "0" else "Z"
    if sign == "o":
        return "B"
    return "L" if sign.isalpha() else sign


def _values(talk: Talk, start: int, end: int, language: Language) -> Iterator[tuple[int, str]]:
    times = 1
    at = start
    while at < end:
        kind = talk.kinds[at]
        if kind == "m":
            times = int(language.values[talk.words[at]])
        elif kind not in GAPS and kind != "=":
            value, length = _value(talk, at, end, language)
            if value:
                yield at, value[0] * times + value[1:] if times > 1 else value
            times = 1
            at += length
            continue
        at += 1


def _value(talk: Talk, at: int, end: int, language: Language) -> tuple[str, int]:
    """What the word *at* says together with words after it, and how many words that takes."""
    word, kind = talk.words[at], talk.kinds[at]
    if kind in "9L":
        return word.upper(), 1
    if kind not in "dwotThklvn@._-/+#":
        return "", 1
    value = "o" if kind == "o" else language.values.get(word, word)
    if kind in "dtT" and (cardinal := _CARDINAL.match(talk.kinds[at:end][:7])):
        return str(_number(talk.words[at : at + cardinal.end()], language)), cardinal.end()
    after = talk.kinds[at + 1 : min(at + 3, end)]
    if kind == "T" and after[:1] in ("d", "w") and language.values[talk.words[at + 1]] != "0":
        return value[0] + language.values[talk.words[at + 1]], 2
    if kind in "dtT" and after[:1] in ("h", "k") and after:
        return value + language.values[talk.words[at + 1]], 2
    return value, 1


def _number(words: Sequence[str], language: Language) -> int:
    """The number that *words* say: ``four thousand one hundred and twelve``."""
    whole = part = 0
    for word in words:
        value = language.values.get(word, "0")
        if value == "000":
            whole, part = (whole + part) * 1000, 0
        elif value == "00":
            part *= 100
        else:
            part += int(value)
    return whole + part
