"""The policy in the form in which quotes are searched.

A quote must be complete: a sentence, a list item, a table row, or consecutive sentences of one of these. A partial
quote is rejected, because the rest of the sentence could change its meaning.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from troth.policy.text import Block, PolicyText, Sentence
from troth.text import same_words

ROW = " | "
"""Separates the cells of a row in a quote."""

_MARKS = " .,;:!\"'()[]|-"
"""Characters that may be missing at either end of a quote. Question marks and asterisks are not among them, because
they carry meaning."""
_REST = re.compile(r"[ .,;:!\"'()\[\]|-]*(?:(?<=[;,] )(?:and|or))?")
"""What may follow a quote: punctuation, and the conjunction before the next list item."""
_LEAD_MAX = 400
"""Longest lead-in of a list, because it is stored with each item."""
_SENTENCE_ENDS = (".", "!", "?")
_FIRST = re.compile(r"\w*")


@dataclass(frozen=True, slots=True)
class _Stand:
    """Position of the *number*-th sentence: from *start* to *end* (exclusive), its own words from *own* (after the
    lead-in of a list item), in line *line* (a paragraph, item or row) and block *block*."""

    number: int
    sentence: Sentence
    start: int
    own: int
    end: int
    line: int
    block: int


class QuotableText:
    """The policy as one text, with one line per paragraph, list item (including its lead-in) or table row."""

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
        """The sentences of each place that the quote (normalised by `same_words`) covers completely."""
        bare = quote.strip(_MARKS)
        ends = [
            (at, at + len(bare))
            for at in (self._begins.get(_word_at(bare, 0), ()) if bare else ())
            if self._text.startswith(bare, at)
        ]
        found = [self._between(start, end) for start, end in ends]
        return list(dict.fromkeys(tuple(it.sentence for it in stands) for stands in found if stands))

    def around(self, quote: str) -> Sentence | None:
        """The first sentence touched by the quote's first occurrence; None if it does not occur."""
        at = self._text.find(quote.strip(_MARKS) or "\0")
        return self._at(at).sentence if at >= 0 else None

    def whole_of(self, quote: str) -> str:
        """The complete text to quote at the quote's first occurrence; empty if it does not occur."""
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
        """The sentences in that range if it is complete: only punctuation is left over, and no cell of a row is
        missing."""
        first, last = self._at(start), self._at(end - 1)
        if first.line != last.line or not _REST.fullmatch(self._text, end, last.end):
            return []
        is_part = self._is_row(first) and self._lines[first.line] != (first, last)
        if is_part and not (first.block == last.block and self._is_sentence(last)):
            return []
        return self._stands[first.number : last.number + 1]

    def _is_row(self, stand: _Stand) -> bool:
        """True if its line is a row of several cells."""
        first, last = self._lines[stand.line]
        return first.block != last.block

    def _is_sentence(self, stand: _Stand) -> bool:
        """True if it ends like a sentence. Without that, a cell such as “13 months” has a meaning only within its
        row."""
        return self._text[stand.own : stand.end].rstrip("\"')]").endswith(_SENTENCE_ENDS)

    def _at(self, character: int) -> _Stand:
        return self._stands[bisect.bisect_right(self._starts, character) - 1]

    def _first_word(self, at: int) -> int:
        """The first character at or after *at* that is not punctuation."""
        while at < len(self._text) and self._text[at] in _MARKS:
            at += 1
        return at


def leads_of(policy: PolicyText) -> Mapping[int, Sentence]:
    """The lead-in of each list item by block number: the last sentence of the paragraph before the list."""
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
    """The position of each sentence; its words and the separators are appended to *parts*."""
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
    """The separator after a block: a newline, or a bar between cells of a row."""
    if block.cell is None or following is None or following.cell is None:
        return "\n"
    return ROW if (block.cell.table, block.cell.row) == (following.cell.table, following.cell.row) else "\n"


def _word_at(text: str, at: int) -> str:
    found = _FIRST.match(text, at)
    return found[0] if found else ""
