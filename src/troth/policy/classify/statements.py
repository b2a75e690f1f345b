"""From a parsed policy to what it states."""

from __future__ import annotations

import re

from troth.policy.categories import categories_in
from troth.policy.classify.classifier import as_weighed, paragraphs_as_weighed
from troth.policy.classify.context_rules import as_placed
from troth.policy.classify.model import Clause, ClauseKind, Paragraph, Understood
from troth.policy.classify.parts import parts_of
from troth.policy.classify.practices import paragraphs_of
from troth.policy.classify.quantities import quantities_in
from troth.policy.extraction import contacts, definitions
from troth.policy.lexicon import Mentions, Passage, mentions
from troth.policy.text import PolicyText, Sentence, TextLanguage
from troth.text import same_words

_CHARACTERS_MAX = 2_000
"""How much of a sentence is read; real sentences are shorter."""


def understand(policy: PolicyText) -> Understood:
    """What each sentence does and each paragraph is about. Deterministic."""
    spoken = mentions(policy)
    clauses = as_placed(spoken, as_weighed(spoken, _heard(spoken)))
    return Understood(policy, clauses, tuple(paragraphs_as_weighed(spoken, paragraphs_of(spoken))))


def heard(policy: PolicyText) -> tuple[list[tuple[Passage, Clause]], list[Paragraph]]:
    """The same by phrases alone, without the model: input for training its weights."""
    spoken = mentions(policy)
    return list(zip(spoken.passages, _heard(spoken), strict=True)), list(paragraphs_of(spoken))


def _heard(spoken: Mentions) -> list[Clause]:
    says = _Says(spoken)
    return [says.clause(passage) for passage in spoken.passages]


def promises_in(policy: PolicyText) -> list[Clause]:
    """The clauses that commit the company, in order; headings only if they are whole sentences (“We never sell it”).

    Phrases see words, not meaning: expect a few false positives, and review the rest yourself.
    """
    return list(understand(policy).promises)


_WHOLE = re.compile(
    r"(?:[\d.()]{1,8} )?(?:we|you|nobody|no one|our [a-z]+ (?:never|do|does|will|are|is))\b(?: [^ ]+){2}", re.I
)
"""A heading that is a statement: a subject and what it does. “What we collect” and “Our security” only name a topic."""

_OF_RIGHTS = ("promise.will", "promise.negated", "promise.tells", "promise.you_can")
"""What a right in a list may promise in addition: "to have it erased, and we will tell the recipients"."""


_SILENCES = {
    ClauseKind.PROMISE: {ClauseKind.COLLECTION, ClauseKind.PURPOSE, ClauseKind.LAW},
    ClauseKind.RIGHT: {ClauseKind.COLLECTION, ClauseKind.PURPOSE, ClauseKind.RECIPIENT, ClauseKind.RETENTION},
    ClauseKind.LAW: {ClauseKind.COLLECTION, ClauseKind.PURPOSE, ClauseKind.RECIPIENT, ClauseKind.SECURITY},
    ClauseKind.BOILERPLATE: {ClauseKind.COLLECTION, ClauseKind.PURPOSE, ClauseKind.RECIPIENT},
    ClauseKind.RETENTION: {ClauseKind.COLLECTION, ClauseKind.SECURITY},
    ClauseKind.COLLECTION: {ClauseKind.CONTACT},
    ClauseKind.DEFINITION: {ClauseKind.CONTACT},
}
"""Kinds that another kind suppresses, because the sentence only mentions them: a right to object to a use states no
purpose."""


class _Says:
    """What the phrases of the lexicon find in a sentence."""

    def __init__(self, spoken: Mentions) -> None:
        self._spoken = spoken
        self._promises = spoken.names("promise.")
        self._facts = {
            ClauseKind.CONTACT: {
                one.sentence.id: f"contact: {one.kind}" for one in contacts(spoken.policy) if one.kind != "link"
            },
            ClauseKind.DEFINITION: {one.sentence.id: "definition" for one in definitions(spoken.policy)},
        }
        self._kinds = {kind: f"says.{kind}" for kind in ClauseKind if spoken.knows(f"says.{kind}")}

    def clause(self, passage: Passage) -> Clause:
        sentence, words = passage.sentence, same_words(passage.sentence.text[:_CHARACTERS_MAX])
        if passage.block.kind == "heading":
            return self._heading(passage, words)
        if passage.block.language is TextLanguage.OTHER:
            return Clause(sentence, ())
        if words.endswith("?") or (passage.block.cell is not None and passage.block.cell.is_head):
            return Clause(sentence, ())
        lead = passage.words[: passage.own].strip()
        commits = self._commits(passage, words)
        kinds = {} if passage.is_title else self._besides(sentence, is_promise=bool(commits))
        return Clause(
            sentence,
            (*([ClauseKind.PROMISE] if commits else []), *kinds),
            parts_of(words, lead) if commits else None,
            lead,
            categories_in(words),
            quantities_in(words),
            tuple(dict.fromkeys([*commits, *kinds.values()])),
        )

    def _besides(self, sentence: Sentence, *, is_promise: bool) -> dict[ClauseKind, str]:
        """Kinds of the sentence besides a promise, each with the matching words; without those that it only
        mentions."""
        kinds = {kind: said for kind, name in self._kinds.items() if (said := self._says(kind, name, sentence))}
        silenced = {kind for one in kinds for kind in _SILENCES.get(one, ())}
        silenced |= _SILENCES[ClauseKind.PROMISE] if is_promise else set()
        return {kind: said for kind, said in kinds.items() if kind not in silenced}

    def _heading(self, passage: Passage, words: str) -> Clause:
        commits = self._commits(passage, words) if _WHOLE.match(words) else []
        if not commits:
            return Clause(passage.sentence, (ClauseKind.HEADING,))
        kinds, told = (ClauseKind.PROMISE, ClauseKind.HEADING), (categories_in(words), quantities_in(words))
        return Clause(passage.sentence, kinds, parts_of(words), "", *told, tuple(dict.fromkeys(commits)))

    def _commits(self, passage: Passage, words: str) -> list[str]:
        """The concepts, with the matching words, by which the sentence commits the company."""
        if _is_advice(passage) or self._spoken.why("promise.not", passage.sentence):
            return []
        names = _OF_RIGHTS if self._is_right_in_list(passage) else self._promises
        found = [self._why(name, passage.sentence) for name in names if name != "promise.not"]
        return [said for said in found if said]

    def _is_right_in_list(self, passage: Passage) -> bool:
        """True if the sentence is an item in a list of rights: such items state limits and seldom promises."""
        return bool(passage.own and "right" in passage.words[: passage.own] and passage.block.kind == "list_item")

    def _says(self, kind: ClauseKind, name: str, sentence: Sentence) -> str:
        return self._why(name, sentence) or self._facts.get(kind, {}).get(sentence.id, "")

    def _why(self, name: str, sentence: Sentence) -> str:
        words = self._spoken.why(name, sentence)
        return f"{name}: {words}" if words else ""


_ADVISES = ("do not ", "dont ", "remember ", "make sure ", "beware ")


def _is_advice(passage: Passage) -> bool:
    """True if the sentence only tells the reader what to do and says nothing of what the company does."""
    return not passage.own and passage.words.startswith(_ADVISES) and " we " not in passage.words
