"""What is thought of the words of a text that nobody marked: by the teacher, or by a dictionary of its language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from tools.name_model.corpora import KINDS

from troth.detect.ner.words import WORD

_NONE: Final = np.eye(len(KINDS), dtype=np.float32)[0]
_SELDOM: Final = 3
_SMALL: Final = 0.75
"""So many of a dictionary's words are in lower case, unless its language writes nouns with a capital."""

_BETWEEN: Final = "\0"
_BETWEEN_TEXTS: Final = "\0\0"


@dataclass(frozen=True, slots=True)
class Opinion:
    """Words of a text and, for each, how likely it is thought of each kind; all nothing where there is no opinion."""

    words: Sequence[str]
    shares: npt.NDArray[np.float32]


def by_dictionary(texts: Iterable[str], dictionary: Iterable[str], names: Iterable[str]) -> Iterator[Opinion]:
    """No names are words without a capital, those that seldom have one, and those that the *dictionary* holds and that
    are not among the *names*. Of other words nothing is told. Each text comes once more, with capitals it had not.
    """
    held = [it.strip() for it in dictionary]
    # German writes its nouns with a capital; elsewhere it marks what a dictionary knows for a name.
    has_nouns = sum(it.islower() for it in held) < len(held) * _SMALL
    ordinary = {it.lower() for it in held if has_nouns or it.islower()}.difference(names)
    each = [words for text in texts if (words := WORD.findall(text))]
    count = Counter(word for words in each for word in words)
    ordinary |= {word for word in count if word.islower() and count[word] > _SELDOM * count[word.title()]}
    for words in (*each, *(_with_capitals(it, ordinary) for it in each)):
        is_none = [not it[0].isupper() or it.lower() in ordinary for it in words]
        yield Opinion(words, np.outer(is_none, _NONE).astype(np.float32))


def _with_capitals(words: Sequence[str], ordinary: Collection[str]) -> list[str]:
    """As in forms and in tickets: every fifth word has one, if it is ordinary."""
    return [it.title() if at % 5 == 0 and it in ordinary else it for at, it in enumerate(words)]


def write(opinions: Sequence[Opinion], path: Path) -> None:
    """Keep opinions in a file, since asking for them takes long."""
    words = _BETWEEN_TEXTS.join(_BETWEEN.join(it.words) for it in opinions).encode("utf-8")
    shares = np.concatenate([it.shares for it in opinions]).astype(np.float16)
    np.savez(path, allow_pickle=False, words=np.frombuffer(words, np.uint8), shares=shares)


def read(path: Path) -> Iterator[Opinion]:
    """Those that were kept."""
    with np.load(path, allow_pickle=False) as held:
        texts, shares = held["words"].tobytes().decode("utf-8").split(_BETWEEN_TEXTS), held["shares"]
    done = 0
    for words in (it.split(_BETWEEN) for it in texts):
        yield Opinion(words, shares[done : done + len(words)].astype(np.float32))
        done += len(words)
