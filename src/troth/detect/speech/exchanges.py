"""What two people say of one value: the beginning, the other's read-back, the rest, another try."""

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
"""How far from a value it may be said again, and go on; how many words of other talk may stand within one finding."""
_SOON: Final = 4
_ECHO_SIGNS: Final = 2
_SIGNS_MAX: Final = 128
_TURN_OTHERS_MAX: Final = 6
_TURN_WORDS_MAX: Final = 32
"""How soon a correction follows; how many signs of a value, said once more, are that value, and how many are kept in
mind; how many other words stand in a turn that only answers, and how far such a turn is looked at."""
_HEAD_WORDS_MAX: Final = 4
_NEXT_MAX: Final = 4
"""How far before a value a recogniser may have written words for its first signs, and how many pieces are looked at for
the one that goes on with it."""
_ANSWER_SIGNS: Final = 3
_DICTATED_SIGNS: Final = 8
_DICTATED_BITS: Final = 3
_SURE_BITS: Final = 5
_SURE_SIGNS: Final = 6
_DICTATED: Final = 0.6
_LARGE: Final = re.compile("[tThk]")
"""How many signs are a value that was asked for, or that is said again bit by bit, in how many bits (and in how many a
short one is, and what may be an amount), and how sure that is; words of large numbers, which may be amounts."""
_SAID_SURELY: Final = frozenset("?=")
"""A single sign that is the first of a value stands after a question, or is said with an alphabet."""
_OTHER_TALK: Final = frozenset(OTHER + "g")
_GOING_ON: Final = frozenset({"and", "then", "it's", "space", "is"})
"""What little stands between the bits of what is dictated, but for these words."""


class ExchangedValue(NamedTuple):
    """A value, and the pieces *first* to *last* (not included) that say it."""

    said: Candidate
    first: int
    last: int


def widened(
    talk: WordStream, values: Sequence[ExchangedValue], pieces: Sequence[SpokenPiece], language: SpokenLanguage
) -> Iterator[Candidate]:
    """Every value with what is said of it next to it. What belongs to one value is no value of its own."""
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
    """For each value the piece at which one of another type begins that was asked for; *end* where none does."""
    ceilings = []
    ahead: dict[str, int] = {}
    for it in reversed(values):
        ceilings.append(min((first for type_, first in ahead.items() if type_ != it.said.type), default=end))
        if it.said.told:
            ahead[it.said.type] = it.first
    return ceilings[::-1]


def _dictated(talk: WordStream, pieces: Sequence[SpokenPiece], language: SpokenLanguage) -> Iterator[Candidate]:
    """What has no shape, but answers a question and says nothing else, or is said again by the other bit by bit."""
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
    """A value, the pieces *first* to *last* (not included) that say it, and in how many *bits*, the other's counted."""

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
        """How many signs are said, as often as they are said."""
        return len(self._signs)

    @property
    def is_dictated(self) -> bool:
        """Whether the value is said bit by bit, and the bits said back, and little else is said."""
        is_long = self.size >= _DICTATED_SIGNS or (self.bits >= _SURE_BITS and self.size >= _SURE_SIGNS)
        return self.bits >= _DICTATED_BITS and is_long and 2 * self._asides <= self.bits

    def reach(self, floor: int, ceiling: int) -> None:
        """Take what belongs to the value, from one piece to another (not included)."""
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
        """The next piece that belongs to the value: the first, or the one after a lonely word."""
        for at in range(self.last, min(self.last + _NEXT_MAX, ceiling)):
            if self._belongs(self._stretches[-1][1], self._pieces[at]):
                return at
            if not _is_doubtful(self._pieces[at]):
                break
        return None

    def said(self) -> Iterator[Candidate]:
        """The value, once for each stretch; what is dictated is somebody's, however unsure its shape."""
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
        """A piece is a stretch of its own where it is far off, or the other says it; who goes on, goes on with all."""
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
        """How many bits a piece adds: one in a turn of its own; two where the other says one back before it."""
        gap = self._talk.kinds[before.end : piece.start]
        return 2 if "z" in gap else int("s" in gap)

    def _take_before(self, piece: SpokenPiece) -> None:
        self._stretches[0] = piece.start, self._stretches[0][1]
        if not self._is_repeated(piece):
            self._shape = (piece.signs.shape + self._shape)[:_SIGNS_MAX]
        self._signs = (_digits(piece) + self._signs)[:_SIGNS_MAX]

    def _leads_to(self, piece: SpokenPiece, start: int) -> bool:
        """Whether a piece is the beginning of the value that begins at word *start*, or was said for it at first."""
        gap = self._talk.kinds[piece.end : start]
        if len(gap) > _ON_WORDS_MAX or "?" in gap or not self._may_belong(piece, piece.end, start, leads=True):
            return False
        if self._is_field(piece, self._stretches[0], gap):
            return False
        if "z" in gap or _digits(piece) in self._signs or ("c" in gap and _digits(piece)[:2] == self._signs[:2]):
            return True
        return self._said.told and not _SLIPS.isdisjoint(gap) and _others_in_turn(self._talk, piece) <= _TURN_OTHERS_MAX

    def _belongs(self, end: int, piece: SpokenPiece) -> bool:
        """Whether a piece says the value that ends at word *end* again, or goes on with it."""
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
        """Whether the end of a line, or of a sentence, parts the value from a piece, and either is in figures: a field
        of a form, and not said.
        """
        return "s" in gap and (in_figures(self._talk, piece.start, piece.end) or in_figures(self._talk, *stretch))

    def _is_repeated(self, piece: SpokenPiece) -> bool:
        """Whether a piece is a part of the value that is said again; a single word is, where its turn says no more."""
        digits = _digits(piece)
        is_long = piece.end - piece.start > 1 or not _others_in_turn(self._talk, piece)
        return len(digits) >= _ECHO_SIGNS and digits in self._signs and is_long

    def _may_belong(self, piece: SpokenPiece, start: int, end: int, *, leads: bool = False) -> bool:
        """Whether a piece may say anything of the value, words *start* to *end* between them: not what is asked next,
        nor a lonely word.
        """
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
    """Where a value begins that was asked for, with words before it that a recogniser writes for digits and letters."""
    first = start
    for at in range(start - 1, max(0, start - _HEAD_WORDS_MAX), -1):
        if talk.kinds[at] in "wv" and len(talk.words[at]) > 1 and talk.words[at] not in language.common:
            first = at
        elif talk.kinds[at] != "f":
            break
    return first


def _is_doubtful(piece: SpokenPiece) -> bool:
    """Whether a piece is perhaps a word and no more."""
    return piece.is_weak or len(piece.signs.said) == 1


def _answers(talk: WordStream, piece: SpokenPiece, language: SpokenLanguage) -> bool:
    """Whether a piece of some words stands right after what was asked, or alone in its turn."""
    if piece.end - piece.start == 1 or is_counted(talk, piece.end, language, is_asked=True):
        return False
    asked = talk.asked_before(piece.start, 1)
    is_next = bool(asked) and not _others(talk.kinds[asked[0].at : piece.start])
    return is_next or not _others_in_turn(talk, piece)


def _digits(piece: SpokenPiece) -> str:
    """What a piece says, a nought as everybody says it."""
    return piece.signs.said.replace("o", "0")


def _others_in_turn(talk: WordStream, piece: SpokenPiece) -> int:
    """How many words of the turn in which a piece stands are no part of a value; beside a single sign few are."""
    before = talk.kinds[max(0, piece.start - _TURN_WORDS_MAX) : piece.start].rpartition("s")[2]
    after = talk.kinds[piece.end : piece.end + _TURN_WORDS_MAX].partition("s")[0]
    glue = (before + after).count("g") if len(piece.signs.said) == 1 else 0
    return _others(before + after) + glue


def _others(kinds: str) -> int:
    """How many words say no part of a value."""
    return sum(map(kinds.count, OTHER + "?"))
