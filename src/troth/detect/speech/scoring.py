"""Determines the type of signs: by the preceding question, or by their shape alone."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Final, NamedTuple

from troth.detect.speech.signs import Signs
from troth.detect.speech.values import SpokenType, by_shape, values
from troth.detect.speech.word_stream import WordStream

EXACT: Final = 0.93
WHOLE: Final = 0.97
_PARTIAL: Final = 0.85
_NOISY: Final = 0.85
_LOOSE: Final = 0.7
_ANYTHING: Final = 0.8
FOLLOWING: Final = 0.75
"""Scores of a requested value: of complete form and full length; of another usual length; partial; spoken with slips;
of an unusual shape; of the generic type although another was requested too; and of a value that usually follows
unasked."""
_FOLLOWS: Final = {
    "SORT_CODE": ("BANK_ACCOUNT",),
    "BANK_ACCOUNT": ("SORT_CODE",),
    "CREDIT_CARD": ("CARD_EXPIRY", "CVV"),
    "CARD_EXPIRY": ("CVV",),
}
"""Types that people usually add without being asked again."""
_GENERIC: Final = 2
"""The rank of prompts after which any kind of number may follow."""
_GENERIC_SCORE: Final = 0.65
_ASKED_MAX: Final = 6
_NEAREST: Final = 2
_ASKED_WORDS_MAX: Final = 30
_ASKED_WEAKLY_WORDS_MAX: Final = 20
_PARTIAL_WORDS_MAX: Final = 10
_SURE_WORDS_MAX: Final = 14
_NEAR_WORDS_MAX: Final = 7
"""How many prompts are examined, how many may count as certain, and the maximum distance in words for each kind."""
_OWN_WORDS_MAX: Final = 5
_OTHER_WORDS_MAX: Final = 10
_TURNS_MAX: Final = 3
_ANSWERED_TURNS: Final = 2
"""Limits for other talk between a question and its answer: words in the answer's turn, words, turns."""
_SLIPPED: Final = 7
_SHORT: Final = 8
_LONG: Final = 10
_CARD_SIGNS: Final = 13
_PARTS_MAX: Final = 4
_LEAST_SCORE: Final = 0.3
_TOLD_SIGNS: Final = 5
_TOLD_DIGITS: Final = 3
"""Minimum signs for slips to be plausible; maximum for a possible amount; minimum for a homophone to matter less;
minimum for repeated digits not to be counting; maximum breaths of a value; minimum score without a prompt; and minimum
signs and digits of a value of any kind, if another type was requested."""


class PromptContext(NamedTuple):
    """What was requested before a value, likeliest first, and whether only a part of it.

    *is_sure*: it was plainly requested; *is_near*: just before; *is_generic*: any kind of number was requested.
    """

    values: tuple[SpokenType, ...]
    is_partial: bool
    is_sure: bool
    is_near: bool
    is_generic: bool


_NOTHING: Final = PromptContext((), is_partial=False, is_sure=False, is_near=False, is_generic=True)


def context(talk: WordStream, at: int, *, since: int = 0) -> PromptContext:
    """What was requested before word *at*, but not before word *since*. Prompts that often refer to something else
    count less, and at shorter distance."""
    by_rank: tuple[list[tuple[str, ...]], ...] = ([], [], [])
    is_partial = is_sure = is_near = is_asked_since = False
    counted = 0
    typed = at
    for start, past, prompt in talk.asked_before(at, _ASKED_MAX):
        distance, rank = at - past, prompt.rank
        if prompt.is_end or distance > _ASKED_WORDS_MAX or past <= since:
            break
        if _has_moved_on(talk.kinds[past:at], rank):
            continue
        if is_asked_since and talk.kinds.count("s", past, typed) >= _ANSWERED_TURNS:
            break  # already answered
        is_asked_since = is_asked_since or (rank == 1 and "s" in talk.kinds[past:at])
        by_rank[rank].append(prompt.types)
        if prompt.is_partial and distance <= _PARTIAL_WORDS_MAX and (typed == at or "s" not in talk.kinds[past:typed]):
            is_partial = True
        elif prompt.types:
            typed = start
        counted += 1
        if counted <= _NEAREST and rank < _GENERIC:
            is_sure = is_sure or (not rank and distance <= _SURE_WORDS_MAX)
            is_near = is_near or distance <= _NEAR_WORDS_MAX
    if not counted:
        return _NOTHING
    plainly, weakly, generically = by_rank
    wanted = (*plainly, *weakly) or tuple(generically)
    return PromptContext(_known(wanted), is_partial, is_sure, is_near, is_generic=not plainly and not weakly)


@lru_cache(maxsize=1024)
def _known(wanted: tuple[tuple[str, ...], ...]) -> tuple[SpokenType, ...]:
    """The values of these types, without duplicates."""
    types = dict.fromkeys(type_ for several in wanted for type_ in several)
    return tuple(values()[it] for it in types if it in values())


def _has_moved_on(kinds: str, rank: int) -> bool:
    """True if the talk between a question and a number has moved to another subject."""
    if "s" not in kinds:
        return rank > 0 and len(kinds) > _ASKED_WEAKLY_WORDS_MAX
    rest, *_, own = kinds.split("s")
    others_max = _OTHER_WORDS_MAX if rank == 0 else _OWN_WORDS_MAX
    if own.count("x") + 2 * own.count("@") > others_max or rest.count("x") > _OTHER_WORDS_MAX:
        return True
    if rank and (len(kinds) > _ASKED_WEAKLY_WORDS_MAX or any(it in rest for it in "dtT")):
        return True
    return kinds.count("s") > _TURNS_MAX


def told(signs: Signs, asked: PromptContext) -> tuple[str, float] | None:
    """The type and score of a value that was requested."""
    if not asked.values and not asked.is_partial:
        return None
    shapes = signs.shapes
    if asked.is_partial:
        for value in (*asked.values, values()["CREDIT_CARD"]):
            if value.is_part(signs.shape):
                return value.type, _PARTIAL
    for at, value in enumerate(asked.values):
        for shape in shapes:
            if len(shape) >= value.least and value.is_exact(shape):
                if asked.is_generic:
                    return value.type, _GENERIC_SCORE
                if at and value.type == "REFERENCE_NUMBER":
                    return value.type, _ANYTHING
                return value.type, WHOLE if len(shape) in value.full else EXACT
    return _told_loosely(signs, asked)


def _told_loosely(signs: Signs, asked: PromptContext) -> tuple[str, float] | None:
    length = len(signs.said)
    is_slip = asked.is_near and signs.noise > 0 and length >= _SLIPPED
    if not asked.values or not (asked.is_sure or is_slip):
        return None
    is_loose = length >= asked.values[0].least and asked.values[0].is_loose(signs.shape)
    if is_loose and (signs.noise or any(0 <= length - it <= signs.repeats for it in asked.values[0].full)):
        return asked.values[0].type, _NOISY
    if asked.is_near and asked.values[0].is_part(signs.shape):
        return asked.values[0].type, _LOOSE
    for type_ in (follower for it in asked.values for follower in _FOLLOWS.get(it.type, ())):
        if values()[type_].is_exact(signs.shape):
            return type_, FOLLOWING
    if is_loose:
        return asked.values[0].type, _LOOSE
    is_number = length >= _TOLD_SIGNS and signs.shape.count("D") >= _TOLD_DIGITS and "L" in signs.shape
    if is_number and asked.is_near and not signs.noise and values()["REFERENCE_NUMBER"].is_exact(signs.shape):
        return "REFERENCE_NUMBER", _LOOSE
    return None


def alone(signs: Signs, kinds: str, *, long_letters: int, parts: int) -> tuple[str, float] | None:
    """The type and score of a value without a prompt, by its shape, unless it is a quantity, a time or counting.

    *kinds* are those of its words; *long_letters* is the number of letters spoken as a word with another meaning,
    *parts* the number of its pieces.
    """
    if parts > _PARTS_MAX:
        return None
    type_, score = max(map(by_shape, signs.shapes), key=lambda it: it[1])
    is_spelled = "n" in kinds or "=" in kinds
    if score < _LEAST_SCORE and not is_spelled:
        return None
    is_written = not set(kinds) - set("9Lfcyz=&") and not (type_ and values()[type_].agrees(signs.said))
    if is_written or _counts(signs.said):
        return None
    if "k" in kinds:
        score -= 0.4
    if signs.said[0] not in "o0+":
        if "h" in kinds:
            score -= 0.4
        if len(signs.said) < 13 and kinds.count("t") + kinds.count("T") > 2:
            score -= 0.3
    if is_spelled and len(signs.said) >= 3 and set(signs.shape) <= {"L", "B"}:
        type_, score = "SPELLED_NAME", 0.75
    if len(signs.said) <= _SHORT and "L" not in signs.shape and (parts > 1 or any(kind in "tTh" for kind in kinds)):
        return None
    each = 0.2 if type_ == "REFERENCE_NUMBER" else 0.1 if len(signs.said) < _LONG else 0.04
    score -= each * kinds.count("w") + 0.1 * (parts - 1) + 0.05 * long_letters
    return (type_, score) if score >= _LEAST_SCORE else None


def _counts(signs: str) -> bool:
    """True for counting up or down, possibly with letters (``a one a two a three``), for one sign repeated, and for the
    alphabet."""
    if not (signs.isdigit() or signs.isalpha()):
        letters, digits = signs[::2], signs[1::2]
        signs = digits if letters.isalpha() and len(set(letters)) == 1 and len(digits) > 2 else signs[1:]
    if not (signs.isdigit() or signs.isalpha()):
        return False
    codes = [ord(it) for it in signs.replace("10", ":")]
    steps = [after - before for before, after in itertools.pairwise(codes)]
    same = steps.count(0) if len(signs) < _CARD_SIGNS else 0
    return max(steps.count(1), steps.count(-1), same) >= 0.75 * len(steps)
