"""Which rows of ``proposals.toml`` each sentence speaks of (``lexicon/proofs.toml``).

What stands in an exception only (“except where a breach is investigated”) is not what is promised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from troth.policy.lexicon import Concept, Passage, concepts, mentions
from troth.policy.phrases import plain
from troth.policy.text import PolicyText

Aside = Literal["", "counts", "ignored"]
"""What stands aside of a promise: an exception does not decide what it is about; or it does; or neither an exception
nor a condition does."""

Heard = Mapping[str, frozenset[str]]
"""For each row the sentences that speak of its concept."""

_EXCEPT = re.compile(
    r"(?<!nothing )(?<!nobody )(?<!none )\b"
    r"(?:unless|except(?! what| those)|(?:other than|apart from|save) (?:where|when|if|for))\b"
)
_IF = re.compile(rf"{_EXCEPT.pattern}|\b(?:if|in case|provided that)\b")
_ON = re.compile(r"\b(?:and|but|then) (?:we|it|they|you|nobody|no)\b")
"""Where a sentence goes on behind an exception."""
_LETTER = re.compile("[a-z]")


def hear(policy: PolicyText, rows: Mapping[str, Aside]) -> Heard:
    """The sentences that speak of each of *rows*."""
    spoken = mentions(policy)
    return {
        row: frozenset(
            passage.sentence.id
            for passage in spoken.of(f"proof.{row}")
            if aside == "counts" or _is_main(passage, concepts()[f"proof.{row}"], _IF if aside else _EXCEPT)
        )
        for row, aside in rows.items()
    }


def _is_main(passage: Passage, concept: Concept, begins: re.Pattern[str]) -> bool:
    """Whether a phrase of the concept reaches out of what stands aside."""
    aside = list(_aside(passage, begins))
    return not aside or any(
        end > passage.own and not any(first <= start and end <= last for first, last in aside)
        for phrase in (*concept.any, *concept.weak)
        for start, end in phrase.places_in(passage.words)
    )


def _aside(passage: Passage, begins: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """The exceptions and conditions of the sentence, each from its first character to before its last. One that leads
    the sentence ends at its first comma."""
    for found in begins.finditer(passage.words, passage.own):
        head, comma, _ = passage.sentence.text.partition(",")
        if comma and not _LETTER.search(passage.words, passage.own, found.start()):
            yield found.start(), passage.own + len(plain(head))
        else:
            later = _ON.search(passage.words, found.end())
            yield found.start(), later.start() if later else len(passage.words)
