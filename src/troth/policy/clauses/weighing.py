"""Clauses and paragraphs with what their words weigh (see `troth.policy.weighing`), beside what the phrases heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from troth.policy.clauses.model import Clause, ClauseKind, Paragraph, Practice
from troth.policy.clauses.parts import parts_of
from troth.policy.lexicon import Mentions, Passage
from troth.policy.weighing import features_of_paragraph, is_paragraph_weighed, is_weighed, load_weights
from troth.wording import same_words

__all__ = ["as_weighed", "paragraphs_as_weighed"]

_CONCEPTS_OF = {ClauseKind.PROMISE: "promise."}
"""How the concepts begin by which the phrases tell a kind, where not by its name."""


def as_weighed(spoken: Mentions, clauses: list[Clause]) -> list[Clause]:
    """*clauses* with what their words outweigh: kinds that the phrases missed, and without those they should not have
    heard."""
    return [_weighed(spoken, passage, clause) for passage, clause in zip(spoken.passages, clauses, strict=True)]


def _weighed(spoken: Mentions, passage: Passage, clause: Clause) -> Clause:
    if not is_weighed(passage):
        return clause
    seen = spoken.seen(passage)
    weights = {ClauseKind(kind): it for kind, it in load_weights().items()}
    does = {kind: it.weigh(seen, heard=kind in clause.kinds) > 0 for kind, it in weights.items()}
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
        found = [name for name, it in weights if it.weigh(seen, heard=name in paragraph.practices) > 0]
        stands = tuple(f"practice.{name}" for name in found)
        reasons = [each for each in paragraph.because if stands and each.startswith(stands)]
        reasons += [f"words.{name}: {', '.join(it.heaviest(seen))}" for name, it in weights if name in found]
        practices = tuple(practice for practice in Practice if practice in found)
        yield replace(paragraph, practices=practices or (Practice.OTHER,), because=tuple(reasons))
