"""The policy in the form that quotes are searched in.

What can be quoted is whole: a sentence, an item of a list, the row of a table, or sentences that follow each other in
one of them. Of a part nobody would know whether the rest still means the same.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from troth.policy.text import Block, PolicyText, Sentence
from troth.text import same_words

ROW = " | "
"""Stands between the cells of a row, in a quote."""

_MARKS = " .,;:!\"'()[]|-"
"""Signs without which words at either end of a quote are still the whole. A question mark and a star are none: they say
something."""
_REST = re.compile(r"[ .,;:!\"'()\[\]|-]*(?:(?<=[;,] )(?:and|or))?")
"""What may follow a quote: marks, and the word that leads to the next item of a list."""
_LEAD_MAX = 400
"""What leads into a list is no longer, as it is kept with each of its items."""
_SENTENCE_ENDS = (".", "!", "?")
_FIRST = re.compile(r"\w*")


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where the *number*-th sentence stands: characters *start* to before *end*, its own words from *own* (what leads
    into an item stands before them), in the *line*-th paragraph, item or row and in the *block*-th block."""

    number: int
    sentence: Sentence
    start: int
    own: int
    end: int
    line: int
    block: int


class QuotableText:
    """The policy as one text: a paragraph, an item with what leads into it, or a row of a table a line."""

    def __init__(self, policy: PolicyText) -> None:
        self.sentences = policy.sentences
        parts: list[str] = []
        self._stands = list(_stands(policy, parts))
        self._text = "".join(parts)
        self._starts = [stand.start for stand in self._stands]
        self._lines: dict[int, tuple[_Stand, _Stand]] = {}
        self._begins: dict[str, list[int]] = {}
        for stand in self._stands:
            self._lines[stand.line] = (self._lines.get(stand.line, (stand, stand))[0], stand)
            for at in sorted({self._first_word(stand.start), self._first_word(stand.own)}):
                self._begins.setdefault(_word_at(self._text, at), []).append(at)

    def whole(self, quote: str) -> list[tuple[Sentence, ...]]:
        """The sentences of each place where the quote (as `same_words` makes it) is the whole of what stands there."""
        bare = quote.strip(_MARKS)
        ends = [
            (at, at + len(bare))
            for at in (self._begins.get(_word_at(bare, 0), ()) if bare else ())
            if self._text.startswith(bare, at)
        ]
        found = [self._between(start, end) for start, end in ends]
        return list(dict.fromkeys(tuple(it.sentence for it in stands) for stands in found if stands))

    def around(self, quote: str) -> Sentence | None:
        """The first sentence that the quote touches where its words stand first; None where they do not."""
        at = self._text.find(quote.strip(_MARKS) or "\0")
        return self._at(at).sentence if at >= 0 else None

    def whole_of(self, quote: str) -> str:
        """The words that would have to be quoted where those of the quote stand first; empty where they do not."""
        bare = quote.strip(_MARKS) or "\0"
        at = self._text.find(bare)
        if at < 0:
            return ""
        first, last = self._at(at), self._at(at + len(bare) - 1)
        if self._is_row(first) and not (first.block == last.block and self._is_sentence(last)):
            begin, end = self._lines[first.line]
            return self._text[begin.start : end.end]
        return self._text[first.own if at >= first.own else first.start : last.end]

    def _between(self, start: int, end: int) -> list[_Stand]:
        """What stands there, where it is a whole: nothing but marks is left of it, and of a row no cell."""
        first, last = self._at(start), self._at(end - 1)
        if first.line != last.line or not _REST.fullmatch(self._text, end, last.end):
            return []
        is_part = self._is_row(first) and self._lines[first.line] != (first, last)
        if is_part and not (first.block == last.block and self._is_sentence(last)):
            return []
        return self._stands[first.number : last.number + 1]

    def _is_row(self, stand: _Stand) -> bool:
        """Whether its line is a row of several cells."""
        first, last = self._lines[stand.line]
        return first.block != last.block

    def _is_sentence(self, stand: _Stand) -> bool:
        """Whether it ends as sentences do. A cell without that end, “13 months”, says something in its row only."""
        return self._text[stand.own : stand.end].rstrip("\"')]").endswith(_SENTENCE_ENDS)

    def _at(self, character: int) -> _Stand:
        return self._stands[bisect.bisect_right(self._starts, character) - 1]

    def _first_word(self, at: int) -> int:
        """The first character from there on that is no mark."""
        while at < len(self._text) and self._text[at] in _MARKS:
            at += 1
        return at


def leads_of(policy: PolicyText) -> Mapping[int, Sentence]:
    """What leads into each item of a list: the last sentence of the paragraph before it, by the block's number."""
    found: dict[int, Sentence] = {}
    lead: Sentence | None = None
    for number, block in enumerate(policy.blocks):
        if block.kind == "list_item" and lead is not None:
            found[number] = lead
        elif block.kind != "list_item" and block.cell is None:
            last = block.sentences[-1] if block.kind == "paragraph" and block.sentences else None
            lead = last if last is not None and _leads(last.text) else None
    return found


def _leads(text: str) -> bool:
    return len(text) <= _LEAD_MAX and text.rstrip().endswith((":", ",", "-", "–", "—"))


def _stands(policy: PolicyText, parts: list[str]) -> Iterator[_Stand]:
    """Where each sentence stands; its words, with what is between them, are added to *parts*."""
    leads = leads_of(policy)
    at = line = stands = 0
    for number, (block, following) in enumerate(zip(policy.blocks, (*policy.blocks[1:], None), strict=True)):
        for place, sentence in enumerate(block.sentences):
            lead = f"{same_words(leads[number].text)} " if number in leads and place == 0 else ""
            words = same_words(sentence.text)
            is_last = place == len(block.sentences) - 1
            parts.append(lead + words + (_behind(block, following) if is_last else " "))
            own = at + len(lead)
            yield _Stand(stands, sentence, at, own, own + len(words), line, number)
            stands += 1
            at += len(parts[-1])
            line += parts[-1].endswith("\n")


def _behind(block: Block, following: Block | None) -> str:
    """What stands behind a block: the end of its line, but a bar within a row of a table."""
    if block.cell is None or following is None or following.cell is None:
        return "\n"
    return ROW if (block.cell.table, block.cell.row) == (following.cell.table, following.cell.row) else "\n"


def _word_at(text: str, at: int) -> str:
    found = _FIRST.match(text, at)
    return found[0] if found else ""
