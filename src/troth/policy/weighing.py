"""What the words of a sentence or a paragraph weigh: a small linear model beside the phrases of the lexicon.

Phrases are precise and hear only what somebody thought of. The model has seen some seven thousand sentences and two
thousand paragraphs that were labelled by hand (``tests/policy/labelled``) and knows which words, pairs and triples of
words go with a promise, a right, a practice, a concept. Its weights are data (``weights/*.json``), made by
``tools/weigh.py``: the same data, the same weights, and a sum that anybody can check.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from troth.policy.text import Language

if TYPE_CHECKING:
    from troth.policy.lexicon import Passage

__all__ = ["Weights", "features", "features_of_paragraph", "is_paragraph_weighed", "is_weighed", "load_weights"]

_WORDS_MAX = 60
_LEAD_WORDS_MAX = 10
_TITLE_WORDS_MAX = 15
_WORDS_MIN = 5
"""How much of a sentence, of what leads into it and of the titles above it is looked at; what is longer is rare. Fewer
words than the last do not tell."""
_PARAGRAPH_WORDS_MIN, _PARAGRAPH_WORDS_MAX = 12, 250
_NUMBERS = frozenset(
    {
        *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
        *("fourteen", "fifteen", "sixteen", "eighteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy"),
        *("eighty", "ninety", "hundred"),
    }
)
_SHOWN = 3
"""So many of the heaviest words are told as a reason."""


def is_weighed(passage: Passage) -> bool:
    """Whether the words tell. What a heading or the cell of a table does, its place tells, and what leads into a list
    is told by its items (see `as_placed`); a question does nothing."""
    block = passage.block
    return not (
        block.kind == "heading"
        or block.cell is not None
        or passage.is_title
        or block.language is Language.OTHER
        or passage.sentence.text.rstrip().endswith(("?", ":"))
        or passage.words[passage.own :].count(" ") < _WORDS_MIN
    )


def features(passage: Passage) -> Iterator[str]:
    """What the model sees of a sentence: its words, pairs and triples of them, how it begins, what leads into it
    (``<``), the words of the titles above it (``>``), and where it stands. All numbers are one word."""
    words = _words(passage.words[passage.own :])[:_WORDS_MAX]
    yield from _runs(words, 3)
    lead = _words(passage.words[: passage.own])[-_LEAD_WORDS_MAX:]
    yield from (f"<{each}" for each in lead)
    yield from (f"<{one} {other}" for one, other in itertools.pairwise(lead))
    yield from (f">{each}" for each in _words(passage.under)[:_TITLE_WORDS_MAX])
    yield f"={passage.block.kind}"
    yield f"={min(len(words) // 5, 6)}"


def is_paragraph_weighed(passages: Iterable[Passage]) -> bool:
    """Whether there are enough words to tell."""
    return sum(len(each.words[each.own :].split()) for each in passages) >= _PARAGRAPH_WORDS_MIN


def features_of_paragraph(passages: Iterable[Passage]) -> Iterator[str]:
    """The same of a paragraph: its words, pairs of them, how it begins, and the titles above it."""
    together = list(passages)
    words = [word for each in together for word in _words(each.words[each.own :])][:_PARAGRAPH_WORDS_MAX]
    yield from _runs(words, 2)
    yield from (f">{each}" for each in _words(together[0].under)[:_TITLE_WORDS_MAX])
    yield f"={min(len(words) // 20, 6)}"


def _runs(words: list[str], longest: int) -> Iterator[str]:
    """The words, and up to so many of them in a row; how they begin is marked."""
    for length in range(1, longest + 1):
        yield from (" ".join(words[at : at + length]) for at in range(len(words) - length + 1))
        yield "^" + " ".join(words[:length])


def _words(text: str) -> list[str]:
    return ["#" if word in _NUMBERS or any(letter.isdigit() for letter in word) else word for word in text.split()]


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature adds for one kind, practice or concept, in hundredths; *base* is what everything begins with,
    and *heard* what the phrases add, where they are not believed outright. A sentence is of the kind where the sum is
    above nothing."""

    base: int
    heard: int
    words: Mapping[str, int] = field(repr=False)

    def weigh(self, seen: frozenset[str], *, heard: bool = False) -> int:
        """The sum over *seen*."""
        return self.base + self.heard * heard + sum(self.words.get(each, 0) for each in seen)

    def heaviest(self, seen: frozenset[str]) -> tuple[str, ...]:
        """The words that speak most for the kind, the heaviest first."""
        pulling = sorted((-weight, each) for each in seen if (weight := self.words.get(each, 0)) > 0)
        words = dict.fromkeys(each.lstrip("^<>") for _, each in pulling if not each.startswith("="))
        return tuple(itertools.islice(words, _SHOWN))


@cache
def load_weights(of: str = "sentences") -> Mapping[str, Weights]:
    """The weights of each kind of *sentences*, of each practice of *paragraphs*, or of *concepts* for which words are
    weighed."""
    rows = json.loads(resources.files(__package__).joinpath("weights", f"{of}.json").read_text("utf-8"))
    return {name: Weights(row["base"], row.get("heard", 0), row["words"]) for name, row in rows.items()}
