"""Classifies sentences and paragraphs with a small linear model that complements the phrases of the lexicon.

Phrases are precise but match only what somebody thought of. The model was trained on some seven thousand sentences and
two thousand paragraphs labelled by hand (``tests/policy/labelled``) and knows which words, pairs and triples of words
indicate a promise, a right or a practice; the result of the phrases is one of its features. Its weights are data
(``weights/*.json``) made by ``tools/weigh_clauses.py``: the same data gives the same weights, and the score is a sum
that anybody can check.
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
"""How many words of a sentence, its lead-in and the titles above are read; more is rare. Sentences of at most
`_WORDS_MIN` words are not classified."""
_PARAGRAPH_WORDS_MIN, _PARAGRAPH_WORDS_MAX = 12, 250
_NUMBERS = frozenset(
    {
        *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
        *("fourteen", "fifteen", "sixteen", "eighteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy"),
        *("eighty", "ninety", "hundred"),
    }
)
_SHOWN = 3
"""Number of top-weighted words that are given as a reason."""
_CONCEPTS_OF = {ClauseKind.PROMISE: "promise."}
"""Prefix of the concepts by which phrases detect a kind, if it differs from the kind's name."""


def is_weighed(passage: Passage) -> bool:
    """True if the model applies. The position decides for headings and table cells, the items decide for what leads
    into a list (see `as_placed`), and a question has no kind."""
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
    """Features of a sentence: words, pairs and triples, its beginning, its lead-in (``<``), the titles above it
    (``>``), block kind and length. All numbers are the same word."""
    words = _words(passage.words[passage.own :])[:_WORDS_MAX]
    yield from _runs(words, 3)
    lead = _words(passage.words[: passage.own])[-_LEAD_WORDS_MAX:]
    yield from (f"<{each}" for each in lead)
    yield from (f"<{one} {other}" for one, other in itertools.pairwise(lead))
    yield from (f">{each}" for each in _words(passage.under)[:_TITLE_WORDS_MAX])
    yield f"={passage.block.kind}"
    yield f"={min(len(words) // 5, 6)}"


def is_paragraph_weighed(passages: Iterable[Passage]) -> bool:
    """True if there are enough words to classify the paragraph."""
    return sum(len(each.words[each.own :].split()) for each in passages) >= _PARAGRAPH_WORDS_MIN


def features_of_paragraph(passages: Iterable[Passage]) -> Iterator[str]:
    """Features of a paragraph: words, pairs, its beginning, the titles above it and its length."""
    together = list(passages)
    words = [word for each in together for word in _words(each.words[each.own :])][:_PARAGRAPH_WORDS_MAX]
    yield from _runs(words, 2)
    yield from (f">{each}" for each in _words(together[0].under)[:_TITLE_WORDS_MAX])
    yield f"={min(len(words) // 20, 6)}"


def _runs(words: list[str], longest: int) -> Iterator[str]:
    """Runs of one to *longest* words; those at the start are marked."""
    for length in range(1, longest + 1):
        yield from (" ".join(words[at : at + length]) for at in range(len(words) - length + 1))
        yield "^" + " ".join(words[:length])


def _words(text: str) -> list[str]:
    return ["#" if word in _NUMBERS or any(letter.isdigit() for letter in word) else word for word in text.split()]


@dataclass(frozen=True, slots=True)
class ClauseWeights:
    """The weights of the features for one kind, in hundredths; *base* is the bias, and *heard* is added if the phrases
    match. A sentence is of the kind if the sum is positive."""

    base: int
    heard: int
    words: Mapping[str, int] = field(repr=False)

    def weigh(self, seen: frozenset[str], *, is_mentioned: bool) -> int:
        """The score of the features in *seen*."""
        return self.base + self.heard * is_mentioned + sum(self.words.get(each, 0) for each in seen)

    def heaviest(self, seen: frozenset[str]) -> tuple[str, ...]:
        """The words with the largest weights for the kind, in descending order."""
        pulling = sorted((-weight, each) for each in seen if (weight := self.words.get(each, 0)) > 0)
        words = dict.fromkeys(each.lstrip("^<>") for _, each in pulling if not each.startswith("="))
        return tuple(itertools.islice(words, _SHOWN))


@cache
def load_weights(of: str = "sentences") -> Mapping[str, ClauseWeights]:
    """The weights of each kind (of *sentences*), or of each practice (of *paragraphs*)."""
    rows = json.loads(resources.files(__package__).joinpath("weights", f"{of}.json").read_text("utf-8"))
    return {name: ClauseWeights(row["base"], row["heard"], row["words"]) for name, row in rows.items()}


def as_weighed(spoken: Mentions, clauses: list[Clause]) -> list[Clause]:
    """*clauses* as corrected by the model: kinds that the phrases missed are added, and wrong ones removed."""
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
    """*paragraphs* with the practices that the model assigns; the matches of the phrases are among its features."""
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
