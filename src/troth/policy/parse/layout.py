"""Reconstructs headings, paragraphs, list items and table cells from lines on PDF pages, by position and size."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from troth.policy.parse.extracted import ExtractedBlock
from troth.policy.parse.pdf_lines import ENDS, HYPHEN, PdfBlock, PdfLine
from troth.policy.parse.tables import tabled

_BAND_LINES = 3
"""How many lines at the top and bottom of a page may be running headers or footers."""

_BULLET = re.compile(r"[•·‣◦▪●○■–—*o\uf0b7\u2043-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)]")
_BULLET_AND_TEXT = re.compile(r"([•·‣◦▪●○■\uf0b7]|\(?(?:\d{1,3}|[a-z]|[ivx]{2,5})[.)])\s+(?=\S)")
_STAMP = re.compile(
    r"(?:page\s*)?[-–]?\s*\d{1,4}\s*[-–]?(?:\s*(?:of|/)\s*\d{1,4})?|"
    r"\d{1,2}/\d{1,2}/\d{2,4}, \d{1,2}:\d\d(?:\s?[AP]M)?|https?://\S+|about:blank",
    re.I,
)
"""What a printing program adds to a page: page number, time, address."""

_LARGER = 1.08
_HEADING_CHARACTERS_MAX, _HEADING_WORDS_MAX = 200, 14


def pieces(lines: Sequence[PdfLine]) -> Iterator[ExtractedBlock]:
    """The blocks formed by the lines, which are in writing order."""
    shown = _without_running(lines)
    if not shown:
        return
    body = _commonest(shown, lambda line: round(line.height, 1))
    blocks = tabled(_blocks(shown, leading=_leading(shown)))
    _find_headings(blocks, body=body)
    _find_items(blocks)
    words = frozenset(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)+", " ".join(line.text for line in shown).casefold()))
    for block in blocks:
        yield _piece(block, words)


def _commonest(lines: Iterable[PdfLine], of: Callable[[PdfLine], float]) -> float:
    """The value that applies to most characters."""
    counted: Counter[float] = Counter()
    for line in lines:
        counted[of(line)] += len(line.text)
    return counted.most_common(1)[0][0]


def _without_running(lines: Sequence[PdfLine]) -> list[PdfLine]:
    """The lines without running headers and footers (at the same height on half the pages or more) and printing
    stamps."""
    pages: defaultdict[int, list[PdfLine]] = defaultdict(list)
    for line in lines:
        pages[line.page].append(line)
    bands = {page: _bands(on_page) for page, on_page in pages.items()}
    seen = Counter(key for band in bands.values() for key in set(map(_running_key, band)))
    running = {key for key, count in seen.items() if count >= max(2, len(pages) / 2)}
    return [
        line
        for line in lines
        if line not in bands[line.page] or not (_running_key(line) in running or _STAMP.fullmatch(line.text.strip()))
    ]


def _bands(lines: Sequence[PdfLine]) -> list[PdfLine]:
    """The lines at the top and bottom of a page."""
    heights = sorted({round(line.y) for line in lines})
    ends = {*heights[:_BAND_LINES], *heights[-_BAND_LINES:]}
    return [line for line in lines if round(line.y) in ends]


def _running_key(line: PdfLine) -> tuple[str, int]:
    return re.sub(r"\d+", "#", line.text.strip()), round(line.y / 4)


def _leading(lines: Sequence[PdfLine]) -> float:
    """Line spacing within a paragraph, in line heights."""
    steps = [
        (line, round((before.y - line.y) / line.height, 2))
        for before, line in itertools.pairwise(lines)
        if before.page == line.page and abs(before.left - line.left) < 1 and 0 < before.y - line.y < 3 * line.height
    ]
    known = dict(steps)
    return _commonest(known, known.__getitem__) if known else 1.2


def _blocks(lines: Sequence[PdfLine], *, leading: float) -> list[PdfBlock]:
    margins: defaultdict[int, float] = defaultdict(float)
    for line in lines:
        margins[line.page] = max(margins[line.page], line.right)
    blocks: list[PdfBlock] = []
    marker: PdfLine | None = None
    for line in lines:
        if marker is not None:
            is_beside = (
                marker.page == line.page and abs(marker.y - line.y) < 0.6 * line.height and line.left > marker.left
            )
            blocks.append(PdfBlock([line], marker) if is_beside else PdfBlock([marker]))
            marker = None
            if is_beside:
                continue
        if blocks and _joins(blocks[-1], line, leading=leading, margin=margins[line.page]):
            blocks[-1].lines.append(line)
        elif _BULLET.fullmatch(line.text.strip()):
            marker = line
        else:
            blocks.append(_begun(line))
    return blocks if marker is None else [*blocks, PdfBlock([marker])]


def _begun(line: PdfLine) -> PdfBlock:
    """A block that starts with this line; a list marker at its front is removed."""
    found = _BULLET_AND_TEXT.match(line.text)
    if not found:
        return PdfBlock([line])
    left = line.left + (line.right - line.left) * found.end() / len(line.text)
    links = tuple((max(start - found.end(), 0), end - found.end(), href) for start, end, href in line.links)
    rest = dataclasses.replace(line, text=line.text[found.end() :], left=left, links=links)
    return PdfBlock([rest], dataclasses.replace(line, text=found[1], right=left, links=()))


def _joins(block: PdfBlock, line: PdfLine, *, leading: float, margin: float) -> bool:
    """True if the line continues the block."""
    last, first = block.last, block.first
    if not 1 / _LARGER < line.height / last.height < _LARGER or _starts_item(block, line):
        return False
    indent = line.left - min(each.left for each in block.lines)
    is_first_indented = block.marker is None and len(block.lines) == 1 and -3 * line.height < indent < 0
    if abs(indent) >= line.height and not is_first_indented:
        return False
    if line.page != last.page:
        goes_on = line.text[0].islower() or not (ENDS.search(last.text) or _has_room(last, line, margin))
        return goes_on and line.is_bold == first.is_bold and line.page == last.page + 1
    if line.is_bold != last.is_bold and _has_room(last, line, margin):
        return False
    return 0 < last.y - line.y <= leading * line.height * 1.2


def _starts_item(block: PdfBlock, line: PdfLine) -> bool:
    found = _BULLET_AND_TEXT.match(line.text) or _BULLET.fullmatch(line.text.strip())
    if not found:
        return False
    is_bullet = not found[0].strip("( ")[0].isalnum()
    return is_bullet or block.marker is not None or ENDS.search(block.last.text) is not None


def _has_room(last: PdfLine, line: PdfLine, margin: float) -> bool:
    """True if the first word of *line* would have fitted at the end of *last*."""
    word = len(line.text.split(maxsplit=1)[0]) + 1
    return last.right + word * (line.right - line.left) / len(line.text) < margin


def _find_headings(blocks: list[PdfBlock], *, body: float) -> None:
    """Larger or bold blocks become headings: the largest have level 1, bold ones in body size the lowest level."""
    headings = [block for block in blocks[:-1] if _is_heading(block, body)]
    sizes = sorted({_size(block, body) for block in headings}, reverse=True)
    for block in headings:
        block.kind, block.depth = "heading", min(sizes.index(_size(block, body)) + 1, 6)


def _size(block: PdfBlock, body: float) -> float:
    return round(2 * max(block.first.height, body)) / 2


def _is_heading(block: PdfBlock, body: float) -> bool:
    text = " ".join(line.text for line in block.lines)
    if block.cell or len(text) > _HEADING_CHARACTERS_MAX or not any(each.isalpha() for each in text):
        return False
    if block.marker and not block.marker.text[0].isalnum():
        return False
    if block.first.height > body * _LARGER:
        return True
    is_short = len(text.split()) <= _HEADING_WORDS_MAX and text.rstrip()[-1] not in ".,;!"
    return is_short and all(line.is_bold for line in block.lines)


def _find_items(blocks: list[PdfBlock]) -> None:
    lefts: list[float] = []
    for block in blocks:
        if block.marker is None or block.kind == "heading":
            lefts = []
            continue
        left = block.marker.left
        while lefts and lefts[-1] > left + 2:
            lefts.pop()
        if not lefts or lefts[-1] < left - 2:
            lefts.append(left)
        block.kind, block.depth = "list_item", len(lefts)


def _piece(block: PdfBlock, hyphened: frozenset[str]) -> ExtractedBlock:
    """The block's lines as one text. A word split at a hyphen keeps it if the document hyphenates the word
    elsewhere."""
    text, links = "", list[tuple[int, int, str]]()
    lines = [block.marker, *block.lines] if block.marker and block.kind == "heading" else block.lines
    for line in lines:
        if text.endswith(HYPHEN):
            text = text[:-1] + ("-" if _keeps_hyphen(text[:-1], line.text, hyphened) else "")
        elif text and not text.endswith("-"):
            text += " "
        links += [(len(text) + start, len(text) + end, href) for start, end, href in line.links]
        text += line.text
    ordered = block.kind == "list_item" and block.marker is not None and block.marker.text.strip("(")[0].isalnum()
    return ExtractedBlock(
        block.kind, text.replace(HYPHEN, "-"), block.depth, ordered, block.cell, tuple(links), block.first.page
    )


def _keeps_hyphen(before: str, after: str, hyphened: frozenset[str]) -> bool:
    """True if the hyphen at the end of a line is part of the word or of an address."""
    word = before.rsplit(maxsplit=1)[-1]
    whole = re.split(r"[^\w-]", word)[-1] + "-" + re.split(r"[^\w-]", after, maxsplit=1)[0]
    return whole.casefold() in hyphened or not after[0].islower() or re.search(r"[-/@]|\w\.\w", word) is not None
