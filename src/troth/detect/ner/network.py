"""Inference: for each word, how likely it belongs to a person, a place or an organisation."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from troth.detect.ner.model import AROUND, Floats, ModelWeights
from troth.detect.ner.words import SHAPES, shape

_KEPT: Final = 3
"""Cache size for first-layer results of distinct words, in multiples of a batch. When it is full, it is cleared."""

_UNIT: Final = 32
"""Cached values are quantised to one byte in this unit; the largest is below four."""

_TOGETHER: Final = 64
"""Rows per multiplication: few enough that BLAS does not start threads, which cost more than they save here, and many
times as much on a busy machine."""

_WIDE: Final = 2
"""How many positions before and after one the second layer sees."""

_SMALL, _TITLED, _CAPITALS, _LINE = 1, 2, 4, 8
_MARKS: Final = {"lower": _SMALL, "x": _SMALL, "Title": _TITLED, "miXed": _TITLED, "UPPER": _CAPITALS, "X": _CAPITALS}
_MARK_OF: Final = tuple(_MARKS.get(it, _LINE if it == "line" else 0) for it in SHAPES)
_CASE_OF: Final = np.array([{_SMALL: 1, _CAPITALS: 2}.get(seen & ~_LINE, 0) for seen in range(16)])


_TYPES: Final = ("PERSON", "LOCATION", "ORGANIZATION")


class NameSpan(NamedTuple):
    """Words *first* to *last* form a name."""

    first: int
    last: int
    type: str
    score: float


class NameTagger:
    """Tags words. It caches results per word but never the text, and may be shared between threads."""

    def __init__(self, weights: ModelWeights, *, words_max: int) -> None:
        self._weights = weights
        self._after_near = np.hstack([weights.down, weights.out_near])
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}
        reach, _, hidden = weights.near.shape
        self._parts = np.zeros((reach, _KEPT * words_max, hidden), np.int8)
        self._marks = np.zeros(_KEPT * words_max, np.uint8)

    def names(self, words: Sequence[str]) -> Iterator[NameSpan]:
        """The names among `plain` words: runs of words that are more likely part of a name than not.

        Three empty words separate independent texts.
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
        """The probabilities that each word is not a name, a person, a place, an organisation: four rows, a column per
        word."""
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
        """Computes the cached results for new words, or for all if the cache is full."""
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
        """What words contribute to the first layer, for each position of the window."""
        parts = np.stack([_product(rows, part) for part in self._weights.near]) * _UNIT
        units: npt.NDArray[np.int8] = np.clip(parts.round(), -127, 127).astype(np.int8)
        return units

    def _near(self, ids: npt.NDArray[np.intp]) -> Floats:
        """The first layer: the sum of the contributions of the surrounding words."""
        around = np.zeros(len(ids) + 2 * AROUND, np.intp)
        around[AROUND:-AROUND] = ids
        total = self._parts[0].take(around[: len(ids)], axis=0).astype(np.int16)
        for at, part in enumerate(self._parts[1:], 1):
            total += part.take(around[at : at + len(ids)], axis=0)
        near: Floats = total * np.float32(1 / _UNIT)
        near += self._weights.near_bias
        return near

    def _scores(self, near: Floats, *, is_word: npt.NDArray[np.bool_]) -> Floats:
        """The second layer: four rows, a column per word."""
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
    """``rows @ weights``, in small blocks."""
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
    """For each word's line: 0 for mixed case, 1 for lower case only, 2 for capitals only."""
    is_end = marks == _LINE
    starts = np.concatenate(([0], np.flatnonzero(is_end[:-1]) + 1))
    seen = np.bitwise_or.reduceat(marks, starts)
    cases: npt.NDArray[np.intp] = _CASE_OF[seen][np.cumsum(is_end) - is_end]
    return cases


def _shares(scores: Floats) -> Floats:
    """Softmax of the scores."""
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores


def _runs(inside: npt.NDArray[np.bool_]) -> list[list[int]]:
    """Start and end of each run of true values."""
    framed = np.zeros(len(inside) + 2, np.bool_)
    framed[1:-1] = inside
    bounds: list[list[int]] = np.flatnonzero(framed[1:] != framed[:-1]).reshape(-1, 2).tolist()
    return bounds
