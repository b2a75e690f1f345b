"""What the words of a sentence or a paragraph weigh: a small linear model beside the phrases of the lexicon.

Phrases are precise and hear only what somebody thought of. The model has seen some seven thousand sentences and two
thousand paragraphs that were labelled by hand (``tests/policy/labelled``) and knows which words, pairs and triples of
words go with a promise, a right, a practice; what the phrases heard is one more word to it. Its weights are data
(``weights/*.json``), made by ``tools/weigh_clauses.py``: the same data, the same weights, and a sum that anybody can
check.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from troth.policy.classify.model import Clause, ClauseKind, Paragraph, Practice
from troth.policy.classify.parts import parts_of
from troth.policy.lexicon import Mentions, Passage
from troth.policy.text import TextLanguage
from troth.text import same_words

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
_CONCEPTS_OF = {ClauseKind.PROMISE: "promise."}
"""How the concepts begin by which the phrases tell a kind, where not by its name."""


def is_weighed(passage: Passage) -> bool:
    """Whether the words tell. What a heading or the cell of a table does, its place tells, and what leads into a list
    is told by its items (see `as_placed`); a question does nothing."""
    block = passage.block
    return not (
        block.kind == "heading"
        or block.cell is not None
        or passage.is_title
        or block.language is TextLanguage.OTHER
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
class ClauseWeights:
    """What each feature adds for one kind, in hundredths; *base* is what every sentence begins with, and *heard* what
    the phrases add. A sentence is of the kind where the sum is above nothing."""

    base: int
    heard: int
    words: Mapping[str, int] = field(repr=False)

    def weigh(self, seen: frozenset[str], *, is_mentioned: bool) -> int:
        """The sum over *seen*."""
        return self.base + self.heard * is_mentioned + sum(self.words.get(each, 0) for each in seen)

    def heaviest(self, seen: frozenset[str]) -> tuple[str, ...]:
        """The words that speak most for the kind, the heaviest first."""
        pulling = sorted((-weight, each) for each in seen if (weight := self.words.get(each, 0)) > 0)
        words = dict.fromkeys(each.lstrip("^<>") for _, each in pulling if not each.startswith("="))
        return tuple(itertools.islice(words, _SHOWN))


@cache
def load_weights(of: str = "sentences") -> Mapping[str, ClauseWeights]:
    """The weights of each kind of *sentences*, or of each practice of *paragraphs*."""
    rows = json.loads(resources.files(__package__).joinpath("weights", f"{of}.json").read_text("utf-8"))
    return {name: ClauseWeights(row["base"], row["heard"], row["words"]) for name, row in rows.items()}


def as_weighed(spoken: Mentions, clauses: list[Clause]) -> list[Clause]:
    """*clauses* with what their words outweigh: kinds that the phrases missed, and without those they should not have
    heard."""
    return list(map(_weighed, spoken.passages, clauses))


def _weighed(passage: Passage, clause: Clause) -> Clause:
    if not is_weighed(passage):
        return clause
    seen = frozenset(features(passage))
    weights = {ClauseKind(kind): it for kind, it in load_weights().items()}
    does = {kind: it.weigh(seen, is_mentioned=kind in clause.kinds) > 0 for kind, it in weights.items()}
    kinds = [kind for kind in clause.kinds if does.get(kind, True)]
    more = [kind for kind, is_so in does.items() if is_so and kind not in clause.kinds]
    if not more and len(kinds) == len(clause.kinds):
        return clause
    gone = tuple(_CONCEPTS_OF.get(kind, f"says.{kind}:") for kind in clause.kinds if kind not in kinds)
    because = [each for each in clause.because if not (gone and each.startswith(gone))]
    because += [f"words.{kind}: {', '.join(weights[kind].heaviest(seen))}" for kind in more]
    promise = clause.promise if ClauseKind.PROMISE in kinds else None
    if ClauseKind.PROMISE in more:
        promise = parts_of(same_words(clause.sentence.text), clause.lead)
    return replace(clause, kinds=(*more, *kinds), promise=promise, because=tuple(because))


def paragraphs_as_weighed(spoken: Mentions, paragraphs: Iterable[Paragraph]) -> Iterator[Paragraph]:
    """*paragraphs* with the practices that their words weigh for, beside what the phrases heard."""
    passage_of = {passage.sentence.id: passage for passage in spoken.passages}
    for paragraph in paragraphs:
        passages = [passage_of[each.id] for each in paragraph.sentences]
        if not is_paragraph_weighed(passages):
            yield paragraph
            continue
        seen = frozenset(features_of_paragraph(passages))
        weights = load_weights("paragraphs").items()
        found = [name for name, it in weights if it.weigh(seen, is_mentioned=name in paragraph.practices) > 0]
        stands = tuple(f"practice.{name}" for name in found)
        reasons = [each for each in paragraph.because if stands and each.startswith(stands)]
        reasons += [f"words.{name}: {', '.join(it.heaviest(seen))}" for name, it in weights if name in found]
        practices = tuple(practice for practice in Practice if practice in found)
        yield replace(paragraph, practices=practices or (Practice.OTHER,), because=tuple(reasons))
