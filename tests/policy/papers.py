"""One policy as Markdown, as a page, as DOCX, as PDF and as plain text, made from what was read of it."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from troth.policy import Block, PolicyText, Sentence

HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


def _parts(policy: PolicyText) -> Iterator[tuple[bool, list[Block]]]:
    """The blocks, those of a table together."""
    for table, group in itertools.groupby(policy.blocks, key=lambda block: block.cell.table if block.cell else -1):
        yield table >= 0, list(group)


def as_docx(policy: PolicyText) -> bytes:
    """With Word's own styles for headings, lists and tables."""
    import docx

    document = docx.Document()
    for is_table, blocks in _parts(policy):
        if is_table:
            rows, columns = _size(blocks)
            table = document.add_table(rows, columns)
            for block in blocks:
                assert block.cell
                _write(table.cell(block.cell.row, block.cell.column).paragraphs[0], block.sentences)
            continue
        for block in blocks:
            style = {"heading": f"Heading {block.depth}", "list_item": "List Bullet"}.get(block.kind, "Normal")
            _write(document.add_paragraph(style="List Number" if block.ordered else style), block.sentences)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _write(paragraph: Any, sentences: Iterable[Sentence]) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for sentence in sentences:
        at = 0
        for link in sentence.links:
            paragraph.add_run(sentence.text[at : link.start])
            anchor, run = OxmlElement("w:hyperlink"), OxmlElement("w:r")
            anchor.set(qn("r:id"), paragraph.part.relate_to(link.href, HYPERLINK, is_external=True))
            run.text = sentence.text[link.start : link.end]
            anchor.append(run)
            paragraph._p.append(anchor)
            at = link.end
        paragraph.add_run(sentence.text[at:] + " ")


def _size(blocks: list[Block]) -> tuple[int, int]:
    cells = [block.cell for block in blocks if block.cell]
    return max(cell.row for cell in cells) + 1, max(cell.column for cell in cells) + 1


def as_pdf(policy: PolicyText, *, extra: str = "") -> bytes:
    """Set by typst, with hyphenation, a running title and page numbers. *extra* is typst's own, put in front."""
    import typst

    parts = [
        '#set page(header: [Example Voice Ltd, privacy policy], numbering: "1 / 1")',
        '#set text(lang: "en", hyphenate: true, size: 10pt)\n#set par(justify: true)',
        extra,
    ]
    for is_table, blocks in _parts(policy):
        if is_table:
            rows, columns = _size(blocks)
            words = {(block.cell.row, block.cell.column): block.text for block in blocks if block.cell}
            cells = (f"[{_plain(words.get((row, column), ''))}]" for row in range(rows) for column in range(columns))
            parts.append(f"#table(columns: {columns}, {', '.join(cells)})\n")
            continue
        for block in blocks:
            before = {"heading": "=" * block.depth + " ", "list_item": "  " * (block.depth - 1) + "- "}
            parts.append(before.get(block.kind, "\n") + _plain(block.text) + "\n" * (block.kind != "list_item"))
    return bytes(typst.compile("\n".join(parts).encode()))


def _plain(text: str) -> str:
    return "".join(f"\\{each}" if each in "\\#*_`$<>@[]~\"'/=-+" else each for each in text)


def as_markdown(policy: PolicyText) -> str:
    """With its lists, tables and links."""
    parts = []
    for is_table, blocks in _parts(policy):
        if is_table:
            parts.append(_markdown_table(blocks))
            continue
        for block in blocks:
            item = "    " * (block.depth - 1) + ("1. " if block.ordered else "- ")
            before = {"heading": "#" * block.depth + " ", "list_item": item}
            parts.append(before.get(block.kind, "") + " ".join(map(_linked, block.sentences)))
    return "\n\n".join(parts) + "\n"


def _markdown_table(blocks: list[Block]) -> str:
    rows, columns = _size(blocks)
    words = {(block.cell.row, block.cell.column): block for block in blocks if block.cell}
    lines = []
    for row in range(rows):
        cells = (words.get((row, column)) for column in range(columns))
        lines.append(" | ".join(" ".join(map(_linked, cell.sentences)) if cell else " " for cell in cells))
    return "\n".join(f"| {line} |" for line in [lines[0], " | ".join(["---"] * columns), *lines[1:]])


def _linked(sentence: Sentence) -> str:
    written, at = "", 0
    for link in sentence.links:
        written += _escaped(sentence.text[at : link.start])
        written += f"[{_escaped(sentence.text[link.start : link.end])}](<{link.href}>)"
        at = link.end
    return written + _escaped(sentence.text[at:])


def _escaped(text: str) -> str:
    return "".join(f"\\{each}" if each in "\\`*_[]<>#+-.!|~&" else each for each in text)


def as_page(markdown: str) -> str:
    """As a page of a site, with what sites put around a policy."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark").enable("table").render(markdown)
    return (
        "<!doctype html><html lang=en><head><title>Privacy</title><style>td, th { padding: 4px }</style></head><body>"
        '<div class="top-nav"><a href="/">Home</a> <a href="/shop">Shop</a></div><div class="cookie-banner"><p>We use '
        f'cookies.</p><button>Accept</button></div><div class="content">{body}</div>'
        "<footer>© Example</footer></body></html>"
    )


def as_text(policy: PolicyText) -> str:
    """Wrapped at 72 characters, with underlined headings."""
    import textwrap

    parts = []
    for block in policy.blocks:
        if block.kind == "heading":
            parts.append(f"{block.text}\n{('=' if block.depth == 1 else '-') * len(block.text)}")
        elif block.kind == "list_item":
            parts.append(
                textwrap.fill(block.text, 72, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
            )
        else:
            parts.append(textwrap.fill(block.text, 72, break_on_hyphens=False, break_long_words=False))
    return "\n\n".join(parts) + "\n"


def voice_company() -> str:
    """The policy of the example company, as it is published."""
    return Path(__file__).parents[2].joinpath("examples/voice-company/policy.md").read_text(encoding="utf-8")
