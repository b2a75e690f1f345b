"""The teacher: a sentence encoder of six layers, trained further on the marked texts. It is slow, and never ships.

It reads words as pieces from its own vocabulary, without case; how a word is written is added as one more row.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tools.name_model.changing import Changes
from tools.name_model.corpora import Document
from tools.name_model.learning import Given
from tools.name_model.opinions import Opinion
from torch import nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from troth.detect.ner.words import SHAPES, WORD, shape

_STEPS: Final = 900
_RATE: Final = 2e-4
_WORDS_MAX: Final = 90
_BATCH_WORDS: Final = 1100
_PIECES_MAX: Final = 6
_FIRST_WORD: Final = 999
"""Before it the vocabulary holds signs that are never met."""

Row = tuple[Sequence[str], Sequence[int]]


class Teacher(nn.Module):
    """Reads the encoder from *folder* (``model.safetensors``, ``tokenizer.json``)."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        self._pieces_of = cache(_pieces_with(tokenizer))
        learnt = load_file(folder / "model.safetensors")
        vocabulary, size = learnt["embeddings.word_embeddings.weight"].shape
        self.encoder = BertModel(
            BertConfig(
                vocab_size=vocabulary,
                hidden_size=size,
                num_hidden_layers=6,
                num_attention_heads=12,
                intermediate_size=4 * size,
            ),
            add_pooling_layer=False,
        )
        self.encoder.load_state_dict({name: it for name, it in learnt.items() if "pooler" not in name}, strict=False)
        self.shape = nn.Embedding(len(SHAPES) + 1, size)
        nn.init.zeros_(self.shape.weight)
        self.out = nn.Linear(size, 4)

    def forward(self, words: Sequence[Sequence[str]]) -> torch.Tensor:
        """Scores of the four kinds for each word of each text, from the first piece of each."""
        pieces = [[[101], *(self._pieces_of(it) for it in text), [102]] for text in words]
        shapes = [[len(SHAPES), *(shape(it) for it in text), len(SHAPES)] for text in words]
        flat = _even([[at for it in text for at in it] for text in pieces], 0)
        seen = _even([[1] * sum(map(len, text)) for text in pieces], 0)
        written = [
            [it for it, of in zip(them, text, strict=True) for _ in of]
            for them, text in zip(shapes, pieces, strict=True)
        ]
        firsts = _even([np.cumsum([0, *map(len, text)])[1:-2].tolist() for text in pieces], 0)
        rows = self.encoder.embeddings.word_embeddings(flat) + self.shape(_even(written, len(SHAPES)))
        states = self.encoder(inputs_embeds=rows, attention_mask=seen).last_hidden_state
        firsts = firsts[:, :, None].expand(-1, -1, states.shape[2])
        scores: torch.Tensor = self.out(functional.dropout(torch.gather(states, 1, firsts), 0.1, self.training))
        return scores

    def learn(self, documents: Sequence[Document], told: Callable[[str], None]) -> None:
        """Learn from marked texts, changed each time."""
        chance = random.Random(2)
        torch.manual_seed(2)
        changes = Changes(documents, chance)
        fresh = [*self.shape.parameters(), *self.out.parameters()]
        self.encoder.embeddings.position_embeddings.requires_grad_(False)
        old = [it for it in self.encoder.parameters() if it.requires_grad]
        optimiser = torch.optim.AdamW([{"params": old, "lr": _RATE}, {"params": fresh, "lr": 5 * _RATE}])
        slower = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min(1.0, step / 100) * max(0.0, 1 - step / _STEPS)
        )
        batches: list[list[Row]] = []
        self.train()
        for step in range(_STEPS):
            batches = batches or list(_batches(list(_rows(changes.of(documents))), chance))
            loss = self._loss(batches.pop())
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters(), 1.0)
            optimiser.step()
            slower.step()
            if step % 50 == 0:
                told(f"step {step} of {_STEPS}: {loss.item():.4f}")

    def _loss(self, batch: Sequence[Row]) -> torch.Tensor:
        kinds = _even([kinds for _, kinds in batch], -1)
        scores = self([words for words, _ in batch])
        return functional.cross_entropy(scores.reshape(-1, 4), kinds.reshape(-1), ignore_index=-1, label_smoothing=0.02)

    def opinion(self, text: str) -> Opinion:
        """What it thinks of each word of *text*."""
        words = WORD.findall(text)
        parts = [words[at : at + _WORDS_MAX] for at in range(0, len(words), _WORDS_MAX)]
        self.eval()
        with torch.no_grad():
            shares = [functional.softmax(self([it])[0], -1).numpy() for it in parts]
        return Opinion(words, np.concatenate(shares) if shares else np.zeros((0, 4), np.float32))


def given(folder: Path, size: int) -> Given:
    """The encoder's own rows for whole words, brought down to *size* numbers."""
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    whole = [at for at, it in enumerate(vocabulary) if at >= _FIRST_WORD and not it.startswith(("##", "["))]
    rows = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"][whole].float()
    rows = functional.normalize(rows - rows[:20000].mean(0), dim=1)
    turned = rows @ torch.linalg.svd(rows, full_matrices=False)[2][:size].T
    turned /= turned.std()
    return Given({vocabulary[at]: it.numpy() for at, it in zip(whole, turned, strict=True)}, size)


def _pieces_with(tokenizer: Tokenizer) -> Callable[[str], list[int]]:
    def pieces(word: str) -> list[int]:
        if word == "\n":
            return [102]
        return tokenizer.encode(word, add_special_tokens=False).ids[:_PIECES_MAX] or [100]

    return pieces


def _rows(documents: Iterable[Document]) -> Iterator[Row]:
    for it in documents:
        places = list(WORD.finditer(it.text))
        starts = [place.start() for place in places]
        kinds = [0] * len(places)
        for start, end, kind in it.names:
            for at in range(*np.searchsorted(starts, [start, end]).tolist()):
                kinds[at] = kind
        for at in range(0, len(places), _WORDS_MAX):
            yield [place[0] for place in places[at : at + _WORDS_MAX]], kinds[at : at + _WORDS_MAX]


def _batches(rows: list[Row], chance: random.Random) -> Iterator[list[Row]]:
    """Rows of like length together, so that little is filled up."""
    chance.shuffle(rows)
    for at in range(0, len(rows), 800):
        held: list[Row] = []
        for it in sorted(rows[at : at + 800], key=lambda it: len(it[0])):
            if held and (len(held) + 1) * len(it[0]) > _BATCH_WORDS:
                yield held
                held = []
            held.append(it)
        yield held


def _even(rows: Sequence[Sequence[int]], filler: int) -> torch.Tensor:
    most = max(map(len, rows))
    return torch.tensor([[*it, *[filler] * (most - len(it))] for it in rows])
