"""How the small network learns: from marked texts, changed each time, and from what the teacher says of others."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from tools.name_model.changing import Changes
from tools.name_model.corpora import KINDS, Document
from tools.name_model.network import Sizes, Student, Words
from tools.name_model.opinions import Opinion
from torch.nn import functional

from troth.detect.ner.ordinary import peoples
from troth.detect.ner.words import SHAPES, WORD, plain

_HEARD: Final = (1.0, 0.35)
"""So many of the opinions of teacher and dictionaries are heard in each round, chosen anew."""

_MET: Final = (3, 9)
"""A word that they name oftener gets a row of its own."""

_BATCH: Final = 32
_LENGTH: Final = 128
_RATE: Final = 2e-3
_MADE: Final = 6000
_GAP: Final = 5
"""How many words of nothing stand between two texts: as far as the network sees."""

_FORGETS: Final = 0.25
"""How often a known word's own row is left out, so that letters and neighbours have to do."""

_SMALL, _CAPITAL = {"lower", "x"}, {"Title", "UPPER", "miXed", "X"}
_LINE: Final = SHAPES.index("line")


@dataclass(frozen=True, slots=True)
class Given:
    """Rows of numbers that others learnt, by word."""

    rows: dict[str, npt.NDArray[np.float32]]
    size: int

    def of(self, words: Sequence[str]) -> torch.Tensor:
        """The rows of *words*, with or without their accents; nothing where there is none."""
        none = np.zeros(self.size, np.float32)
        return torch.from_numpy(np.stack([self.rows.get(it, self.rows.get(_bare(it), none)) for it in words]))


@dataclass(frozen=True, slots=True)
class _Text:
    numbers: npt.NDArray[np.intp]
    case: npt.NDArray[np.intp]
    wanted: npt.NDArray[np.float32]


def learnt(
    documents: Sequence[Document],
    opinions: tuple[Sequence[Opinion], Sequence[Opinion]],
    given: Given,
    *,
    rounds: int,
    told: Callable[[str], None],
) -> tuple[Student, Words]:
    """A network that has read all of them so many times: texts that are marked, those of which the teacher has an
    opinion, and those of which dictionaries have one. *told* hears how it goes.
    """
    chance = random.Random(1)
    torch.manual_seed(1)
    changes = Changes(documents, chance)
    words = Words(_known(documents, opinions, given))
    student = Student(words, given.of(words.known), Sizes())
    optimiser = torch.optim.AdamW([it for it in student.parameters() if it.requires_grad], weight_decay=0.01)
    for number in range(rounds):
        texts = [_marked(words, it) for it in (*changes.of(documents), *changes.made(_MADE))]
        for them, share in zip(opinions, _HEARD, strict=True):
            heard = chance.sample(them, round(share * len(them)))
            texts += [_thought(words, it, changes, chance) for it in heard]
        chance.shuffle(texts)
        loss = _round(student, optimiser, words, texts, number=number, rounds=rounds)
        told(f"round {number + 1} of {rounds}: {loss:.4f}")
    return student.eval(), words


def shares(student: Student, words: Words, found: Sequence[str]) -> npt.NDArray[np.float32]:
    """How likely each of the words of a text is of each kind."""
    text = _text(words, found, np.zeros((len(found), 4), np.float32))
    with torch.no_grad():
        scores = student(*_summands(words, text.numbers[None], None), torch.from_numpy(text.case[None]))
    answer: npt.NDArray[np.float32] = functional.softmax(scores, -1)[0].numpy()
    return answer


def _known(documents: Iterable[Document], opinions: Iterable[Sequence[Opinion]], given: Given) -> list[str]:
    """The words that get a row of their own. (A document may be there twice, to count for more.)"""
    marked = Counter(plain(word).lower() for it in {*documents} for word in WORD.findall(it.text))
    often = {word for word, count in marked.items() if count > 1}
    for them, least in zip(opinions, _MET, strict=True):
        thought = Counter(plain(word).lower() for it in them for word in it.words)
        often |= {word for word, count in thought.items() if count > least}
    return sorted(often | {plain(it) for it in given.rows if len(it) > 1 or not it.isalpha()})


def _marked(words: Words, it: Document) -> _Text:
    places = list(WORD.finditer(it.text))
    starts = [place.start() for place in places]
    kinds = np.zeros(len(places), np.intp)
    for start, end, kind in it.names:
        kinds[np.searchsorted(starts, start) : np.searchsorted(starts, end)] = kind
    return _text(words, [place[0] for place in places], np.eye(4, dtype=np.float32)[kinds])


def _thought(words: Words, it: Opinion, changes: Changes, chance: random.Random) -> _Text:
    """A text with the teacher's opinion (but of peoples, which it takes for places), now and then in lower case."""
    for at, word in enumerate(it.words):
        if word.lower() in peoples() and it.shares[at].argmax() == KINDS.index("LOCATION"):
            it.shares[at] = np.eye(len(KINDS))[0]
    if chance.random() < 0.25:
        lowered = [changes.lowered(word) for word in it.words]
        kept = [at for at, word in enumerate(lowered) if word.strip(" ")]
        return _text(words, [lowered[at].strip() or "\n" for at in kept], it.shares[kept])
    return _text(words, it.words, it.shares)


def _text(words: Words, found: Sequence[str], wanted: npt.NDArray[np.float32]) -> _Text:
    numbers = np.array([words.number(word) for word in found], np.intp)
    return _Text(numbers, np.array(list(_cases([words.shapes[it] for it in numbers])), np.intp), wanted)


def _cases(shapes: Sequence[int]) -> Iterator[int]:
    """For each word that of its line: 1 where it has no capitals, 2 where it has nothing else, 0 otherwise."""
    done = 0
    for end in [*(at + 1 for at, it in enumerate(shapes) if it == _LINE), len(shapes)]:
        seen = {SHAPES[it] for it in shapes[done:end]}
        capital = seen & _CAPITAL
        case = (
            1
            if seen & _SMALL and not capital
            else 2
            if capital and capital <= {"UPPER", "X"} and not seen & _SMALL
            else 0
        )
        yield from [case] * (end - done)
        done = end


def _round(
    student: Student,
    optimiser: torch.optim.Optimizer,
    words: Words,
    texts: Sequence[_Text],
    *,
    number: int,
    rounds: int,
) -> float:
    numbers, case, wanted = (_rows(texts, of) for of in ("numbers", "case", "wanted"))
    order = np.random.default_rng(number).permutation(len(numbers))
    batches = [order[at : at + _BATCH] for at in range(0, len(order), _BATCH)]
    total = 0.0
    student.train()
    for at, batch in enumerate(batches):
        done = (number + at / len(batches)) / rounds
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(1.0, 100 * done) * max(0.03, 1 - done)
        scores = student(*_summands(words, numbers[batch], _FORGETS), torch.from_numpy(case[batch]))
        aim = torch.from_numpy(wanted[batch])
        loss = -(functional.log_softmax(scores, -1) * (aim * 0.98 + 0.005)).sum(-1)[aim.sum(-1) > 0].mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item()
    return total / len(batches)


def _rows(texts: Iterable[_Text], of: str) -> npt.NDArray[Any]:
    """All texts after one another, with nothing between, in rows of one length."""
    parts = [getattr(it, of) for it in texts]
    gap = np.zeros((_GAP, *parts[0].shape[1:]), parts[0].dtype)
    parts = [part for it in parts for part in (it, gap)]
    joined = np.concatenate(parts)
    whole = len(joined) // _LENGTH
    return joined[: whole * _LENGTH].reshape(whole, _LENGTH, *joined.shape[1:])


def _summands(
    words: Words, numbers: npt.NDArray[np.intp], forgets: float | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The rows of the table that each different word is the sum of, where they begin, and which word stands where."""
    met, which = np.unique(numbers, return_inverse=True)
    rows = [words.rows[it] for it in met]
    if forgets:
        own = len(words.known)
        rows = [[at for at in it if at >= own] if random.random() < forgets else it for it in rows]
    starts = np.cumsum([0, *map(len, rows)])[:-1]
    flat = np.array([at for it in rows for at in it])
    return torch.from_numpy(flat), torch.from_numpy(starts), torch.from_numpy(which.reshape(numbers.shape))


def _bare(word: str) -> str:
    return "".join(it for it in unicodedata.normalize("NFD", word) if not unicodedata.combining(it))
