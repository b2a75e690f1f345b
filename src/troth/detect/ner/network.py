"""The network at work: words in, how likely each belongs to a person, a place or an organisation out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from troth.detect.ner.model import AROUND, Floats, ModelWeights
from troth.detect.ner.words import SHAPES, shape

_KEPT: Final = 3
"""Of how many different words, times those looked at together, the part of the first layer is kept. When there is no
room for more, all are forgotten."""

_UNIT: Final = 32
"""The parts are kept in whole numbers of this share of one, a byte each; the largest is below four."""

_TOGETHER: Final = 64
"""Rows that are multiplied at once: so few that BLAS starts no threads, which cost more than they save here, and many
times as much on a busy machine."""

_WIDE: Final = 2
"""How many places before and after one the second layer sees."""

_SMALL, _TITLED, _CAPITALS, _LINE = 1, 2, 4, 8
_MARKS: Final = {"lower": _SMALL, "x": _SMALL, "Title": _TITLED, "miXed": _TITLED, "UPPER": _CAPITALS, "X": _CAPITALS}
_MARK_OF: Final = tuple(_MARKS.get(it, _LINE if it == "line" else 0) for it in SHAPES)
_CASE_OF: Final = np.array([{_SMALL: 1, _CAPITALS: 2}.get(seen & ~_LINE, 0) for seen in range(16)])


_TYPES: Final = ("PERSON", "LOCATION", "ORGANIZATION")


class NameSpan(NamedTuple):
    """Words *first* to *last* are one name."""

    first: int
    last: int
    type: str
    score: float


class NameTagger:
    """Tags words. It keeps what it worked out about the words it met, never the text; threads may share it."""

    def __init__(self, weights: ModelWeights, *, words_max: int) -> None:
        self._weights = weights
        self._after_near = np.hstack([weights.down, weights.out_near])
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}
        reach, _, hidden = weights.near.shape
        self._parts = np.zeros((reach, _KEPT * words_max, hidden), np.int8)
        self._marks = np.zeros(_KEPT * words_max, np.uint8)

    def names(self, words: Sequence[str]) -> Iterator[NameSpan]:
        """The names among `plain` words: runs of words that are likelier a part of one than not.

        What stands beyond three empty words has no say.
        """
        shares = self.shares(words)
        sure, steps = self._weights.sure, self._weights.sure.shape[1] - 1
        for start, end in _runs(shares[0] < 0.5):
            if within := [at for at in range(start, end) if words[at][0].isalnum()]:
                first, last = within[0], within[-1]
                each = shares[1:, first : last + 1].mean(axis=1).tolist()
                score = max(each)
                kind = each.index(score)
                yield NameSpan(first, last, _TYPES[kind], float(sure[kind, round(score * steps)]))

    def shares(self, words: Sequence[str]) -> Floats:
        """How likely each word is no name, a person's, a place's, an organisation's: four rows, a column for a word."""
        with self._lock:
            ids = self._known(words)
            near = self._near(ids)
            marks = self._marks[ids]
        near += self._weights.case.take(_cases(marks), axis=0)
        np.maximum(near, 0, out=near)
        shares = _shares(self._scores(near, is_word=ids > 0))
        shares[0, ids == 0] = 1
        return shares

    def _known(self, words: Sequence[str]) -> npt.NDArray[np.intp]:
        try:
            return np.array([self._ids[word] for word in words])
        except KeyError:
            self._learn(words)
            return np.array([self._ids[word] for word in words])

    def _learn(self, words: Sequence[str]) -> None:
        """Work out the parts of those words that are new, or of all where there is no room for more."""
        new = sorted({*words}.difference(self._ids))
        if not self._ids or len(self._ids) + len(new) > len(self._marks):
            self._ids = {"": 0}
            self._parts[:, :1] = self._in_units(self._weights.nothing())
            self._marks[0] = _LINE
            new = sorted({*words} - {""})
        within = slice(len(self._ids), len(self._ids) + len(new))
        self._parts[:, within] = self._in_units(self._weights.of(new))
        self._marks[within] = [_MARK_OF[shape(word)] for word in new]
        self._ids.update(zip(new, range(within.start, within.stop), strict=True))

    def _in_units(self, rows: Floats) -> npt.NDArray[np.int8]:
        """What words add to the first layer, for each of the places of the window."""
        parts = np.stack([_product(rows, part) for part in self._weights.near]) * _UNIT
        units: npt.NDArray[np.int8] = np.clip(parts.round(), -127, 127).astype(np.int8)
        return units

    def _near(self, ids: npt.NDArray[np.intp]) -> Floats:
        """The first layer: what each word around a place adds, summed."""
        around = np.zeros(len(ids) + 2 * AROUND, np.intp)
        around[AROUND:-AROUND] = ids
        total = self._parts[0].take(around[: len(ids)], axis=0).astype(np.int16)
        for at, part in enumerate(self._parts[1:], 1):
            total += part.take(around[at : at + len(ids)], axis=0)
        near: Floats = total * np.float32(1 / _UNIT)
        near += self._weights.near_bias
        return near

    def _scores(self, near: Floats, *, is_word: npt.NDArray[np.bool_]) -> Floats:
        """The second layer: four rows, a column for a word."""
        weights, count, size = self._weights, len(near), self._weights.down.shape[1]
        after = _product(near, self._after_near)
        down = np.zeros((count + 2 * _WIDE, size), np.float32)
        np.multiply(after[:, :size], is_word[:, None], out=down[_WIDE:-_WIDE])
        wide = _product(np.hstack([down[at : at + count] for at in range(2 * _WIDE + 1)]), weights.wide)
        wide += weights.wide_bias
        np.maximum(wide, 0, out=wide)
        scores = np.ascontiguousarray(_product(wide, weights.out).T)
        scores += after[:, size:].T
        scores += weights.out_bias[:, None]
        return scores


def _product(rows: Floats, weights: Floats) -> Floats:
    """``rows @ weights``, a few rows at a time."""
    whole = len(rows) - len(rows) % _TOGETHER
    product = np.empty((len(rows), weights.shape[1]), np.float32)
    np.matmul(
        rows[:whole].reshape(-1, _TOGETHER, rows.shape[1]),
        weights,
        out=product[:whole].reshape(-1, _TOGETHER, weights.shape[1]),
    )
    np.matmul(rows[whole:], weights, out=product[whole:])
    return product


def _cases(marks: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Of each word's line: 0 where it has capitals and small letters, 1 only small ones, 2 only capitals."""
    is_end = marks == _LINE
    starts = np.concatenate(([0], np.flatnonzero(is_end[:-1]) + 1))
    seen = np.bitwise_or.reduceat(marks, starts)
    cases: npt.NDArray[np.intp] = _CASE_OF[seen][np.cumsum(is_end) - is_end]
    return cases


def _shares(scores: Floats) -> Floats:
    """Scores as shares of one."""
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores


def _runs(inside: npt.NDArray[np.bool_]) -> list[list[int]]:
    """From where to where it is true without a break."""
    framed = np.zeros(len(inside) + 2, np.bool_)
    framed[1:-1] = inside
    bounds: list[list[int]] = np.flatnonzero(framed[1:] != framed[:-1]).reshape(-1, 2).tolist()
    return bounds
