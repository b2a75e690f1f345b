"""The policy as safe HTML, with an anchor at every sentence."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from html import escape

import nh3

from troth.policy.text import Block, PolicyText, Sentence

_DEPTH_MAX = 6
_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "table", "tr", "th", "td", "span", "a"}
_ATTRIBUTES = {"span": {"id"}, "a": {"href"}}
_SCHEMES = {"http", "https", "mailto", "tel"}


def render_plain(policy: PolicyText) -> str:
    """The policy's headings, paragraphs, lists, tables and links, and nothing else, whatever the source held.

    Every sentence is a ``span`` whose id is the sentence's. Links lead to web pages, mail and telephones only.
    """
    parts: list[str] = []
    for (kind, table), group in itertools.groupby(policy.blocks, key=lambda block: (block.kind, _table(block))):
        blocks = list(group)
        if table >= 0:
            parts += _rows(blocks)
        elif kind == "list_item":
            parts += _lists(blocks)
        else:
            parts += map(_block, blocks)
    return nh3.clean(
        "".join(parts), tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener noreferrer"
    )


def _table(block: Block) -> int:
    return block.cell.table if block.cell else -1


def _rows(cells: list[Block]) -> Iterator[str]:
    yield "<table>"
    for _, row in itertools.groupby(cells, key=lambda block: block.cell and block.cell.row):
        yield "<tr>"
        for _, cell in itertools.groupby(row, key=lambda block: block.cell):
            blocks = list(cell)
            tag = "th" if blocks[0].cell and blocks[0].cell.is_head else "td"
            yield f"<{tag}>{''.join(map(_words, blocks)) if len(blocks) == 1 else ''.join(map(_block, blocks))}</{tag}>"
        yield "</tr>\n"
    yield "</table>\n"


def _lists(items: list[Block]) -> Iterator[str]:
    opened: list[str] = []
    for item in items:
        depth, tag = min(item.depth, _DEPTH_MAX), "ol" if item.ordered else "ul"
        while len(opened) > depth or (len(opened) == depth and opened[-1] != tag):
            yield f"</{opened.pop()}>"
        while len(opened) < depth:
            opened.append(tag)
            yield f"<{tag}>"
        yield _block(item)
    yield from (f"</{tag}>" for tag in reversed(opened))


def _block(block: Block) -> str:
    tag = {"heading": f"h{block.depth}", "paragraph": "p", "list_item": "li"}[block.kind]
    return f"<{tag}>{_words(block)}</{tag}>\n"


def _words(block: Block) -> str:
    return " ".join(map(_sentence, block.sentences))


def _sentence(sentence: Sentence) -> str:
    parts, at = [], 0
    for link in sentence.links:
        if link.start >= at:
            parts.append(escape(sentence.text[at : link.start]))
            parts.append(f'<a href="{escape(link.href)}">{escape(sentence.text[link.start : link.end])}</a>')
            at = link.end
    return f'<span id="{sentence.id}">{"".join(parts)}{escape(sentence.text[at:])}</span>'
