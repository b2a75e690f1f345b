"""Detects unfinished sentences: lead-ins without content, text that breaks off, unfilled placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.policy.lint.prose import any_word
from troth.policy.text import Block, PolicyText, Sentence

_BREAKS_OFF = re.compile(
    r"(?:\b(?:the|a|an|of|to|and|or|with|for|by|from|in|on|at|our|your|their|that|which|who|because|if|when|as|is|are|"
    r"will|may|such as|including)|,)$",
    re.I,
)
_GAP = re.compile(
    r"\[(?!\d|x\]|https?:|www\.)(?:[A-Z][A-Z0-9 _/&.,:'’–-]{2,80}|[A-Z]{2,20} [A-Z]{2,20} [^\[\]]{1,100}"
    r"|(?:insert|enter|your|add|company|date|name|address|e-?mail(?!\s*protected)|tbd|tbc|todo|to be|check|link)\b"
    r"[^\]]{0,80}"
    r"|[^\[\]]{3,80}\bto (?:confirm|complete|follow|add|list|check|insert)|[.…_ ]{2,20})\]"
    r"|\[[●•■]\]|\b(?:TBD|TBC|TODO|(?<!\d{4} )XX+|lorem ipsum)\b|_{4,40}"
    r"|<(?:insert|company|your|name|date)\b[^>]{0,60}>|\{\{?[^{}]{1,60}\}\}?"
)
_LEADS = (":", ":-", ":–", ":—")
_WORDS_MIN = 4
"""A shorter line that ends in a preposition is a label (“Log in”), not a sentence."""


def empty_leads(policy: PolicyText) -> Iterator[Sentence]:
    """Lead-ins ending in a colon that are followed by nothing, by the next item, or by a heading that is not below
    their own section: “For questions:” may introduce a box with a title."""
    following = [*policy.blocks[1:], None]
    depth = 0
    for block, after in zip(policy.blocks, following, strict=False):
        depth = block.depth if block.kind == "heading" else depth
        if block.kind == "heading" or block.cell is not None or not block.text.rstrip().endswith(_LEADS):
            continue
        is_over = after is None or (after.kind == "heading" and not 0 < depth < after.depth)
        if after is None or is_over or _is_next_item(block, after) or _is_section(after):
            yield block.sentences[-1]


def has_gap(sentence: Sentence) -> bool:
    """True if it contains an unfilled placeholder."""
    return _GAP.search(sentence.text) is not None


_SECTION = any_word("unfinished.section", re.I, before=r"(?:data )?", after="")


def _is_section(after: Block) -> bool:
    """True if it is the title of the next section, in a text without marked headings."""
    return after.kind == "paragraph" and after.cell is None and _SECTION.fullmatch(after.text.strip()) is not None


def _is_next_item(block: Block, after: Block) -> bool:
    """True if *block* is an item with a colon and the next block is an item on the same level, not below it."""
    return block.kind == "list_item" == after.kind and after.depth <= block.depth and len(block.text.split()) > 3


def unfinished(policy: PolicyText) -> Iterator[tuple[Sentence, str]]:
    """All unfinished sentences in order, each with the words that show it."""
    empty = {sentence.id for sentence in empty_leads(policy)}
    for block, after in zip(policy.blocks, [*policy.blocks[1:], None], strict=False):
        for sentence in block.sentences:
            if sentence.id in empty:
                yield sentence, sentence.text
            elif gap := _GAP.search(sentence.text):
                yield sentence, gap[0]
        goes_on = after is not None and after.kind == "list_item"
        if block.kind == "paragraph" and block.cell is None and not goes_on and _breaks_off(block.sentences[-1].text):
            yield block.sentences[-1], block.sentences[-1].text


def _breaks_off(text: str) -> bool:
    return len(text.split()) >= _WORDS_MIN and _BREAKS_OFF.search(text.rstrip()) is not None
