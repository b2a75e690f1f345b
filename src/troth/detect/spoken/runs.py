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
_INSIDE: Final = "fcyz=&"
_PIECES: Final = re2.compile(f"[{_UNITS}+/#-][{_UNITS}h=/+#_{_INSIDE}-]*")
_STRONG: Final = "dtT9lnoLmhk"
_WEAK: Final = "wv"
_STANDS_APART: Final = "x@.MO!"
"""What stands beside a word that may be a digit or a letter when it is neither."""
_ASKED_WORDS_MAX: Final = 30
_ASKED_WEAKLY_WORDS_MAX: Final = 14
_PARTIAL_WORDS_MAX: Final = 10
_PIECES_MAX: Final = 10
_ASIDE_WORDS_MAX: Final = 16
_RESTATED_WORDS_MAX: Final = 14
_FOLLOWS: Final = {
    "SORT_CODE": ("BANK_ACCOUNT",),
    "BANK_ACCOUNT": ("SORT_CODE",),
    "CREDIT_CARD": ("CARD_EXPIRY", "CVV"),
    "CARD_EXPIRY": ("CVV",),
}
"""What people say next without being asked again."""
_FOLLOWING: Final = 0.75
_EXACT: Final = 0.93


@dataclass(frozen=True, slots=True)
class _Piece:
    """Words of a value in one breath."""

    start: int
    end: int
    is_weak: bool


def digits_and_letters(talk: Talk, language: Language) -> Iterator[Said]:
    """Every value that is said by digits and letters in *talk*: of all ways to divide what is said, the surest."""
    pieces = list(_pieces(talk))
    best: list[float] = [0.0] * (len(pieces) + 1)
    chosen: list[tuple[Said | None, int]] = [(None, 1)] * len(pieces)
    for at in range(len(pieces) - 1, -1, -1):
        best[at] = best[at + 1]
        for said, count, worth in _readings(talk, pieces[at : at + _PIECES_MAX], language):
            if worth + best[at + count] > best[at]:
                best[at], chosen[at] = worth + best[at + count], (said, count)
    at = 0
    while at < len(pieces):
        said_here, count = chosen[at]
        if said_here:
            count += _restated(talk, pieces[at : at + count + 3], count)
            yield said_here._replace(end=pieces[at + count - 1].end)
        at += count


def _pieces(talk: Talk) -> Iterator[_Piece]:
    kinds = talk.kinds
    for match in _PIECES.finditer(kinds):
        start, end = match.span()
        while end > start and kinds[end - 1] in "fcyz&-/#_+":
            end -= 1
        while start < end and (kinds[start] in "-/#_" + _INSIDE or (kinds[start] == "v" and kinds[start + 1 : start + 2] in ("f", "c", "y"))):
            start += 1
        if start and kinds[start - 1] in _STANDS_APART:
            while start < end and _is_word(talk, start):
                start += 1
        if start and kinds[start - 1] == "?" and _is_verb(talk, start):
            start += 1
        if kinds[end : end + 1] in tuple(_STANDS_APART):
            while end > start and kinds[end - 1] in _WEAK + "fcyz&":
                end -= 1
        if start < end:
            yield _Piece(start, end, not any(kind in _STRONG for kind in kinds[start:end]))


def _readings(talk: Talk, pieces: Sequence[_Piece], language: Language) -> Iterator[tuple[Said, int, float]]:
    """What the first piece says, alone and together with those after it: how many pieces, and what that is worth."""
    if pieces[0].is_weak and not _is_answer(talk, *pieces[:2]):
        return
    is_told = any(
        pieces[0].start - it.at <= _ASKED_WEAKLY_WORDS_MAX and not it.prompt.is_weak
        for it in talk.asked_before(pieces[0].start)[:2]
    )
    aside = 0
    said: Said | None = None
    signs: Signs | None = None
    for count, piece in enumerate(pieces, 1):
        if count > 1:
            before = pieces[count - 2]
            if piece.start - before.end > _ASIDE_WORDS_MAX or talk.is_asked_in(before.end, piece.start):
                return
            gap = talk.kinds[before.end : piece.start]
            others = sum(kind in "xMO@.!" for kind in gap)
            if _is_other_speaker(talk, before.end, piece.start):
                if said and said.score >= _EXACT:
                    return
                others += 1
            if others and piece.is_weak and not _stands_alone(talk, piece):
                continue
            if others and not (is_told and _may_go_on(said, signs, gap)):
                return
            aside += others
        said, signs = _understood(talk, pieces[:count], language)
        if said and (said.told or not aside):
            is_full = len(signs.said) in values()[said.type].full
            joins = 0 if is_full else sum(bool(set(talk.kinds[a.end : b.start]) & set("gs;")) for a, b in itertools.pairwise(pieces[:count]))
            yield said, count, (said.score - 0.01 * aside) * len(signs.said) - 0.5 - 0.3 * joins


def _is_other_speaker(talk: Talk, start: int, end: int) -> bool:
    """Whether somebody else speaks from between two words on."""
    turns = [at for at in range(start, end) if talk.kinds[at] == "s" and ":" in talk.words[at]]
    if not turns:
        return False
    before = next((talk.words[at] for at in range(start - 1, -1, -1) if talk.kinds[at] == "s"), "")
    return talk.words[turns[-1]].strip() != before.strip()


def _is_word(talk: Talk, at: int) -> bool:
    """Whether a word at the edge of a piece is no digit and no letter, but a word of the talk before it."""
    follows = talk.kinds[at + 1 : at + 2]
    if follows == "=" or (talk.words[at] in ("a", "i") and follows in ("l", "n")):
        return False
    return talk.kinds[at] in _WEAK + _INSIDE


def _is_verb(talk: Talk, at: int) -> bool:
    """Whether a word between what is asked and a number is no letter: ``the digits are four one``."""
    return talk.kinds[at] == "v" and len(talk.words[at]) > 1 and talk.kinds[at + 1 : at + 2] in tuple("dtT9mow")


def _is_answer(talk: Talk, piece: _Piece, after: _Piece | None = None) -> bool:
    """Whether words that may be digits or letters and no more are the beginning of a value that was asked for."""
    at = piece.start
    follows = after is not None and not any(kind in "xMO@.?!" for kind in talk.kinds[piece.end : after.start])
    is_first = at == 0 or talk.kinds[at - 1] in GAPS
    return (follows or piece.end - at > 1) and is_first and any(at - it.at <= 6 for it in talk.asked_before(at)[:1])


def _stands_alone(talk: Talk, piece: _Piece) -> bool:
    return talk.kinds[piece.start - 1] in "sgf" and talk.kinds[piece.end : piece.end + 1] in ("", "s", ";")


def _may_go_on(said: Said | None, signs: Signs | None, gap: str) -> bool:
    """Whether a value may go on after words that are no part of it: where it is not complete yet."""
    if said is None or signs is None:
        return True
    full = values()[said.type].full
    if full:
        return len(signs.said) < max(full) + min(signs.noise, 6)
    return len(gap) <= 4 and ("c" in gap or "f" in gap)


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


def _understood(talk: Talk, pieces: Sequence[_Piece], language: Language) -> tuple[Said | None, Signs]:
    start, end = pieces[0].start, pieces[-1].end
    signs = read(talk, [(it.start, it.end) for it in pieces], language)
    if len(signs.said) < 2 or _is_counted(talk, end, signs, language):
        return None, signs
    told = _told(talk, start, signs)
    alone = _alone(talk, pieces, signs) if told is None or told[1] < 0.85 else None
    best = max((it for it in (told, alone) if it), key=lambda it: it[1], default=None)
    return best and Said(start, end, *best, told=best is told), signs


def _told(talk: Talk, start: int, signs: Signs) -> tuple[str, float] | None:
    asked = [
        it
        for it in talk.asked_before(start)[:6]
        if start - it.at <= (_ASKED_WEAKLY_WORDS_MAX if it.prompt.is_weak else _ASKED_WORDS_MAX)
    ]
    partial = any(it.prompt.is_partial and start - it.at <= _PARTIAL_WORDS_MAX for it in asked)
    asked.sort(key=lambda it: it.prompt.is_weak)
    types = list(dict.fromkeys(type_ for it in asked for type_ in it.prompt.types))
    known: list[Value] = [values()[it] for it in types if it in values()]
    if partial:
        for value in [*known, values()["CREDIT_CARD"]]:
            if value.partial and value.partial.fullmatch(signs.shape):
                return value.type, 0.85
    for value in known:
        if value.exact.fullmatch(signs.shape) and len(signs.said) >= value.least:
            return value.type, 0.97 if value.full and len(signs.said) in value.full else _EXACT
    loose = 0.85 if signs.noise else 0.7
    for value in known[:1]:
        if value.loose.fullmatch(signs.shape) and any(0 <= len(signs.said) - it <= signs.repeats for it in value.full):
            return value.type, 0.85
    for value in known[:1]:
        if loose > _FOLLOWING and value.loose.fullmatch(signs.shape) and len(signs.said) >= value.least:
            return value.type, loose
    for type_ in (follower for it in types for follower in _FOLLOWS.get(it, ())):
        if values()[type_].exact.fullmatch(signs.shape):
            return type_, _FOLLOWING
    for value in known[:1]:
        if value.loose.fullmatch(signs.shape) and len(signs.said) >= value.least:
            return value.type, loose
    return None


def _alone(talk: Talk, pieces: Sequence[_Piece], signs: Signs) -> tuple[str, float] | None:
    """What a value is that nothing speaks of, by its shape, unless it is a quantity, a time or somebody who counts."""
    if len(set(signs.shape) - {"Z", "B"}) <= 1 and _counts(signs):
        return None
    kinds = "".join(talk.kinds[it.start : it.end] for it in pieces)
    if not set(kinds) - set("9L" + _INSIDE):
        return None
    type_, score = max(((it.type, it.score_alone(signs.shape)) for it in values().values()), key=lambda it: it[1])
    if "k" in kinds:
        score -= 0.4
    if signs.said[0] not in "o0+":
        if "h" in kinds:
            score -= 0.4
        if len(signs.said) < 13 and sum(kinds.count(it) for it in "tT") > 2:
            score -= 0.3
    if ("n" in kinds or "=" in kinds) and set(signs.shape) <= set("LB") and len(signs.said) >= 3:
        type_, score = "SPELLED_NAME", 0.75
    score -= 0.1 * (kinds.count("w") + len(pieces) - 1) + 0.05 * _long_words(talk, pieces)
    return (type_, score) if score >= 0.3 else None


def _long_words(talk: Talk, pieces: Sequence[_Piece]) -> int:
    """How many letters are said with a word that means something else: ``see``, ``you``."""
    words = (at for it in pieces for at in range(it.start, it.end))
    return sum(talk.kinds[at] == "v" and len(talk.words[at]) > 1 for at in words)


def _is_counted(talk: Talk, end: int, signs: Signs, language: Language) -> bool:
    """Whether the number is how many of something there are."""
    return len(signs.said) <= 5 and end < len(talk.words) and talk.words[end] in language.counted


def _counts(signs: Signs) -> bool:
    """Whether somebody only counts up or down, or says the alphabet."""
    codes = [ord(it) for it in signs.said.replace("10", ":")]
    steps = [after - before for before, after in itertools.pairwise(codes)]
    return max(steps.count(1), steps.count(-1), steps.count(0)) >= 0.75 * len(steps)
