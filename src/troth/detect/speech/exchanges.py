"""Merges what two speakers say about one value: its beginning, the read-back, the rest, another attempt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.pieces import OTHER, SpokenPiece, in_figures, is_counted
from troth.detect.speech.scoring import FOLLOWING, WHOLE, context
from troth.detect.speech.values import by_shape
from troth.detect.speech.word_stream import WordStream

_SPEAKING_OF_ELSE: Final = frozenset("@!")
_SLIPS: Final = frozenset("sczf")
_AGAIN_WORDS_MAX: Final = 24
_ON_WORDS_MAX: Final = 16
_OTHERS_MAX: Final = 6
"""How far from a value a repetition or continuation may be, and how many words of other talk a finding may contain."""
_SOON: Final = 4
_ECHO_SIGNS: Final = 2
_SIGNS_MAX: Final = 128
_TURN_OTHERS_MAX: Final = 6
_TURN_WORDS_MAX: Final = 32
"""How soon a correction follows; how many signs of a value must be repeated to be recognised, and how many are
remembered; how many other words a turn that only answers may have, and how much of such a turn is examined."""
_HEAD_WORDS_MAX: Final = 4
_NEXT_MAX: Final = 4
"""How far before a value a transcriber may have written words for its first signs, and how many pieces are searched for
its continuation."""
_ANSWER_SIGNS: Final = 3
_DICTATED_SIGNS: Final = 8
_DICTATED_BITS: Final = 3
_SURE_BITS: Final = 5
_SURE_SIGNS: Final = 6
_DICTATED: Final = 0.6
_LARGE: Final = re.compile("[tThk]")
"""How many signs make a value that was asked for, or that is repeated piece by piece; in how many pieces (and in how
many for a short value or a possible amount); the score of such a value; and words of large numbers, which may be
amounts."""
_SAID_SURELY: Final = frozenset("?=")
"""A single sign starts a value if it follows a question, or is spoken with a spelling alphabet."""
_OTHER_TALK: Final = frozenset(OTHER + "g")
_GOING_ON: Final = frozenset({"and", "then", "it's", "space", "is"})
"""Words that may be between the pieces of a dictated value; others are rare there."""


class ExchangedValue(NamedTuple):
    """A value, and the pieces *first* to *last* (exclusive) that express it."""

    said: Candidate
    first: int
    last: int


def widened(
    talk: WordStream, values: Sequence[ExchangedValue], pieces: Sequence[SpokenPiece], language: SpokenLanguage
) -> Iterator[Candidate]:
    """Every value with its repetitions and continuations nearby. Pieces that belong to a value are not values of their
    own."""
    past = 0
    for it, ceiling in zip(values, _ceilings(values, len(pieces)), strict=True):
        if it.last > past:
            exchange = _Exchange(talk, it, pieces, language)
            exchange.reach(past, ceiling)
            yield from _dictated(talk, pieces[past : exchange.first], language)
            yield from exchange.said()
            past = exchange.last
    yield from _dictated(talk, pieces[past:], language)


def _ceilings(values: Sequence[ExchangedValue], end: int) -> list[int]:
    """For each value, the index of the next piece that starts a requested value of another type; *end* if there is
    none."""
    ceilings = []
    ahead: dict[str, int] = {}
    for it in reversed(values):
        ceilings.append(min((first for type_, first in ahead.items() if type_ != it.said.type), default=end))
        if it.said.told:
            ahead[it.said.type] = it.first
    return ceilings[::-1]


def _dictated(talk: WordStream, pieces: Sequence[SpokenPiece], language: SpokenLanguage) -> Iterator[Candidate]:
    """Values without a known shape that are a plain answer to a question, or are repeated piece by piece by the other
    speaker."""
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        is_lonely = piece.end - piece.start == 1 and len(piece.signs.said) < _ECHO_SIGNS
        if is_lonely or len(piece.signs.shape) > _SIGNS_MAX:
            at += 1
            continue
        wanted = context(talk, piece.start)
        type_ = next((it.type for it in wanted.values if it.may_hold(piece.signs.shape)), None)
        is_answer = bool(type_) and not wanted.is_generic and _answers(talk, piece, language)
        is_amount = not is_answer and _may_be_amount(talk, piece)
        if is_amount and (len(piece.signs.said) < _ECHO_SIGNS or talk.kinds[piece.end : piece.end + 1] != "z"):
            at += 1
            continue
        said = Candidate(piece.start, piece.end, type_ or "REFERENCE_NUMBER", _DICTATED, told=is_answer)
        exchange = _Exchange(talk, ExchangedValue(said, at, at + 1), pieces, language)
        exchange.reach(at, len(pieces))
        least = _ANSWER_SIGNS if wanted.is_sure else _DICTATED_SIGNS
        is_dictated = exchange.is_dictated and (not is_amount or exchange.bits >= _SURE_BITS)
        if is_dictated or (is_answer and exchange.size >= least):
            yield from exchange.said()
        at = exchange.last


def _may_be_amount(talk: WordStream, piece: SpokenPiece) -> bool:
    return len(piece.signs.said) < _ECHO_SIGNS or _LARGE.search(talk.kinds, piece.start, piece.end) is not None


class _Exchange:
    """A value, its pieces *first* to *last* (exclusive), and in how many *bits* it was spoken, including those of the
    other speaker."""

    def __init__(
        self, talk: WordStream, value: ExchangedValue, pieces: Sequence[SpokenPiece], language: SpokenLanguage
    ) -> None:
        self.first = value.first
        self.last = value.last
        self._said = value.said
        self._talk = talk
        self._pieces = pieces
        self._language = language
        self._signs = "".join(_digits(it) for it in pieces[value.first : value.last])[-_SIGNS_MAX:]
        self._shape = "".join(it.signs.shape for it in pieces[value.first : value.last])[-_SIGNS_MAX:]
        self._stretches = [(value.said.start, value.said.end)]
        self._last_own = 0
        self._is_others = False
        self._asides = 0
        self.bits = 1 + sum(map(self._bits, pieces[value.first : value.last], pieces[value.first + 1 : value.last]))

    @property
    def size(self) -> int:
        """The number of spoken signs, counting repetitions."""
        return len(self._signs)

    @property
    def is_dictated(self) -> bool:
        """True if the value is spoken and repeated bit by bit, with little other talk."""
        is_long = self.size >= _DICTATED_SIGNS or (self.bits >= _SURE_BITS and self.size >= _SURE_SIGNS)
        return self.bits >= _DICTATED_BITS and is_long and 2 * self._asides <= self.bits

    def reach(self, floor: int, ceiling: int) -> None:
        """Extend the value to the pieces that belong to it, between *floor* and *ceiling* (exclusive)."""
        while self.first > floor and self._leads_to(self._pieces[self.first - 1], self._stretches[0][0]):
            self.first -= 1
            self._take_before(self._pieces[self.first])
        if self._said.told:
            start, end = self._stretches[0]
            self._stretches[0] = _from_homophone(self._talk, start, self._language), end
        while (at := self._next(ceiling)) is not None:
            self._take(self._pieces[at])
            self.last = at + 1

    def _next(self, ceiling: int) -> int | None:
        """The next piece that belongs to the value: the first one, or one after a doubtful word."""
        for at in range(self.last, min(self.last + _NEXT_MAX, ceiling)):
            if self._belongs(self._stretches[-1][1], self._pieces[at]):
                return at
            if not _is_doubtful(self._pieces[at]):
                break
        return None

    def said(self) -> Iterator[Candidate]:
        """The value, once per stretch; dictated values are accepted even if their shape is uncertain."""
        type_, score = self._said.type, self._said.score
        if not self._said.told and (shaped := by_shape(self._shape))[1] > max(score, FOLLOWING):
            type_, score = shaped
        if self.is_dictated:
            score = max(score, _DICTATED)
        for start, end in self._stretches:
            is_whole = (start, end, type_) == (self._said.start, self._said.end, self._said.type)
            checked = self._said.checked if is_whole else None
            yield self._said._replace(start=start, end=end, type=type_, score=score, checked=checked)

    def _take(self, piece: SpokenPiece) -> None:
        """Add a piece: as a stretch of its own if it is distant or spoken by the other speaker; otherwise the last own
        stretch is extended to it."""
        gap = self._talk.kinds[self._stretches[-1][1] : piece.start]
        self._is_others = self._talk.changes_speaker(self._said.start, piece.start)
        is_near = "?" not in gap and _others(gap) <= _OTHERS_MAX
        if self._is_others or not is_near:
            self._stretches.append((piece.start, piece.end))
        else:
            self._stretches[self._last_own :] = [(self._stretches[self._last_own][0], piece.end)]
        if not self._is_others:
            self._last_own = len(self._stretches) - 1
        self.bits += self._bits(self._pieces[self.last - 1], piece)
        self._asides += sum(
            kind in _OTHER_TALK and word not in _GOING_ON
            for kind, word in zip(gap, self._talk.words[piece.start - len(gap) : piece.start], strict=True)
        )
        if not self._is_repeated(piece):
            self._shape = (self._shape + piece.signs.shape)[-_SIGNS_MAX:]
        self._signs = (self._signs + _digits(piece))[-_SIGNS_MAX:]

    def _bits(self, before: SpokenPiece, piece: SpokenPiece) -> int:
        """How many bits a piece adds: one for a new turn, two if the other speaker repeats a bit before it."""
        gap = self._talk.kinds[before.end : piece.start]
        return 2 if "z" in gap else int("s" in gap)

    def _take_before(self, piece: SpokenPiece) -> None:
        self._stretches[0] = piece.start, self._stretches[0][1]
        if not self._is_repeated(piece):
            self._shape = (piece.signs.shape + self._shape)[:_SIGNS_MAX]
        self._signs = (_digits(piece) + self._signs)[:_SIGNS_MAX]

    def _leads_to(self, piece: SpokenPiece, start: int) -> bool:
        """True if a piece is the beginning of the value at word *start*, or an earlier attempt at it."""
        gap = self._talk.kinds[piece.end : start]
        if len(gap) > _ON_WORDS_MAX or "?" in gap or not self._may_belong(piece, piece.end, start, leads=True):
            return False
        if self._is_field(piece, self._stretches[0], gap):
            return False
        if "z" in gap or _digits(piece) in self._signs or ("c" in gap and _digits(piece)[:2] == self._signs[:2]):
            return True
        return self._said.told and not _SLIPS.isdisjoint(gap) and _others_in_turn(self._talk, piece) <= _TURN_OTHERS_MAX

    def _belongs(self, end: int, piece: SpokenPiece) -> bool:
        """True if a piece repeats or continues the value that ends at word *end*."""
        gap = self._talk.kinds[end : piece.start]
        if len(gap) > _AGAIN_WORDS_MAX or not self._may_belong(piece, end, piece.start):
            return False
        if self._is_field(piece, self._stretches[-1], gap):
            return False
        if self._is_repeated(piece):
            return True
        others = _others_in_turn(self._talk, piece)
        if len(gap) > _ON_WORDS_MAX:
            return False
        if "c" not in gap and self._said.score >= WHOLE:
            return not others and not _others(gap)
        if "z" in gap:
            return True
        is_corrected = "c" in gap[:_SOON] and "s" not in gap and not piece.is_weak
        is_answer = (len(piece.signs.said) > 2 or not _SLIPS.isdisjoint(gap)) and others <= _TURN_OTHERS_MAX
        return (self._said.told or self.bits > 1 or self._said.score >= FOLLOWING) and (is_corrected or is_answer)

    def _is_field(self, piece: SpokenPiece, stretch: tuple[int, int], gap: str) -> bool:
        """True if a line or sentence end separates the value from the piece and either is in digits: a field of a form,
        not speech."""
        return "s" in gap and (in_figures(self._talk, piece.start, piece.end) or in_figures(self._talk, *stretch))

    def _is_repeated(self, piece: SpokenPiece) -> bool:
        """True if a piece repeats part of the value; for a single word, only if its turn contains nothing else."""
        digits = _digits(piece)
        is_long = piece.end - piece.start > 1 or not _others_in_turn(self._talk, piece)
        return len(digits) >= _ECHO_SIGNS and digits in self._signs and is_long

    def _may_belong(self, piece: SpokenPiece, start: int, end: int, *, leads: bool = False) -> bool:
        """True if a piece may belong to the value, given words *start* to *end* between them: not if another question
        is asked, and not for a doubtful single word."""
        gap = self._talk.kinds[start:end]
        if not _SPEAKING_OF_ELSE.isdisjoint(gap) or self._talk.asks_else(start, end, {self._said.type}):
            return False
        if is_counted(self._talk, piece.end, self._language, is_asked=self._said.told):
            return False
        is_single = len(piece.signs.said) == 1
        if is_single and self._talk.words[piece.start] in self._language.pronouns and not gap.endswith("s"):
            return False
        is_joined = "z" in gap and not is_single
        before = max(0, piece.start - 1)
        is_sure = not _is_doubtful(piece) or (
            leads and not _SAID_SURELY.isdisjoint(self._talk.kinds[before : piece.end])
        )
        return is_joined or is_sure or not _others_in_turn(self._talk, piece)


def _from_homophone(talk: WordStream, start: int, language: SpokenLanguage) -> int:
    """The start of a requested value, including preceding words that a transcriber may write for digits and letters."""
    first = start
    for at in range(start - 1, max(0, start - _HEAD_WORDS_MAX), -1):
        if talk.kinds[at] in "wv" and len(talk.words[at]) > 1 and talk.words[at] not in language.common:
            first = at
        elif talk.kinds[at] != "f":
            break
    return first


def _is_doubtful(piece: SpokenPiece) -> bool:
    """True if a piece may be an ordinary word."""
    return piece.is_weak or len(piece.signs.said) == 1


def _answers(talk: WordStream, piece: SpokenPiece, language: SpokenLanguage) -> bool:
    """True if a piece of several words directly follows the question, or is alone in its turn."""
    if piece.end - piece.start == 1 or is_counted(talk, piece.end, language, is_asked=True):
        return False
    asked = talk.asked_before(piece.start, 1)
    is_next = bool(asked) and not _others(talk.kinds[asked[0].at : piece.start])
    return is_next or not _others_in_turn(talk, piece)


def _digits(piece: SpokenPiece) -> str:
    """The signs of a piece, with ``o`` as zero."""
    return piece.signs.said.replace("o", "0")


def _others_in_turn(talk: WordStream, piece: SpokenPiece) -> int:
    """How many words in the turn of a piece are not part of a value; next to a single sign, glue words count too."""
    before = talk.kinds[max(0, piece.start - _TURN_WORDS_MAX) : piece.start].rpartition("s")[2]
    after = talk.kinds[piece.end : piece.end + _TURN_WORDS_MAX].partition("s")[0]
    glue = (before + after).count("g") if len(piece.signs.said) == 1 else 0
    return _others(before + after) + glue


def _others(kinds: str) -> int:
    """How many words are not part of a value."""
    return sum(map(kinds.count, OTHER + "?"))
