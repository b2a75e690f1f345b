"""The digits, letters and signs that words express."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.word_stream import GAPS, WordStream

_UNITS: Final = "dwotThklvn@._-/+#"
_SAID_BY_WORD: Final = "dtlnvw"
"""Words that each have a value independent of their neighbours."""
_LARGE: Final = re.compile("[Thk&]")
"""Words that may form one number with their neighbours."""
_NOISE: Final = "cysz"
_CARDINAL: Final = re.compile("(?:T[dw]?|[tdw])k(?:&?[dt]h)?(?:&(?:T[dw]?|[td]))?|[dt]h&(?:T[dw]?|[td])")
"""A number with thousands, or with hundreds and more."""
_CARDINAL_WORDS_MAX: Final = 8


class _Shapes(dict[str, str]):
    """The shape of each sign, computed on first use."""

    def __missing__(self, sign: str) -> str:
        shape = self[sign] = _shape(sign)
        return shape


_SHAPES: Final = _Shapes()


class Signs(NamedTuple):
    """The spoken signs, one character each (``o`` for zero or the letter).

    A shape has D for a digit (Z for zero), L for a letter, B for either, and other signs as they are. *shape* is that
    of everything spoken; *corrected* omits what was taken back (``seven no sorry eight``), *once* also omits repeated
    words. *noise* is the number of words that are not part of the value: corrections, turns, other talk. *repeats* is
    the number of signs from repeated words.
    """

    said: str
    shape: str
    corrected: str
    once: str
    noise: int
    repeats: int

    def __repr__(self) -> str:
        """Without the signs, which are personal data."""
        return f"<Signs {self.shape}>"

    @property
    def shapes(self) -> tuple[str, ...]:
        """The shape as spoken, and without slips."""
        if self.shape == self.corrected == self.once:
            return (self.shape,)
        return tuple(dict.fromkeys((self.shape, self.corrected, self.once)))


def read(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> Signs:
    """The signs that words *start* to *end* (exclusive) express."""
    kinds = talk.kinds[start:end]
    is_said_by_word = not kinds.strip(_SAID_BY_WORD)
    if is_said_by_word:
        words = talk.words[start:end]
        values = list(map(language.values.__getitem__, words))
    else:
        read_out = list(_values(talk, start, end, language))
        words, values = [talk.words[at] for at, _ in read_out], [value for _, value in read_out]
    said = "".join(values)
    corrected = once = shape = _shape_of(said)
    repeats = sum(map(operator.eq, words, words[1:]))
    if "c" in kinds:
        read_out = _without_corrected(talk, read_out)
        words, values = [talk.words[at] for at, _ in read_out], [value for _, value in read_out]
        corrected = once = _shape_of("".join(values))
    if repeats or "c" in kinds:
        each = zip(values, words, ["", *words], strict=False)
        once = _shape_of("".join(value for value, word, before in each if word != before))
    noise = 0 if is_said_by_word else sum(map(kinds.count, _NOISE))
    return Signs(said, shape, corrected, once, noise, repeats)


def _without_corrected(talk: WordStream, read_out: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """The signs without those that were taken back."""
    kept: list[tuple[int, str]] = []
    for at, value in read_out:
        if kept and "c" in talk.kinds[kept[-1][0] : at]:
            kept.pop()
        kept.append((at, value))
    return kept


def joined(before: Signs, after: Signs) -> Signs:
    """The signs of a value spoken in parts; the later part may repeat the end, or all, of the earlier one."""
    again = _said_again(before.said, after.said)
    once = after.once[again:] if again > 1 and after.once == after.shape else after.once
    return Signs(
        before.said + after.said,
        before.shape + after.shape,
        before.corrected + after.corrected,
        before.once + once,
        before.noise + after.noise + 1,
        before.repeats + after.repeats + again,
    )


def _said_again(before: str, after: str) -> int:
    """How many signs at the end of *before* are repeated at the start of *after*."""
    before, after = before.replace("o", "0"), after.replace("o", "0")
    longest = min(len(before), len(after))
    return next((count for count in range(longest, 0, -1) if before.endswith(after[:count])), 0)


def _shape_of(signs: str) -> str:
    return "".join(map(_SHAPES.__getitem__, signs))


def _shape(sign: str) -> str:
    if sign.isdigit():
        return "D" if sign != "0" else "Z"
    if sign == "o":
        return "B"
    return "L" if sign.isalpha() else sign


def _values(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> Iterator[tuple[int, str]]:
    """Each word that expresses signs, with these: after ``double`` the next sign counts twice."""
    says_one = not _LARGE.search(talk.kinds, start, end)
    times = 1
    at = start
    while at < end:
        kind = talk.kinds[at]
        length = 1
        if kind == "m" and talk.words[at + 1 : at + 2] in (["you"], ["u"]):
            yield at, "W"
            length = 2
        elif kind == "m":
            times = int(language.values[talk.words[at]])
        elif kind not in GAPS and kind != "=":
            value, length = _value(talk, at, at + 1 if says_one else end, language)
            if value:
                yield at, value[0] * times + value[1:] if times > 1 else value
            times = 1
        at += length


def _value(talk: WordStream, at: int, end: int, language: SpokenLanguage) -> tuple[str, int]:
    """The value of word *at* together with following words, and the number of words used."""
    word, kind = talk.words[at], talk.kinds[at]
    if kind in "9L":
        return word.upper(), 1
    if kind not in _UNITS:
        return "", 1
    value = "o" if kind == "o" else language.values.get(word, word)
    if kind not in "dtTw" or end == at + 1:
        return value, 1
    after = talk.kinds[at + 1 : min(at + _CARDINAL_WORDS_MAX, end)]
    if ("k" in after or "&" in after) and (cardinal := _CARDINAL.match(kind + after)):
        return str(_number(talk.words[at : at + cardinal.end()], language)), cardinal.end()
    second = language.values[talk.words[at + 1]] if after and after[0] in "dwhk" else ""
    if kind == "T" and second and after[0] in "dw" and second != "0":
        return value[0] + second, 2
    if second and after[0] in "hk":
        return value + second, 2
    return value, 1


def _number(words: Sequence[str], language: SpokenLanguage) -> int:
    """The number expressed by *words*: ``four thousand one hundred and twelve``."""
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
