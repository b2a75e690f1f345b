"""From a policy that was read to what it says."""

from __future__ import annotations

import re
from dataclasses import replace

from troth.policy.categories import categories_in
from troth.policy.clauses.model import Clause, ClauseKind, Understood
from troth.policy.clauses.parts import parts_of
from troth.policy.clauses.practices import paragraphs_of
from troth.policy.clauses.quantities import quantities_in
from troth.policy.lexicon import Mentions, Passage, mentions
from troth.policy.stated import contacts, definitions
from troth.policy.text import Language, PolicyText, Sentence
from troth.wording import same_words

__all__ = ["promises_in", "understand"]

_CHARACTERS_MAX = 2_000
"""What is read of one sentence; real sentences are shorter."""


def understand(policy: PolicyText) -> Understood:
    """What each sentence does and each paragraph is about. The same text gives the same answer."""
    spoken = mentions(policy)
    says = _Says(spoken)
    clauses = _inheriting(spoken, [says.clause(passage) for passage in spoken.passages])
    return Understood(policy, _without_mere_leads(spoken, clauses), tuple(paragraphs_of(spoken)))


def promises_in(policy: PolicyText) -> list[Clause]:
    """The clauses that commit the company, in order; of headings those that are whole sentences (“We never sell it”).

    Phrases see words, not meaning: expect a few too many, and read the rest yourself.
    """
    return list(understand(policy).promises)


_WHOLE = re.compile(
    r"(?:[\d.()]{1,8} )?(?:we|you|nobody|no one|our [a-z]+ (?:never|do|does|will|are|is))\b(?: [^ ]+){2}", re.I
)
"""A heading that says something: somebody, and what they do. “What we collect” and “Our security” only name it."""

_OF_RIGHTS = ("promise.will", "promise.never", "promise.tells", "promise.you_can")
"""What a right in a list may promise besides: "to have it erased, and we will tell the recipients"."""


class _Says:
    """What the phrases of the lexicon find in a sentence."""

    def __init__(self, spoken: Mentions) -> None:
        self._spoken = spoken
        self._promises = spoken.names("promise.")
        self._facts = {
            ClauseKind.CONTACT: {one.sentence.id: f"contact: {one.kind}" for one in contacts(spoken.policy)},
            ClauseKind.DEFINITION: {one.sentence.id: "definition" for one in definitions(spoken.policy)},
        }
        self._kinds = {kind: f"says.{kind}" for kind in ClauseKind if spoken.knows(f"says.{kind}")}

    def clause(self, passage: Passage) -> Clause:
        sentence, words = passage.sentence, same_words(passage.sentence.text[:_CHARACTERS_MAX])
        if passage.block.kind == "heading":
            return self._heading(passage, words)
        if passage.block.language is Language.OTHER:
            return Clause(sentence, ())
        lead = passage.words[: passage.own].strip()
        kinds = {kind: said for kind, name in self._kinds.items() if (said := self._says(kind, name, sentence))}
        commits = self._commits(passage, words)
        return Clause(
            sentence,
            (*([ClauseKind.PROMISE] if commits else []), *kinds),
            parts_of(words, lead) if commits else None,
            lead,
            categories_in(words),
            quantities_in(words),
            tuple(dict.fromkeys([*commits, *kinds.values()])),
        )

    def _heading(self, passage: Passage, words: str) -> Clause:
        commits = self._commits(passage, words) if _WHOLE.match(words) else []
        if not commits:
            return Clause(passage.sentence, (ClauseKind.HEADING,))
        kinds, told = (ClauseKind.PROMISE, ClauseKind.HEADING), (categories_in(words), quantities_in(words))
        return Clause(passage.sentence, kinds, parts_of(words), "", *told, tuple(dict.fromkeys(commits)))

    def _commits(self, passage: Passage, words: str) -> list[str]:
        """By which concepts, and which words, the sentence commits the company."""
        if words.endswith("?") or (passage.block.cell is not None and passage.block.cell.is_head):
            return []
        if _is_advice(passage) or self._spoken.why("promise.not", passage.sentence):
            return []
        names = _OF_RIGHTS if self._is_right_in_list(passage) else self._promises
        found = [self._why(name, passage.sentence) for name in names if name != "promise.not"]
        return [said for said in found if said]

    def _is_right_in_list(self, passage: Passage) -> bool:
        """Whether the sentence is one of the rights that a list names: it tells its limits, and promises seldom."""
        return bool(passage.own and "right" in passage.words[: passage.own] and passage.block.kind == "list_item")

    def _says(self, kind: ClauseKind, name: str, sentence: Sentence) -> str:
        return self._why(name, sentence) or self._facts.get(kind, {}).get(sentence.id, "")

    def _why(self, name: str, sentence: Sentence) -> str:
        words = self._spoken.why(name, sentence)
        return f"{name}: {words}" if words else ""


_ADVISES = ("do not ", "dont ", "remember ", "make sure ", "beware ")


def _is_advice(passage: Passage) -> bool:
    """Whether the sentence tells the reader what to do, and nothing of what the company does."""
    return not passage.own and passage.words.startswith(_ADVISES) and " we " not in passage.words


_HANDED_DOWN = frozenset({ClauseKind.RIGHT, ClauseKind.COLLECTION, ClauseKind.PURPOSE, ClauseKind.RECIPIENT})


def _inheriting(spoken: Mentions, clauses: list[Clause]) -> list[Clause]:
    """*clauses* with items that do by themselves nothing of what their list does: they do what leads into it says."""
    handed: tuple[ClauseKind, ...] = ()
    kept = []
    for passage, clause in zip(spoken.passages, clauses, strict=True):
        if passage.block.kind != "list_item":
            handed = tuple(kind for kind in clause.kinds if kind in _HANDED_DOWN)
        elif passage.own and handed and not _HANDED_DOWN & set(clause.kinds):
            kept.append(replace(clause, kinds=(*clause.kinds, *handed)))
            continue
        kept.append(clause)
    return kept


def _without_mere_leads(spoken: Mentions, clauses: list[Clause]) -> tuple[Clause, ...]:
    """*clauses* where "We will:" promises nothing by itself, as what it leads into does."""
    kept = list(clauses)
    for place, (passage, following) in enumerate(zip(spoken.passages, spoken.passages[1:], strict=False)):
        leads = passage.sentence.text.rstrip().endswith(":") and following.own and following.block.kind == "list_item"
        if leads and clauses[place].promise is not None and clauses[place + 1].promise is not None:
            kinds = tuple(kind for kind in clauses[place].kinds if kind is not ClauseKind.PROMISE)
            kept[place] = replace(clauses[place], kinds=kinds, promise=None)
    return tuple(kept)
