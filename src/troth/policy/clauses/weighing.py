"""What the words of a sentence weigh: a small linear model beside the phrases of the lexicon.

Phrases are precise and hear only what somebody thought of. The model has seen some seven thousand sentences that were
labelled by hand (``tests/policy/labelled``) and knows what words, pairs and triples of words go with a promise, a
right, a purpose; what the phrases heard is one more word to it. Its weights are data (``weights.json``), made by
``tools/weigh_clauses.py``: the same data, the same weights, and a sum that anybody can check.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from troth.policy.clauses.model import Clause, ClauseKind
from troth.policy.clauses.parts import parts_of
from troth.policy.lexicon import Mentions, Passage
from troth.policy.text import Language
from troth.wording import same_words

__all__ = ["Weights", "as_weighed", "features", "is_weighed", "load_weights"]

_WORDS_MAX = 60
_LEAD_WORDS_MAX = 10
_TITLE_WORDS_MAX = 15
_WORDS_MIN = 5
"""How much of a sentence, of what leads into it and of the titles above it is looked at; what is longer is rare. Fewer
words than the last do not tell."""
_SHOWN = 3
"""So many of the heaviest words are told as a reason."""
_CONCEPTS_OF = {ClauseKind.PROMISE: "promise."}
"""How the concepts begin by which the phrases tell a kind, where not by its name."""


def is_weighed(passage: Passage) -> bool:
    """Whether the words tell. What a heading or the cell of a table does, its place tells (see `as_placed`); a question
    does nothing."""
    block = passage.block
    return not (
        block.kind == "heading"
        or block.cell is not None
        or passage.is_title
        or block.language is Language.OTHER
        or passage.sentence.text.rstrip().endswith("?")
        or passage.words[passage.own :].count(" ") < _WORDS_MIN
    )


def features(passage: Passage) -> Iterator[str]:
    """What the model sees of a sentence: its words, pairs and triples of them, how it begins, what leads into it
    (``<``), the words of the titles above it (``>``), and where it stands. All numbers are one word."""
    words = _words(passage.words[passage.own :])[:_WORDS_MAX]
    for length in (1, 2, 3):
        yield from (" ".join(words[at : at + length]) for at in range(len(words) - length + 1))
        yield "^" + " ".join(words[:length])
    lead = _words(passage.words[: passage.own])[-_LEAD_WORDS_MAX:]
    yield from (f"<{each}" for each in lead)
    yield from (f"<{one} {other}" for one, other in itertools.pairwise(lead))
    yield from (f">{each}" for each in _words(passage.under)[:_TITLE_WORDS_MAX])
    yield f"={passage.block.kind}"
    yield f"={min(len(words) // 5, 6)}"
    if passage.sentence.text.rstrip().endswith(":"):
        yield "=:"


def _words(text: str) -> list[str]:
    return ["#" if any(letter.isdigit() for letter in word) else word for word in text.split()]


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature adds for one kind, in hundredths; *base* is what every sentence begins with, and *heard* what
    the phrases add. A sentence is of the kind where the sum is above nothing."""

    base: int
    heard: int
    words: Mapping[str, int] = field(repr=False)

    def weigh(self, seen: frozenset[str], *, heard: bool) -> int:
        """The sum over *seen*."""
        return self.base + self.heard * heard + sum(self.words.get(each, 0) for each in seen)

    def heaviest(self, seen: frozenset[str]) -> tuple[str, ...]:
        """The features that speak most for the kind, the heaviest first."""
        pulling = sorted((-self.words.get(each, 0), each) for each in seen)
        return tuple(each for weight, each in pulling[:_SHOWN] if weight < 0)


@cache
def load_weights() -> Mapping[ClauseKind, Weights]:
    """The weights of each kind that is weighed."""
    rows = json.loads(resources.files(__package__).joinpath("weights.json").read_text("utf-8"))
    return {ClauseKind(kind): Weights(row["base"], row["heard"], row["words"]) for kind, row in rows.items()}


def as_weighed(spoken: Mentions, clauses: list[Clause]) -> list[Clause]:
    """*clauses* with what their words outweigh: kinds that the phrases missed, and without those they should not have
    heard."""
    return list(map(_weighed, spoken.passages, clauses))


def _weighed(passage: Passage, clause: Clause) -> Clause:
    if not is_weighed(passage):
        return clause
    seen = frozenset(features(passage))
    does = {kind: it.weigh(seen, heard=kind in clause.kinds) > 0 for kind, it in load_weights().items()}
    kinds = [kind for kind in clause.kinds if does.get(kind, True)]
    more = [kind for kind, is_so in does.items() if is_so and kind not in clause.kinds]
    if not more and len(kinds) == len(clause.kinds):
        return clause
    gone = tuple(_CONCEPTS_OF.get(kind, f"says.{kind}:") for kind in clause.kinds if kind not in kinds)
    because = [each for each in clause.because if not (gone and each.startswith(gone))]
    because += [f"words.{kind}: {', '.join(load_weights()[kind].heaviest(seen))}" for kind in more]
    promise = clause.promise if ClauseKind.PROMISE in kinds else None
    if ClauseKind.PROMISE in more:
        promise = parts_of(same_words(clause.sentence.text), clause.lead)
    return replace(clause, kinds=(*more, *kinds), promise=promise, because=tuple(because))
