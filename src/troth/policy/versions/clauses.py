"""A policy cut into what is compared: sentences, items with the words that lead to them, and whole rows of tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from troth.policy.clauses.quantities import places_in
from troth.policy.text import Block, PolicyText
from troth.wording import same_words

__all__ = ["Clause", "clauses_of"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that the policy says. *lead* are the words that lead to an item of a list; *first* is the first cell of
    a row, which names it."""

    id: str
    text: str
    section: str
    line: int
    lead: str = ""
    first: str = ""

    @property
    def key(self) -> str:
        """Equal for clauses that a reader would call the same."""
        return same_words(f"{self.lead} {self.text}").casefold()

    @property
    def whole(self) -> str:
        """The clause with the words that lead to it, in plain form."""
        return same_words(f"{self.lead.rstrip(':')} {self.text}")

    @property
    def words(self) -> frozenset[str]:
        """The words of the clause, without regard to their endings. All numbers with a unit are one word: a clause
        whose number changed is still that clause."""
        text = same_words(self.text).casefold()
        for start, end, _ in reversed(list(places_in(text))):
            text = f"{text[:start]}#{text[end:]}"
        return frozenset(map(_stem, re.findall(r"[^\W_]+|#", text)))


def clauses_of(policy: PolicyText) -> tuple[Clause, ...]:
    """The clauses of a policy, in order. Headings say where a clause stands, and are none."""
    return tuple(clause for section in policy.sections for clause in _of_section(section.title, section.blocks))


def _of_section(title: str, blocks: tuple[Block, ...]) -> Iterator[Clause]:
    lead = ""
    for (is_cell, _), group in groupby(blocks, key=_row):
        if is_cell:
            yield from _of_row(title, list(group))
            continue
        for block in group:
            if block.kind != "list_item":
                lead = ""
            for sentence in block.sentences:
                yield Clause(sentence.id, sentence.text, title, sentence.span.line, lead)
                if block.kind != "list_item":
                    lead = sentence.text if sentence.text.endswith(":") else ""


def _of_row(title: str, cells: list[Block]) -> Iterator[Clause]:
    """One clause for a row; a row of heads says nothing."""
    if all(block.cell is not None and block.cell.is_head for block in cells) and len(cells) > 1:
        return
    texts = [block.text for block in cells]
    start = cells[0].sentences[0]
    yield Clause(start.id, "; ".join(texts), title, start.span.line, "", texts[0])


def _row(block: Block) -> tuple[bool, tuple[int, int] | None]:
    cell = block.cell
    return cell is not None, (cell.table, cell.row) if cell else None


def _stem(word: str) -> str:
    """*word* without an ending of English grammar."""
    for ending in ("ing", "ied", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
