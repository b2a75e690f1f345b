"""The policy as safe HTML, with an anchor at every sentence."""

from __future__ import annotations

from html import escape

import nh3

from troth.policy.text import Block, PolicyText, Sentence

__all__ = ["render_plain"]

_DEPTH_MAX = 6
_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "span", "a"}
_ATTRIBUTES = {"span": {"id"}, "a": {"href"}}
_SCHEMES = {"http", "https", "mailto", "tel"}


def render_plain(policy: PolicyText) -> str:
    """The policy's headings, paragraphs, lists and links, and nothing else, whatever the source held.

    Every sentence is a ``span`` whose id is the sentence's. Links lead to web pages, mail and telephones only.
    """
    parts: list[str] = []
    open_lists: list[str] = []
    for block in policy.blocks:
        depth = min(block.depth, _DEPTH_MAX) if block.kind == "list_item" else 0
        tag = "ol" if block.ordered else "ul"
        while len(open_lists) > depth or (len(open_lists) == depth > 0 and open_lists[-1] != tag):
            parts.append(f"</{open_lists.pop()}>")
        while len(open_lists) < depth:
            open_lists.append(tag)
            parts.append(f"<{tag}>")
        parts.append(_block(block))
    parts.extend(f"</{tag}>" for tag in reversed(open_lists))
    return nh3.clean(
        "".join(parts), tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener noreferrer"
    )


def _block(block: Block) -> str:
    tag = {"heading": f"h{block.depth}", "paragraph": "p", "list_item": "li"}[block.kind]
    return f"<{tag}>{' '.join(map(_sentence, block.sentences))}</{tag}>\n"


def _sentence(sentence: Sentence) -> str:
    parts, at = [], 0
    for link in sentence.links:
        if link.start >= at:
            parts.append(escape(sentence.text[at : link.start]))
            parts.append(f'<a href="{escape(link.href)}">{escape(sentence.text[link.start : link.end])}</a>')
            at = link.end
    return f'<span id="{sentence.id}">{"".join(parts)}{escape(sentence.text[at:])}</span>'
