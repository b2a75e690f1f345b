"""Values that are said digit by digit and letter by letter, and what they are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import re2

from troth.detect.spoken.language import Language
from troth.detect.spoken.said import Said
from troth.detect.spoken.signs import Signs, read
from troth.detect.spoken.talk import GAPS, Talk
from troth.detect.spoken.values import Value, values

__all__ = ["digits_and_letters"]

_UNITS: Final = "dwotTk9lvnmL"
_INSIDE: Final = "fcyz="
_PIECES: Final = re2.compile(f"[{_UNITS}+/#-][{_UNITS}h=/+#_{_INSIDE}-]*")
_STRONG: Final = "dtT9lnoLmhk"
_WEAK: Final = "wv"
_STANDS_APART: Final = "x@.MO"
"""What stands beside a word that may be a digit or a letter when it is neither."""
_ASKED_WORDS_MAX: Final = 30
_PARTIAL_WORDS_MAX: Final = 10
_PIECES_MAX: Final = 10
_ASIDE_WORDS_MAX: Final = 16
_RESTATED_WORDS_MAX: Final = 14


@dataclass(frozen=True, slots=True)
class _Piece:
    """Words of a value in one breath."""

    start: int
    end: int
    is_weak: bool


def digits_and_letters(talk: Talk, language: Language) -> Iterator[Said]:
    """Every value that is said by digits and letters in *talk*."""
    pieces = list(_pieces(talk))
    at = 0
    while at < len(pieces):
        found, taken = _best(talk, pieces[at : at + _PIECES_MAX], language)
        if found:
            taken += _restated(talk, pieces[at : at + taken + 3], taken)
            yield found._replace(end=pieces[at + taken - 1].end)
        at += taken


def _pieces(talk: Talk) -> Iterator[_Piece]:
    kinds = talk.kinds
    for match in _PIECES.finditer(kinds):
        start, end = match.span()
        while end > start and kinds[end - 1] in _INSIDE.replace("=", "") + "-/#_+":
            end -= 1
        while start < end and kinds[start] in "-/#_" + _INSIDE:
            start += 1
        if start and kinds[start - 1] in _STANDS_APART:
            while start < end and kinds[start] in _WEAK + _INSIDE and kinds[start + 1 : start + 2] != "=":
                start += 1
        if kinds[end : end + 1] in tuple(_STANDS_APART):
            while end > start and kinds[end - 1] in _WEAK + _INSIDE.replace("=", ""):
                end -= 1
        if start < end:
            yield _Piece(start, end, not any(kind in _STRONG for kind in kinds[start:end]))


def _best(talk: Talk, pieces: Sequence[_Piece], language: Language) -> tuple[Said | None, int]:
    """What the first pieces say at best, and how many of them; where they say nothing, one is passed over."""
    best, taken, best_score = None, 1, 0.0
    first = pieces[0]
    if first.is_weak and not _is_answer(talk, first.start):
        return None, 1
    aside = 0
    for count, piece in enumerate(pieces, 1):
        if count > 1:
            gap = (pieces[count - 2].end, piece.start)
            if gap[1] - gap[0] > _ASIDE_WORDS_MAX or talk.is_asked_in(*gap):
                break
            aside += sum(kind in "xMO@." for kind in talk.kinds[gap[0] : gap[1]])
        said = _understood(talk, pieces[:count], language)
        if said is None or (aside and not said.told):
            continue
        score = said.score - 0.02 * (count - 1) - 0.01 * aside
        if score >= best_score:
            best, taken, best_score = said, count, score
    return best, taken


def _is_answer(talk: Talk, at: int) -> bool:
    return (at == 0 or talk.kinds[at - 1] in GAPS + "?") and any(at - it.at <= 6 for it in talk.asked_before(at)[:1])


def _restated(talk: Talk, pieces: Sequence[_Piece], taken: int) -> int:
    """How many pieces more are the same value, said again because it was wrong."""
    more = 0
    for before, piece in itertools.pairwise(pieces[taken - 1 :]):
        gap = talk.kinds[before.end : piece.start]
        is_near = len(gap) <= _RESTATED_WORDS_MAX and not talk.is_asked_in(before.end, piece.start)
        if piece.is_weak or not is_near or "c" not in gap:
            break
        more += 1
    return more


def _understood(talk: Talk, pieces: Sequence[_Piece], language: Language) -> Said | None:
    start, end = pieces[0].start, pieces[-1].end
    signs = read(talk, [(it.start, it.end) for it in pieces], language)
    if len(signs.said) < 2 or _is_counted(talk, end, signs, language):
        return None
    told = _told(talk, start, signs)
    if told:
        return Said(start, end, told[0], told[1], told=True)
    if len(set(signs.shape)) == 1 and _counts(signs):
        return None
    type_, score = max(((it.type, it.score_alone(signs.shape)) for it in values().values()), key=lambda it: it[1])
    if "h" in talk.kinds[start:end] or "k" in talk.kinds[start:end]:
        score -= 0.0 if len(signs.said) >= 9 else 0.3
    return Said(start, end, type_, score, told=False) if score >= 0.3 else None


def _told(talk: Talk, start: int, signs: Signs) -> tuple[str, float] | None:
    asked = [it for it in talk.asked_before(start)[:6] if start - it.at <= _ASKED_WORDS_MAX]
    partial = any(it.prompt.is_partial and start - it.at <= _PARTIAL_WORDS_MAX for it in asked)
    asked.sort(key=lambda it: it.prompt.is_weak)
    types = list(dict.fromkeys(type_ for it in asked for type_ in it.prompt.types))
    known: list[Value] = [values()[it] for it in types if it in values()]
    if partial:
        for value in [*known, values()["CREDIT_CARD"]]:
            if value.partial and value.partial.fullmatch(signs.shape):
                return value.type, 0.85
    for value in known:
        if value.exact.fullmatch(signs.shape):
            return value.type, 0.97 if value.full and len(signs.said) in value.full else 0.93
    for value in known[:1]:
        if value.loose.fullmatch(signs.shape):
            return value.type, 0.85 if signs.noise else 0.7
    return None


def _is_counted(talk: Talk, end: int, signs: Signs, language: Language) -> bool:
    """Whether the number is how many of something there are."""
    return len(signs.said) <= 5 and end < len(talk.words) and talk.words[end] in language.counted


def _counts(signs: Signs) -> bool:
    """Whether somebody only counts up or down, or says the alphabet."""
    codes = [ord(it) for it in signs.said.replace("10", ":")]
    steps = [after - before for before, after in itertools.pairwise(codes)]
    return max(steps.count(1), steps.count(-1), steps.count(0)) >= 0.75 * len(steps)
