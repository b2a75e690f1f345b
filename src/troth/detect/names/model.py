"""The network that says of each word whether it belongs to a name, and the file its weights come from.

A word's letters alone give a row of numbers (`Table`). What each of the seven words around a place adds to the first
layer is multiplied out once for each different word and kept, so that the first layer is a sum of looked-up rows.
"""

from __future__ import annotations

import functools
import importlib.resources
import io
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from troth.detect.names import words

__all__ = ["AROUND", "Floats", "Weights", "shipped"]

AROUND: Final = 3
"""How many words before and after one the first layer sees."""

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Weights:
    """What was learnt. Rows of the table are whole numbers that *scale* brings back to size."""

    words: npt.NDArray[np.uint32]
    never: npt.NDArray[np.bool_]
    lists: tuple[npt.NDArray[np.uint32], ...]
    table: npt.NDArray[np.int8]
    scale: Floats
    near: Floats
    near_bias: Floats
    case: Floats
    down: Floats
    wide: Floats
    wide_bias: Floats
    out: Floats
    out_near: Floats
    out_bias: Floats
    sure: Floats

    def row(self, word: str) -> Floats:
        """What the letters of *word* say, as one row of numbers."""
        at = self._rows_of(word)
        return (self.table[at] * self.scale[at, None]).sum(axis=0, dtype=np.float32)

    def is_never(self, word: str) -> bool:
        """Whether *word* is one that is no part of any name, so that nothing need be asked."""
        known = _index(self.words, _hash(word.lower()))
        return bool(self.never[known]) if known is not None else not word[0].isalnum()

    def _rows_of(self, word: str) -> list[int]:
        bare = _hash(word.lower())
        letters = len(self.words)
        shapes = letters + words.BUCKETS
        rows = [letters + bucket for bucket in {*words.features(word)}]
        rows.append(shapes + words.shape(word))
        known = _index(self.words, bare)
        if known is not None:
            rows.append(known)
        first = shapes + len(words.SHAPES)
        rows += [first + at for at, listed in enumerate(self.lists) if _index(listed, bare) is not None]
        return rows

    @property
    def nothing(self) -> Floats:
        """The row of what stands before a text and after it."""
        return self.table[-1] * self.scale[-1]


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "replace"))


def _index(hashes: npt.NDArray[np.uint32], wanted: int) -> int | None:
    at = int(hashes.searchsorted(np.uint32(wanted)))
    return at if at < len(hashes) and hashes[at] == wanted else None


@functools.cache
def shipped() -> Weights:
    """The weights that came with this package."""
    packed = (importlib.resources.files(__package__) / "names.npz").read_bytes()
    with np.load(io.BytesIO(packed), allow_pickle=False) as read:
        held = {name: read[name] for name in read.files}
    lists = tuple(held.pop(name) for name in sorted(name for name in held if name.startswith("list_")))
    return Weights(lists=lists, **{name: _full(value) for name, value in held.items()})


def _full(value: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return value.astype(np.float32) if value.dtype == np.float16 else value
