"""Values that are said digit by digit and letter by letter, and what they are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

import re2

from troth.detect.spoken.language import Language
from troth.detect.spoken.said import Said
from troth.detect.spoken.signs import Signs, read
from troth.detect.spoken.talk import GAPS, Asked, Talk
from troth.detect.spoken.values import Value, values

__all__ = ["digits_and_letters"]

_UNITS: Final = "dwotTk9lvnmL"
_RUNS: Final = re2.compile(f"[{_UNITS}+][{_UNITS}h=/+#_{GAPS}-]*")
_WEAK: Final = "wv"
_STRONG: Final = "dtTlnoLm"
_ASKED_WORDS_MAX: Final = 30
_PARTIAL_WORDS_MAX: Final = 8


def digits_and_letters(talk: Talk, language: Language) -> Iterator[Said]:
    """Every value that is said by digits and letters in *talk*."""
    for match in _RUNS.finditer(talk.kinds):
        start, end = match.span()
        end -= len(match[0]) - len(match[0].rstrip(GAPS + "-/#_+"))
        if sum(kind in _STRONG for kind in talk.kinds[start:end]):
            yield from _said(talk, start, end, language)


def _said(talk: Talk, start: int, end: int, language: Language) -> Iterator[Said]:
    best = max(
        (it for span in _spans(talk, start, end) if (it := _understood(talk, *span, language))),
        key=lambda it: it.score,
        default=None,
    )
    if best:
        yield best


def _spans(talk: Talk, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The run without words at its ends that may be words and no more, and with them."""
    first, last = start, end
    while first < last and talk.kinds[first] in _WEAK + GAPS:
        first += 1
    while last > first and talk.kinds[last - 1] in _WEAK + GAPS + "=":
        last -= 1
    yield from dict.fromkeys([(first, last), (first, end), (start, last), (start, end)])


def _understood(talk: Talk, start: int, end: int, language: Language) -> Said | None:
    signs = read(talk, start, end, language)
    if len(signs.said) < 2 or _is_counted(talk, end, signs, language):
        return None
    asked = [it for it in talk.asked_before(start) if start - it.at <= _ASKED_WORDS_MAX]
    told = _told(signs, start, asked)
    if told:
        return Said(start, end, told[0], told[1], told=True)
    if len(set(signs.shape)) == 1 and _counts(signs):
        return None
    type_, score = max(((it.type, it.score_alone(signs.shape)) for it in values().values()), key=lambda it: it[1])
    return Said(start, end, type_, score, told=False) if score else None


def _told(signs: Signs, start: int, asked: list[Asked]) -> tuple[str, float] | None:
    partial = any(it.prompt.partial and start - it.at <= _PARTIAL_WORDS_MAX for it in asked)
    types = list(dict.fromkeys(type_ for it in asked[:4] for type_ in it.prompt.types))
    if partial:
        for type_ in [*types, "CREDIT_CARD"]:
            if (pattern := values()[type_].partial if type_ in values() else None) and pattern.fullmatch(signs.shape):
                return type_, 0.85
    known: list[Value] = [values()[it] for it in types if it in values()]
    for value in known:
        if value.exact.fullmatch(signs.shape):
            return value.type, 0.95
    for value in known[:1]:
        if value.loose.fullmatch(signs.shape):
            return value.type, 0.8 if signs.noise else 0.7
    return None


def _is_counted(talk: Talk, end: int, signs: Signs, language: Language) -> bool:
    """Whether the number is how many of something there are."""
    return len(signs.said) <= 5 and end < len(talk.words) and talk.words[end] in language.counted


def _counts(signs: Signs) -> bool:
    """Whether somebody only counts up or down, or says the alphabet."""
    codes = [ord(it) for it in signs.said.replace("10", ":")]
    steps = [after - before for before, after in itertools.pairwise(codes)]
    return max(steps.count(1), steps.count(-1), steps.count(0)) >= 0.75 * len(steps)
