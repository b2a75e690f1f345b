"""A document as Markdown or HTML: a fragment to embed, or a complete page."""

from __future__ import annotations

from functools import cache
from html import escape

from markdown_it import MarkdownIt

from troth.policy.render.document import Block, NoticeDocument, NoticeParagraph, NoticeTable
from troth.policy.render.words import plain

_STYLE = (
    ":root{color-scheme:light dark;background:Canvas;color:CanvasText}"
    "body{max-width:46rem;margin:0 auto;padding:1rem;font:1rem/1.6 system-ui,sans-serif}"
    ".table{overflow-x:auto}table{border-collapse:collapse;min-width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;border-bottom:1px solid}"
    "@media print{body{max-width:none}.table{overflow:visible}}"
)
"""The minimum for a page that is readable at any width; sites have their own style."""


def to_markdown(document: NoticeDocument) -> str:
    """The document as Markdown, in the form of ``policy.md``."""
    parts = [f"# {document.title}"] if document.title else []
    parts += map(_markdown, document.lead)
    for section in document.sections:
        parts += [f"## {section.title}", *map(_markdown, section.blocks)]
    return "\n\n".join(parts) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, NoticeParagraph):
        return "\n".join(block.sentences)
    rows = [block.heads, ("---",) * len(block.heads), *(tuple(map(plain, row)) for row in block.rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def to_html(document: NoticeDocument) -> str:
    """The document as an HTML fragment, with an anchor for every section."""
    parts = [f"<h1>{escape(document.title)}</h1>"] if document.title else []
    parts += map(_html, document.lead)
    for section in document.sections:
        parts.append(f'<section aria-labelledby="{section.anchor}">')
        parts += [f'<h2 id="{section.anchor}">{escape(section.title)}</h2>', *map(_html, section.blocks), "</section>"]
    return "\n".join(parts) + "\n"


def to_page(document: NoticeDocument) -> str:
    """The document as a complete page."""
    return (
        f'<!doctype html>\n<html lang="{document.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{to_html(document)}</main>\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    if isinstance(block, NoticeParagraph):
        return f"<p>{' '.join(map(_inline, block.sentences))}</p>"
    named = escape(f"{block.heads[0]}, …", quote=True)
    opened = f'<div class="table" role="group" tabindex="0" aria-label="{named}">'
    return "\n".join([f"{opened}<table>", *_rows(block), "</table></div>"])


def _rows(table: NoticeTable) -> list[str]:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    lines = [f"<thead><tr>{heads}</tr></thead>", "<tbody>"]
    for first, *others in table.rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in others)
        lines.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
    return [*lines, "</tbody>"]


def _inline(sentence: str) -> str:
    return str(_reader().renderInline(sentence)).strip()


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})
