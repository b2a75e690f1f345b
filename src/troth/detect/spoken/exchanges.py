"""What is said of a value right before and after it: the other's read-back, a rest, another try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from troth.detect.spoken.judging import WHOLE
from troth.detect.spoken.language import Language
from troth.detect.spoken.pieces import OTHER, Piece, is_counted
from troth.detect.spoken.said import Said
from troth.detect.spoken.talk import Talk

__all__ = ["Found", "widened"]

_SPEAKING_OF_ELSE: Final = frozenset("?@!")
_AGAIN_WORDS_MAX: Final = 24
_ON_WORDS_MAX: Final = 16
_OTHERS_MAX: Final = 6
"""How far from a value it may be said again, and go on; how many words of other talk may stand within one finding."""
_SOON: Final = 4
_ECHO_SIGNS: Final = 2
_SIGNS_MAX: Final = 128
_TURN_OTHERS_MAX: Final = 2
_TURN_WORDS_MAX: Final = 32
"""How many signs of a value, said once more, are that value, and how many are kept in mind; how many other words stand
in a turn that only answers, and how far such a turn is looked at."""


class Found(NamedTuple):
    """A value, and the pieces *first* to *last* (not included) that say it."""

    said: Said
    first: int
    last: int


def widened(talk: Talk, found: Sequence[Found], pieces: Sequence[Piece], language: Language) -> Iterator[Said]:
    """Every value with what is said of it next to it. What belongs to one value is no value of its own."""
    past = 0
    for it, ceiling in zip(found, _ceilings(found, len(pieces)), strict=True):
        if it.last > past:
            exchange = _Exchange(talk, it, pieces, language)
            past = exchange.reach(ceiling)
            yield from exchange.said()


def _ceilings(found: Sequence[Found], end: int) -> list[int]:
    """For each value the piece at which one of another type begins that was asked for; *end* where none does."""
    ceilings = []
    ahead: dict[str, int] = {}
    for it in reversed(found):
        ceilings.append(min((first for type_, first in ahead.items() if type_ != it.said.type), default=end))
        if it.said.told:
            ahead[it.said.type] = it.first
    return ceilings[::-1]


class _Exchange:
    """A value, and the stretches of talk in which it is said."""

    def __init__(self, talk: Talk, found: Found, pieces: Sequence[Piece], language: Language) -> None:
        self._talk = talk
        self._found = found
        self._pieces = pieces
        self._language = language
        self._signs = "".join(_digits(it) for it in pieces[found.first : found.last])
        self._stretches = [(found.said.start, found.said.end)]
        self._last_own = 0
        self._is_others = False

    def reach(self, ceiling: int) -> int:
        """Take what belongs to the value; the number of the first piece after it."""
        at = self._found.last
        while at < ceiling and self._belongs(self._stretches[-1][1], self._pieces[at]):
            self._take(self._pieces[at])
            at += 1
        return at

    def said(self) -> Iterator[Said]:
        """The value, once for each stretch."""
        for start, end in self._stretches:
            yield self._found.said._replace(start=start, end=end)

    def _take(self, piece: Piece) -> None:
        """A piece is a stretch of its own where it is far off, or the other says it; who goes on, goes on with all."""
        self._is_others ^= self._talk.changes_speaker(self._stretches[-1][1], piece.start)
        is_near = _others(self._talk.kinds[self._stretches[-1][1] : piece.start]) <= _OTHERS_MAX
        if self._is_others or not is_near:
            self._stretches.append((piece.start, piece.end))
        else:
            self._stretches[self._last_own :] = [(self._stretches[self._last_own][0], piece.end)]
        if not self._is_others:
            self._last_own = len(self._stretches) - 1
        self._signs = (self._signs + _digits(piece))[-_SIGNS_MAX:]

    def _belongs(self, end: int, piece: Piece) -> bool:
        """Whether a piece says the value that ends at word *end* again, or goes on with it."""
        gap = self._talk.kinds[end : piece.start]
        if len(gap) > _AGAIN_WORDS_MAX or not _SPEAKING_OF_ELSE.isdisjoint(gap):
            return False
        others = _others_in_turn(self._talk, piece)
        if is_counted(self._talk, piece.end, self._language) or (piece.is_weak and others):
            return False
        signs = _digits(piece)
        if len(signs) >= _ECHO_SIGNS and signs in self._signs and (piece.end - piece.start > 1 or not others):
            return True
        if not self._found.said.told or len(gap) > _ON_WORDS_MAX or _asks(self._talk, end, piece.start):
            return False
        if "c" not in gap and self._found.said.score >= WHOLE:
            return not others and not _others(gap)
        if "c" in gap[:_SOON] and "s" not in gap and not piece.is_weak:
            return True
        return ("s" in gap or "c" in gap) and others <= (_TURN_OTHERS_MAX if len(signs) > 1 else 0)


def _digits(piece: Piece) -> str:
    """What a piece says, a nought as everybody says it."""
    return piece.signs.said.replace("o", "0")


def _others_in_turn(talk: Talk, piece: Piece) -> int:
    """How many words of the turn in which a piece stands are no part of any value."""
    before = talk.kinds[max(0, piece.start - _TURN_WORDS_MAX) : piece.start].rpartition("s")[2]
    after = talk.kinds[piece.end : piece.end + _TURN_WORDS_MAX].partition("s")[0]
    return _others(before + after)


def _others(kinds: str) -> int:
    """How many words say no part of a value."""
    return sum(map(kinds.count, OTHER + "?"))


def _asks(talk: Talk, start: int, end: int) -> bool:
    """Whether somebody asks something between two words, and not only whether that was right."""
    return "?" in talk.words[start:end] and "x" in talk.kinds[start:end]
