"""Values spoken digit by digit and letter by letter, in one or more pieces."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence, Set
from typing import Final

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.exchanges import ExchangedValue, widened
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.pieces import OTHER, SpokenPiece, in_figures, is_counted, pieces_of
from troth.detect.speech.scoring import EXACT, FOLLOWING, PromptContext, alone, context, told
from troth.detect.speech.signs import Signs, joined
from troth.detect.speech.values import values
from troth.detect.speech.word_stream import GAPS, WordStream

_PIECES_MAX: Final = 16
_ALONE_MAX: Final = 4
"""Maximum number of pieces of a requested value, and of one that was not requested."""
_ASIDE_WORDS_MAX: Final = 16
_LOOSE_GAP: Final = 6
_ANSWER_WORDS_MAX: Final = 6
"""Maximum number of words between two pieces of a value, after a piece that says little, and between a question and an
answer of ambiguous words."""
_NOTHING: Final = frozenset[str]()
_LEAST_SIGNS: Final = 2
_LOOSE_SIGNS: Final = 2
_BEGUN_SIGNS: Final = 3
_FIGURES: Final = 4
_COUNTED_SIGNS_MAX: Final = 5
_AMOUNT_SIGNS: Final = 7
"""Minimum number of signs of a value; up to which a piece says little, from which a value has started, and a number in
digits stands alone; up to which a number may be a count, or an amount."""
_ALPHABETS: Final = frozenset("n=")
_NAMED_WORDS_MAX: Final = 30
_SHORT_NAME: Final = 4
_LONG_NAME: Final = 8
_ABBREVIATION: Final = 5
_RUN_MAX: Final = 3
_CONSONANTS: Final = re.compile("[aeiouy]")
_SPELT: Final = 0.85
"""Kinds of words that spell; maximum distance of the spoken word that letters spell; how many letters may be a name,
are not an abbreviation, and are probably a name; maximum consecutive consonants in a name, and their separators; the
score of a spelled name that is also spoken."""
_NO_BREATH: Final = frozenset("fcyz")
_GOING_ON_SURELY: Final = frozenset({"then", "space"})
_GOING_ON: Final = _GOING_ON_SURELY | {"and", "it's", "that's", "is"}
_SHAPED: Final = 0.85
_PROVEN: Final = 0.95
"""Scores of a shape that overrides a generic question, and of one with valid check digits."""
_NEVER_COUNTED: Final = frozenset({"REFERENCE_NUMBER", "PIN", "PASSWORD", "USERNAME"})
_NEVER_IN_THOUSANDS: Final = _NEVER_COUNTED | {
    "BANK_ACCOUNT",
    "CVV",
    "POSTAL_CODE",
    "SORT_CODE",
    "UK_VEHICLE_REGISTRATION",
    "US_SSN",
}
"""Types never spoken with hundreds, or with thousands."""
_VALUE_COST: Final = 0.5
_JOIN_COST: Final = 0.3
_ASIDE_COST: Final = 0.01
"""Costs of a reading: per value, per join of unusual length, per word of other talk. So one value is preferred to two,
and two to one that is too long."""


def digits_and_letters(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """Every value spoken as digits and letters in *talk*: the best of all ways to divide the pieces."""
    pieces = list(pieces_of(talk, language))
    best: list[float] = [0.0] * (len(pieces) + 1)
    chosen: list[tuple[Candidate | None, int]] = [(None, 1)] * len(pieces)
    for at in range(len(pieces) - 1, -1, -1):
        best[at] = best[at + 1]
        for said, count, worth in _readings(talk, pieces, at, language):
            if worth + best[at + count] > best[at]:
                best[at], chosen[at] = worth + best[at + count], (said, count)
    found = []
    at = 0
    while at < len(pieces):
        sure, count = chosen[at]
        if sure:
            found.append(ExchangedValue(sure, at, at + count))
        at += count
    yield from widened(talk, found, pieces, language)


def _asked(talk: WordStream, pieces: Sequence[SpokenPiece], at: int, language: SpokenLanguage) -> PromptContext:
    """What was requested before a piece. Digits on a line of their own do not answer a spoken question."""
    piece, since = pieces[at], 0
    if in_figures(talk, piece.start, piece.end):
        line = talk.kinds.rfind("s", max(0, piece.start - _ASIDE_WORDS_MAX), piece.start)
        since = talk.kinds.rfind("!", max(0, line - _ASIDE_WORDS_MAX), max(0, line)) + 1
        earlier = pieces[max(0, at - _ASIDE_WORDS_MAX) : at]
        before = next((it for it in reversed(earlier) if it.end <= line), None)
        if before and _is_otherwise_said(talk, before, piece, language):
            since = before.end
    return context(talk, piece.start, since=since)


def _readings(
    talk: WordStream, every: Sequence[SpokenPiece], at: int, language: SpokenLanguage
) -> Iterator[tuple[Candidate, int, float]]:
    """Readings of piece *at*, alone and together with following ones: the value, the number of pieces, and its
    worth."""
    pieces = every[at : at + _PIECES_MAX]
    first = pieces[0]
    if first.is_weak and not _is_answer(talk, *pieces[:2]):
        return
    is_short = len(first.signs.said) < _LEAST_SIGNS
    if is_short and (len(pieces) == 1 or _is_apart(talk, first, pieces[1], _NOTHING, language)):
        return
    asked = _asked(talk, every, at, language)
    parts, signs = [first], first.signs
    said = _understood(talk, parts, signs, asked, language)
    aside = joins = 0
    if said:
        yield said, 1, _worth(said, signs, aside, joins)
    for count, (before, piece) in enumerate(itertools.pairwise(pieces), 2):
        others = _others(talk, before, piece, said, signs, asked, language)
        if others is None or (count > _ALONE_MAX and not asked.values and not asked.is_partial):
            return
        if others and piece.is_weak and not _stands_alone(talk, piece):
            continue
        aside += others
        joins += any(it in talk.kinds[before.end : piece.start] for it in "gs;")
        parts.append(piece)
        signs = joined(signs, piece.signs)
        said = _understood(talk, parts, signs, asked, language)
        if said and (said.told or not aside):
            yield said, count, _worth(said, signs, aside, joins)


def _worth(candidate: Candidate, signs: Signs, aside: int, joins: int) -> float:
    cost = 0 if len(signs.said) in values()[candidate.type].full else joins * _JOIN_COST
    return (candidate.score - aside * _ASIDE_COST) * len(signs.said) - _VALUE_COST - cost


def _others(
    talk: WordStream,
    before: SpokenPiece,
    piece: SpokenPiece,
    candidate: Candidate | None,
    signs: Signs,
    asked: PromptContext,
    language: SpokenLanguage,
) -> int | None:
    """How many words of other talk are between two pieces of a value; None if they end it."""
    if _is_apart(talk, before, piece, {it.type for it in asked.values}, language):
        return None
    gap = talk.kinds[before.end : piece.start]
    others = sum(kind in OTHER for kind in gap)
    if talk.changes_speaker(before.end, piece.start):
        if candidate and candidate.score >= EXACT:
            return None
        others += 1
    if others and (
        is_counted(talk, before.end, language, is_asked=asked.is_sure) or not _may_go_on(candidate, signs, gap, asked)
    ):
        return None
    if others == len(gap) and len(before.signs.said) == len(piece.signs.said) == 1:
        return None  # ``shelf four row two``
    return others


def _is_apart(
    talk: WordStream, before: SpokenPiece, piece: SpokenPiece, types: Set[str], language: SpokenLanguage
) -> bool:
    """True if two pieces cannot be parts of one value, whatever they are."""
    if piece.start - before.end > _ASIDE_WORDS_MAX:
        return True
    gap = talk.kinds[before.end : piece.start]
    if "@" in gap or talk.asks_else(before.end, piece.start, types):
        return True
    return "s" in gap and (_is_written(talk, before) or _is_otherwise_said(talk, before, piece, language))


def _is_otherwise_said(talk: WordStream, before: SpokenPiece, piece: SpokenPiece, language: SpokenLanguage) -> bool:
    """True if one of two pieces is in digits and the other spoken, by the same speaker or in a field of a form: they
    are separate values."""
    figures = [in_figures(talk, it.start, it.end) for it in (before, piece)]
    if figures[0] == figures[1]:
        return False
    last_turn = talk.kinds.rindex("s", before.end, piece.start)
    return not talk.changes_speaker(before.end, piece.start) or language.asks(talk.words[last_turn])


def _is_written(talk: WordStream, piece: SpokenPiece) -> bool:
    """True if a piece is a number in digits, and not part of a spoken one."""
    return piece.end - piece.start == 1 and len(talk.words[piece.start]) >= _FIGURES


def _is_answer(talk: WordStream, piece: SpokenPiece, after: SpokenPiece | None = None) -> bool:
    """True if ambiguous words are the start of a requested value."""
    at = piece.start
    follows = after is not None and not any(kind in OTHER + "?" for kind in talk.kinds[piece.end : after.start])
    is_first = at == 0 or talk.kinds[at - 1] in GAPS
    asked = talk.asked_before(at, 1)
    return (follows or piece.end - at > 1) and is_first and bool(asked) and at - asked[0].at <= _ANSWER_WORDS_MAX


def _stands_alone(talk: WordStream, piece: SpokenPiece) -> bool:
    return talk.kinds[piece.start - 1] in "sgf" and talk.kinds[piece.end : piece.end + 1] in ("", "s", ";")


def _may_go_on(candidate: Candidate | None, signs: Signs, gap: str, asked: PromptContext) -> bool:
    """True if a value may continue after other words: if it was requested and is not complete yet."""
    if not asked.is_sure and not (
        asked.is_near and (len(signs.said) >= _BEGUN_SIGNS or (asked.values[:1] and asked.values[0].full))
    ):
        return False
    if candidate is None or not candidate.told:
        return (asked.is_sure and len(gap) <= _LOOSE_GAP) or len(signs.said) > _LOOSE_SIGNS
    full = values()[candidate.type].full
    if full:
        return len(signs.once) < max(full) + min(signs.noise, 6)
    return asked.is_sure and len(gap) <= 4 and ("c" in gap or "f" in gap)


def _understood(
    talk: WordStream, pieces: Sequence[SpokenPiece], signs: Signs, asked: PromptContext, language: SpokenLanguage
) -> Candidate | None:
    """The value of some pieces together: by what was requested, or by their shape."""
    start, end = pieces[0].start, pieces[-1].end
    if len(signs.said) < _LEAST_SIGNS or (
        len(signs.said) <= _COUNTED_SIGNS_MAX and is_counted(talk, end, language, is_asked=asked.is_sure)
    ):
        return None
    kinds = talk.kinds[start:end] if len(pieces) == 1 else "".join([talk.kinds[it.start : it.end] for it in pieces])
    by_prompt = _by_prompt(talk, end, kinds, signs, asked, language)
    if by_prompt and by_prompt[1] > FOLLOWING and by_prompt[0] != "REFERENCE_NUMBER":
        return Candidate(start, end, *by_prompt, told=True, checked=values()[by_prompt[0]].agrees(signs.said))
    parts = _breaths(talk, pieces, is_asked=bool(asked.values))
    is_open = by_prompt is None or by_prompt[0] == "REFERENCE_NUMBER"
    is_spelled = is_open and parts == 1 and "L" not in kinds and _is_spelled(signs.shape)
    if is_spelled and _spells_word(talk, start, end, signs.said):
        return Candidate(start, end, "SPELLED_NAME", _SPELT, told=by_prompt is not None)
    is_anything = by_prompt is not None and by_prompt[0] == "REFERENCE_NUMBER" and not asked.is_sure
    if is_anything and (not parts or sum(map(signs.shape.count, "DZB")) < _LEAST_SIGNS):
        return None
    by_shape = None
    if parts and (by_prompt is None or by_prompt[1] <= FOLLOWING or is_anything):
        long_letters = _long_letters(talk, pieces) if "v" in kinds else 0
        by_shape = alone(signs, kinds, long_letters=long_letters, parts=parts)
    if by_shape and (by_prompt is None or by_shape[1] > by_prompt[1] or (is_anything and by_shape[1] >= _SHAPED)):
        type_, score = by_shape
        if type_ == "SPELLED_NAME" and _ALPHABETS.isdisjoint(kinds) and not _may_be_name(signs.said):
            return None
        checked = values()[type_].agrees(signs.said)
        return Candidate(start, end, type_, max(score, _PROVEN) if checked else score, told=False, checked=checked)
    if by_prompt is None:
        return None
    return Candidate(start, end, *by_prompt, told=True, checked=values()[by_prompt[0]].agrees(signs.said))


def _may_be_name(word: str) -> bool:
    """True if letters without a question may be a word, or are more than an abbreviation has."""
    consonants = _CONSONANTS.split(word.lower())
    run_max = _RUN_MAX if len(word) > _ABBREVIATION else _RUN_MAX - 1
    return len(word) >= _LONG_NAME or (len(consonants) > 2 and max(map(len, consonants)) <= run_max)


def _is_spelled(shape: str) -> bool:
    """True if only letters are spoken."""
    return shape[0] in "LB" and not shape.strip("LB-") and shape.count("L") > len(shape) / 2


def _spells_word(talk: WordStream, start: int, end: int, word: str) -> bool:
    """True if letters spell a word spoken nearby: exactly or, for longer words, as it was transcribed."""
    name = word.lower().partition("-")[0]
    if len(name) < _SHORT_NAME:
        return False
    near = talk.words[max(0, start - _NAMED_WORDS_MAX) : start] + talk.words[end : end + _NAMED_WORDS_MAX]
    if len(name) == _SHORT_NAME:
        return name in near
    alike = (it for it in near if it[0] == name[0] and abs(len(it) - len(name)) <= 2)
    return any(it[:3] == name[:3] or len(set(it) & set(name)) > len(set(it) | set(name)) / 2 for it in alike)


def _breaths(talk: WordStream, pieces: Sequence[SpokenPiece], *, is_asked: bool) -> int:
    """In how many breaths a value is spoken; the other speaker's okay does not count. 0 if several things may be
    meant."""
    if len(pieces) == 1:
        return 1
    gaps = [(before.end, piece.start) for before, piece in itertools.pairwise(pieces)]
    parting = [it for it in gaps if not _NO_BREATH.issuperset(talk.kinds[it[0] : it[1]])]
    if parting and any(it.signs.shape.strip("DZB") for it in pieces):
        going_on = _GOING_ON if is_asked else _GOING_ON_SURELY
        if any(_divides(talk, at, going_on) for it in parting for at in range(*it)):
            return 0
    return 1 + len(parting)


def _divides(talk: WordStream, at: int, going_on: Set[str]) -> bool:
    """True if a word between two pieces with letters is one that separates things: ``the``, ``or``."""
    return talk.kinds[at] == "g" and talk.words[at] not in going_on


def _long_letters(talk: WordStream, pieces: Sequence[SpokenPiece]) -> int:
    """How many letters are spoken as a word with another meaning."""
    letters = [at for it in pieces for at in range(it.start, it.end) if talk.kinds[at] == "v"]
    return sum(len(talk.words[at]) > 1 for at in letters)


def _by_prompt(
    talk: WordStream, end: int, kinds: str, signs: Signs, asked: PromptContext, language: SpokenLanguage
) -> tuple[str, float] | None:
    """What was requested, unless the value is an amount; a telephone number also by the word after it."""
    found = told(signs, asked)
    is_phone = not language.after_phone.isdisjoint(talk.words[end : end + 1])
    if is_phone and (found is None or found[1] < EXACT) and values()["PHONE_NUMBER"].is_exact(signs.shape):
        return "PHONE_NUMBER", EXACT
    if found is None and "s" not in talk.kinds[end : end + 2]:
        after = [it.prompt for it in talk.asked_after(end) if not it.prompt.rank]
        shapes = ((type_, shape) for it in after for type_ in it.types if type_ in values() for shape in signs.shapes)
        found = next(((type_, EXACT) for type_, shape in shapes if values()[type_].is_exact(shape)), None)
    if found is None:
        return None
    is_amount = "k" in kinds and found[0] in _NEVER_IN_THOUSANDS
    is_amount = is_amount or ("h" in kinds and len(signs.said) < _AMOUNT_SIGNS and found[0] in _NEVER_COUNTED)
    return None if is_amount else found
