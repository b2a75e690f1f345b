"""Which rows of ``proposals.toml`` each sentence matches (``lexicon/proofs.toml``).

Matches within an exception (“except where a breach is investigated”) are not what is promised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from troth.policy.lexicon import Concept, Passage, concepts, mentions
from troth.policy.phrases import plain
from troth.policy.text import PolicyText

Aside = Literal["", "counts", "ignored"]
"""How a row treats exceptions and conditions: ``""`` ignores matches in exceptions, ``counts`` includes them, and
``ignored`` also ignores matches in conditions."""

Heard = Mapping[str, frozenset[str]]
"""For each row, the ids of the sentences that mention its concept."""

_EXCEPT = re.compile(
    r"(?<!nothing )(?<!nobody )(?<!none )\b"
    r"(?:unless|except(?! what| those)|(?:other than|apart from|save) (?:where|when|if|for))\b"
)
_IF = re.compile(rf"{_EXCEPT.pattern}|\b(?:if|in case|provided that)\b")
_ON = re.compile(r"\b(?:and|but|then) (?:we|it|they|you|nobody|no)\b")
"""Where the main clause resumes after an exception."""
_LETTER = re.compile("[a-z]")


def hear(policy: PolicyText, rows: Mapping[str, Aside]) -> Heard:
    """The sentences that mention the concept of each of *rows*."""
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
    """True if a match of the concept extends beyond exceptions and conditions."""
    aside = list(_aside(passage, begins))
    return not aside or any(
        end > passage.own and not any(first <= start and end <= last for first, last in aside)
        for phrase in (*concept.any, *concept.weak)
        for start, end in phrase.places_in(passage.words)
    )


def _aside(passage: Passage, begins: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Start and end (exclusive) of the sentence's exceptions and conditions. One at the start of the sentence ends at
    the first comma."""
    for found in begins.finditer(passage.words, passage.own):
        head, comma, _ = passage.sentence.text.partition(",")
        if comma and not _LETTER.search(passage.words, passage.own, found.start()):
            yield found.start(), passage.own + len(plain(head))
        else:
            later = _ON.search(passage.words, found.end())
            yield found.start(), later.start() if later else len(passage.words)
