"""The learnt model: the weights file that ships with the package, and the embedding that it gives for a word.

A word's embedding is a sum: its own row if the word is known, the rows of its prefixes, infixes and suffixes, its
shape, and the lists that contain it (given names, family names, places). An unknown word has letters too.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from troth.detect.ner.words import BUCKETS, LISTS, SHAPES, pieces, shape

AROUND: Final = 3
"""How many words before and after a word the first layer sees."""

_LISTS_AT: Final = -1 - len(LISTS)
_SHAPES_AT: Final = _LISTS_AT - len(SHAPES)
_BUCKETS_AT: Final = _SHAPES_AT - BUCKETS
"""Offsets from the end of the table of rows other than those of known words."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ModelWeights:
    """The parameters of the model. *lexicon* has hashes of words, never the words; *lists* says which lists each is on.

    *rows* maps known words to rows of *table*; after them it has the buckets of word pieces, the shapes, the lists, and
    the padding outside a text. *sure* calibrates the network's score for each type of name, from 0 to 1 in equal steps.
    The rest are the layers of the network.
    """

    lexicon: npt.NDArray[np.uint32]
    rows: npt.NDArray[np.int32]
    lists: npt.NDArray[np.uint8]
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

    def of(self, words: Sequence[str]) -> Floats:
        """An embedding for each of *words*, none of which may be empty."""
        hashes = np.array([zlib.crc32(it.lower().encode("utf-8", "replace")) for it in words], np.uint32)
        at = self.lexicon.searchsorted(hashes).clip(max=len(self.lexicon) - 1)
        is_known = self.lexicon[at] == hashes
        own = np.where(is_known, self.rows[at], -1)
        listed = np.unpackbits((self.lists[at] * is_known)[:, None], axis=1, count=len(LISTS), bitorder="little")
        return (
            self._summed([pieces(it) for it in words])
            + self._taken(_SHAPES_AT + np.array([shape(it) for it in words]))
            + listed @ self._taken(np.arange(_LISTS_AT, -1))
            + self._taken(own) * (own >= 0)[:, None]
        )

    def nothing(self) -> Floats:
        """The embedding of the padding before and after a text."""
        return self._taken(np.array([-1]))

    def _summed(self, parts: Sequence[Collection[int]]) -> Floats:
        ends = np.cumsum([len(it) for it in parts])
        rows = self._taken(_BUCKETS_AT + np.array([at for it in parts for at in it]))
        return np.add.reduceat(rows, np.concatenate(([0], ends[:-1])))

    def _taken(self, at: npt.NDArray[np.intp]) -> Floats:
        return self.table[at] * self.scale[at, None]


@functools.cache
def shipped() -> ModelWeights:
    """The weights that ship with this package."""
    with Path(__file__).with_name("names.npz").open("rb") as file:
        return read(file)


def read(file: IO[bytes]) -> ModelWeights:
    """Reads weights written by `tools.name_model`."""
    with np.load(file, allow_pickle=False) as opened:
        held: dict[str, npt.NDArray[Any]] = {name: opened[name] for name in opened.files}
    lexicon = held.pop("lexicon").cumsum(dtype=np.uint32)
    known = np.unpackbits(held.pop("known"), count=len(lexicon)).astype(np.int32)
    rows = np.where(known, known.cumsum(dtype=np.int32) - 1, -1)
    return ModelWeights(lexicon=lexicon, rows=rows, **{name: _in_full(value) for name, value in held.items()})


def _in_full(value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return value.astype(np.float32) if value.dtype == np.float16 else value
