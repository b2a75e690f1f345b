"""Splits a policy into the units of comparison: sentences, list items with their lead-in, table rows, and the heads
above them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from troth.policy.classify.quantities import places_in
from troth.policy.text import Block, PolicyText
from troth.text import same_words

_GRAMMAR = frozenset({"a", "an", "the", "is", "are", "be", "do", "does", "will"})
"""Words that may be added or removed without changing the meaning."""


@dataclass(frozen=True, slots=True)
class ComparedClause:
    """A unit of comparison. *lead* is the lead-in of a list item; *first* is the first cell of a row, which identifies
    it."""

    id: str
    text: str
    section: str
    line: int
    lead: str = ""
    first: str = ""
    is_head: bool = False
    """True for headings and heads of tables: they say what the clauses below are about."""
    joined_from: tuple[ComparedClause, ...] = ()
    """The sentences or items that it was joined from; empty if it is a single one."""

    @property
    def sentences(self) -> tuple[ComparedClause, ...]:
        """The clauses that it was joined from, or the clause itself."""
        return self.joined_from or (self,)

    @property
    def key(self) -> str:
        """Equal for clauses that a reader would consider identical."""
        return same_words(f"{self.lead} {self.text}").casefold()

    @property
    def whole(self) -> str:
        """The clause with its lead-in, normalised."""
        return same_words(f"{self.lead.rstrip(':')} {self.text}")

    @property
    def words(self) -> frozenset[str]:
        """The stems of the clause's words. All numbers with a unit are one word, so that a clause with a changed number
        is still the same clause."""
        text = same_words(self.text).casefold()
        for start, end, _ in reversed(list(places_in(text))):
            text = f"{text[:start]}#{text[end:]}"
        return frozenset(map(stem, re.findall(r"[^\W_]+|#", text)))


def clauses_of(policy: PolicyText) -> tuple[ComparedClause, ...]:
    """The clauses of a policy, in order, without heads."""
    return tuple(clause for clause in _all(policy) if not clause.is_head)


def heads_of(policy: PolicyText) -> tuple[ComparedClause, ...]:
    """The headings of a policy and the heads of its tables, in order."""
    titles = [sentence for block in policy.blocks if block.kind == "heading" for sentence in block.sentences]
    heads = [ComparedClause(title.id, title.text, "", title.span.line, is_head=True) for title in titles]
    heads += [replace(clause, section="") for clause in _all(policy) if clause.is_head]
    return tuple(sorted(heads, key=lambda head: head.line))


def joined(clauses: Sequence[ComparedClause]) -> ComparedClause:
    """Consecutive clauses joined into one that keeps references to them."""
    if len(clauses) == 1:
        return clauses[0]
    text = clauses[0].text
    for clause in clauses[1:]:
        text += f"{' ' if text.endswith(('.', '!', '?', ':', ';', ',')) else ', '}{clause.text}"
    return replace(clauses[0], text=text, joined_from=tuple(clauses))


def told_by(text: str) -> tuple[str, ...]:
    """The words of *text* in order, without purely grammatical ones and with normalised quantities. Texts for which
    this is equal say the same."""
    plain = same_words(text).casefold()
    for start, end, quantity in reversed(list(places_in(plain))):
        plain = f"{plain[:start]}{quantity.number:g}{quantity.unit.replace(' ', '')}{plain[end:]}"
    return tuple(word for word in re.findall(r"[^\W_]+|[%€$£]", plain) if word not in _GRAMMAR)


def _all(policy: PolicyText) -> Iterator[ComparedClause]:
    return (clause for section in policy.sections for clause in _of_section(section.title, section.blocks))


def _of_section(title: str, blocks: tuple[Block, ...]) -> Iterator[ComparedClause]:
    lead = ""
    for (is_cell, _), group in groupby(blocks, key=_row):
        if is_cell:
            yield from _of_row(title, list(group))
            continue
        for block in group:
            if block.kind != "list_item":
                lead = ""
            for sentence in block.sentences:
                yield ComparedClause(sentence.id, sentence.text, title, sentence.span.line, lead)
                if block.kind != "list_item":
                    lead = sentence.text if sentence.text.endswith(":") else ""


def _of_row(title: str, cells: list[Block]) -> Iterator[ComparedClause]:
    """A clause or a head for a row."""
    is_head = all(block.cell is not None and block.cell.is_head for block in cells) and len(cells) > 1
    texts = [block.text for block in cells]
    start = cells[0].sentences[0]
    yield ComparedClause(start.id, "; ".join(texts), title, start.span.line, "", texts[0], is_head)


def _row(block: Block) -> tuple[bool, tuple[int, int] | None]:
    cell = block.cell
    return cell is not None, (cell.table, cell.row) if cell else None


def stem(word: str) -> str:
    """*word* without its English inflectional ending."""
    for ending in ("ing", "ied", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
