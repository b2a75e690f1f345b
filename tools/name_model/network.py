"""The network as it is learnt, and how it is written down for `troth.detect.ner`."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch
from tools.name_model.calibrating import STEPS
from tools.name_model.lists import of_words
from torch import nn
from torch.nn import functional

from troth.detect.ner.model import AROUND
from troth.detect.ner.words import BUCKETS, SHAPES, pieces, plain, shape

BEYOND: Final = ""
"""The word that stands before a text and after it."""

_LISTS: Final = of_words()


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many numbers each layer has."""

    row: int = 64
    near: int = 160
    down: int = 32
    wide: int = 64
    wide_reach: int = 2


@dataclass
class Words:
    """Which rows of the table each word met so far is the sum of."""

    known: Sequence[str]
    rows: list[list[int]] = field(default_factory=list)
    shapes: list[int] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._own = {it: row for row, it in enumerate(self.known)}
        self.number(BEYOND)

    @property
    def count(self) -> int:
        """How many rows the table has."""
        return len(self.known) + BUCKETS + len(SHAPES) + len(_LISTS) + 1

    def number(self, word: str) -> int:
        """The number of a word among those met, which is the same for words that differ only in digits."""
        met = plain(word)
        if met not in self.numbers:
            self.numbers[met] = len(self.rows)
            self.rows.append(self._rows(met))
            self.shapes.append(shape(met) if met else SHAPES.index("none"))
        return self.numbers[met]

    def _rows(self, word: str) -> list[int]:
        if not word:
            return [self.count - 1]
        buckets, lower = len(self.known), word.lower()
        shapes = buckets + BUCKETS
        own = [self._own[lower]] if lower in self._own else []
        lists = [shapes + len(SHAPES) + at for at, held in enumerate(_LISTS) if lower in held]
        return [*own, *(buckets + it for it in pieces(word)), shapes + shape(word), *lists]


class Student(nn.Module):
    """The small network. *given* are numbers that others learnt for the known words, which are kept as they are."""

    def __init__(self, words: Words, given: torch.Tensor, sizes: Sizes) -> None:
        super().__init__()
        known, size = given.shape
        self.table = nn.EmbeddingBag(words.count, sizes.row, mode="sum")
        nn.init.normal_(self.table.weight, 0, 0.1)
        with torch.no_grad():
            self.table.weight[:known] *= 0.1
        padded = torch.cat([given, torch.zeros(words.count - known, size)])
        self.given = nn.EmbeddingBag.from_pretrained(padded, mode="sum", freeze=True)
        self.turned = nn.Linear(size, sizes.row, bias=False)
        nn.init.normal_(self.turned.weight, 0, 0.3 / size**0.5)
        self.near = nn.Conv1d(sizes.row, sizes.near, 2 * AROUND + 1, padding=AROUND)
        self.case = nn.Embedding(3, sizes.near)
        nn.init.zeros_(self.case.weight)
        self.down = nn.Linear(sizes.near, sizes.down, bias=False)
        reach = sizes.wide_reach
        self.wide = nn.Conv1d(sizes.down, sizes.wide, 2 * reach + 1, padding=reach)
        self.out = nn.Linear(sizes.wide, 4)
        self.out_near = nn.Linear(sizes.near, 4, bias=False)
        self.forgotten = nn.Dropout(0.3)

    def forward(
        self, rows: torch.Tensor, starts: torch.Tensor, which: torch.Tensor, case: torch.Tensor
    ) -> torch.Tensor:
        """The four kinds' scores for each place: *which* of the words, whose *rows* begin at *starts*, stands there."""
        met = self.table(rows, starts) + self.turned(self.given(rows, starts))
        seen = functional.dropout(met[which], 0.2, self.training)
        near = self.near(seen.transpose(1, 2)).transpose(1, 2) + self.case(case)
        near = self.forgotten(functional.relu(near))
        wide = self.wide(self.down(near).transpose(1, 2)).transpose(1, 2)
        scores: torch.Tensor = self.out(self.forgotten(functional.relu(wide))) + self.out_near(near)
        return scores


def write(student: Student, known: Sequence[str], path: Path) -> None:
    """Write the weights: rows as whole numbers of one byte, words as hashes. Packing them would save a tenth only."""
    learnt = {name: it.detach().numpy() for name, it in student.state_dict().items()}
    table = learnt["table.weight"] + learnt["given.weight"] @ learnt["turned.weight"].T
    own = {_hash(it): row for row, it in enumerate(known)}
    listed: dict[int, int] = {}
    for at, held in enumerate(_LISTS):
        for it in held:
            listed[_hash(it)] = listed.get(_hash(it), 0) | 1 << at
    lexicon = sorted({*own, *listed})
    table = np.concatenate([table[[own[it] for it in lexicon if it in own]], table[len(known) :]])
    scale = (np.abs(table).max(axis=1) / 127 + 1e-8).astype(np.float16)
    np.savez(
        path,
        allow_pickle=False,
        lexicon=np.diff(np.array(lexicon, np.uint32), prepend=np.uint32(0)),
        known=np.packbits([it in own for it in lexicon]),
        lists=np.array([listed.get(it, 0) for it in lexicon], np.uint8),
        table=np.clip(np.round(table / scale.astype(np.float32)[:, None]), -127, 127).astype(np.int8),
        scale=scale,
        near=_halved(learnt["near.weight"].transpose(2, 1, 0)),
        near_bias=_halved(learnt["near.bias"]),
        case=_halved(learnt["case.weight"]),
        down=_halved(learnt["down.weight"].T),
        wide=_halved(learnt["wide.weight"].transpose(2, 1, 0).reshape(-1, learnt["wide.bias"].size)),
        wide_bias=_halved(learnt["wide.bias"]),
        out=_halved(learnt["out.weight"].T),
        out_near=_halved(learnt["out_near.weight"].T),
        out_bias=_halved(learnt["out.bias"]),
        sure=_halved(np.tile(np.linspace(0, 1, STEPS, dtype=np.float32), (3, 1))),
    )


def _halved(numbers: np.typing.NDArray[np.float32]) -> np.typing.NDArray[np.float16]:
    return np.ascontiguousarray(numbers, dtype=np.float16)


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "replace"))
