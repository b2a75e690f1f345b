"""The network at work: words in, how likely each belongs to a person, a place or an organisation out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from troth.detect.names.model import AROUND, Floats, Weights
from troth.detect.names.words import shape

__all__ = ["Network", "WORDS_MAX"]

WORDS_MAX: Final = 4096
"""How many words are looked at together at most."""

_KEPT: Final = 2 * WORDS_MAX
"""For how many different words their part of the first layer is kept. When it is full, all are forgotten."""

_WIDE: Final = 2
_NOTHING: Final = 0
_LINE: Final = 9


class Network:
    """Tags words. It keeps what it worked out about the words it met, never the text; threads may share it."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}
        reach, size, hidden = weights.near.shape
        self._parts = np.zeros((reach, _KEPT, hidden), np.float32)
        self._shapes = np.zeros(_KEPT, np.int8)
        self._never = np.ones(_KEPT, np.bool_)

    def tag(self, found: Sequence[str]) -> Floats:
        """For each of at most `WORDS_MAX` words, how likely it is no name, a person's, a place's, an organisation's."""
        with self._lock:
            ids = self._known(found)
            near, shapes = self._near(ids), self._shapes[ids]
        near += self._weights.case[_cases(shapes)]
        np.maximum(near, 0, out=near)
        return _shares(self._scores(near))

    def _known(self, found: Sequence[str]) -> npt.NDArray[np.intp]:
        ids = self._ids
        new = [word for word in dict.fromkeys(found) if word not in ids]
        if len(ids) + len(new) >= _KEPT or not ids:
            ids.clear()
            new = ["", *dict.fromkeys(found)]
        if new:
            self._learn(new)
        return np.fromiter(map(ids.__getitem__, found), np.intp, len(found))

    def _learn(self, new: Sequence[str]) -> None:
        weights, first = self._weights, len(self._ids)
        rows = np.stack([weights.row(word) if word else weights.nothing for word in new])
        np.matmul(rows, weights.near, out=self._parts[:, first : first + len(new)])
        self._ids.update(zip(new, range(first, first + len(new)), strict=True))
        self._shapes[first : first + len(new)] = [shape(word) if word else 10 for word in new]

    def _near(self, ids: npt.NDArray[np.intp]) -> Floats:
        """The first layer: what each word around a place adds, summed."""
        around = np.pad(ids, AROUND, constant_values=_NOTHING)
        total = np.tile(self._weights.near_bias, (len(ids), 1))
        for at, part in enumerate(self._parts):
            total += part.take(around[at : at + len(ids)], axis=0)
        return total

    def _scores(self, near: Floats) -> Floats:
        weights = self._weights
        down = np.pad(near @ weights.down, ((_WIDE, _WIDE), (0, 0)))
        seen = np.hstack([down[at : at + len(near)] for at in range(2 * _WIDE + 1)])
        wide = np.maximum(seen @ weights.wide + weights.wide_bias, 0)
        return wide @ weights.out + near @ weights.out_near + weights.out_bias


def _cases(shapes: npt.NDArray[np.int8]) -> npt.NDArray[np.intp]:
    """Of each word's line: 0 where it has capitals and small letters, 1 only small ones, 2 only capitals."""
    ends = np.flatnonzero(shapes == _LINE)
    starts = np.concatenate(([0], ends + 1))
    starts = starts[starts < len(shapes)]
    small = np.add.reduceat(np.isin(shapes, (0, 5)), starts, dtype=np.intp)
    titled = np.add.reduceat(np.isin(shapes, (1, 3)), starts, dtype=np.intp)
    capitals = np.add.reduceat(np.isin(shapes, (2, 4)), starts, dtype=np.intp)
    kind = np.where((small > 0) & (capitals + titled == 0), 1, np.where((capitals > 0) & (small + titled == 0), 2, 0))
    return np.repeat(kind, np.diff(np.append(starts, len(shapes))))


def _shares(scores: Floats) -> Floats:
    np.exp(scores - scores.max(axis=1, keepdims=True), out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores
