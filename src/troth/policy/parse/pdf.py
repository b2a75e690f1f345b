"""Policies in PDF: assembles lines from PDFium's characters; `layout` builds the blocks."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from troth.policy.parse import layout
from troth.policy.parse.extracted import ExtractedBlock
from troth.policy.parse.pdf_lines import HYPHEN, PdfLine
from troth.policy.text import PolicyError

_PAGES_MAX = 500
_CHARACTERS_MAX = 2_000_000
_LETTERS_A_PAGE_MIN = 25
"""Pages with images and fewer letters are scans."""

# Distances in line heights. PDFium inserts a space where the file has none; a space in the file may be stretched.
_GAP_AT_MADE_SPACE, _GAP_AT_SPACE = 0.6, 1.4
"""Text after a wider gap is in another column."""
_GAP_BEFORE_COLUMN, _COLUMN_LINES_MIN = 0.3, 2
"""So is text after this gap, if at least this many lines start at the same position."""
_OFF_BASELINE = 0.6
"""A superscript is closer to its line than this; the next line is not."""

_DOT_MAX, _DRAWN_MAX = 7, 20_000
"""Maximum size of a drawn bullet, in points, and maximum number of a page's drawn objects that are examined."""

_READ_AS = {0x02: HYPHEN, 0xFFFE: HYPHEN, 0xAD: HYPHEN, 0x09: " ", 0xA0: " "}
_CONTROLS = (0x02, 0x09, 0x0A, 0x0D)
_BOLD_WEIGHT = 600


def pieces(data: bytes) -> Iterator[ExtractedBlock]:
    """The blocks of a PDF file. Raises `PolicyError` if it is locked, a scan, broken, or too long."""
    try:
        document = pypdfium2.PdfDocument(data)
        count = len(document)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise PolicyError("the PDF is locked with a password; save it without one") from None
        raise PolicyError("the PDF cannot be opened; print the policy to a PDF again, or save its text") from None
    if count > _PAGES_MAX:
        raise PolicyError(f"the PDF has {count} pages, {_PAGES_MAX} are allowed; is it the right file?")
    lines, pictured, characters = list[PdfLine](), 0, 0
    for number in range(count):
        page = document[number]
        found = list(_lines(page, number + 1))
        characters += sum(len(line.text) for line in found)
        if characters > _CHARACTERS_MAX:
            raise PolicyError(f"the PDF has more than {_CHARACTERS_MAX} characters; is it the right file?")
        letters = sum(each.isalpha() for line in found for each in line.text)
        pictured += (
            letters < _LETTERS_A_PAGE_MIN and next(page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE]), None) is not None
        )
        lines += found
        page.close()
    if pictured * 2 > count:
        raise PolicyError("the PDF is a scan: pictures of pages, without text; use the file that it was printed from")
    if not lines:
        raise PolicyError("the PDF contains no text; print the policy to a PDF again, or save its text")
    yield from layout.pieces(lines)


def _lines(page: Any, number: int) -> Iterator[PdfLine]:
    """The page's lines in writing order, split at column boundaries, with drawn bullets."""
    text = page.get_textpage()
    targets, dots = list(_targets(page)), list(_dots(page))
    for run in _parted(list(_runs(text.raw))):
        line = _line(text.raw, run, targets, number)
        dot = next((dot for dot in dots if _is_bullet_of(dot, line)), None)
        if dot is not None:
            dots.remove(dot)
            yield PdfLine("•", number, dot[0], dot[2], line.y, line.height)
        yield line


def _runs(text: Any) -> Iterator[list[_Character]]:
    """Consecutive characters on a line, without surrounding white space."""
    run: list[_Character] = []
    for index in range(pdfium.FPDFText_CountChars(text)):
        each = _Character.at(text, index)
        if each is None or (not run and each.text.isspace()):
            continue
        if each.text in "\r\n" or _is_elsewhere(run, each):
            if run:
                yield _stripped(run)
            run = []
        if not each.text.isspace() or (run and each.text not in "\r\n"):
            run.append(each)
    if run:
        yield _stripped(run)


def _stripped(run: list[_Character]) -> list[_Character]:
    while run[-1].text.isspace():
        run.pop()
    return run


def _parted(runs: list[list[_Character]]) -> Iterator[list[_Character]]:
    """The runs, split where a narrow gap leads to a position at which several other lines start: the next column."""
    lefts = Counter(round(run[0].left) for run in runs)
    for run in runs:
        start = 0
        for at in range(1, len(run)):
            space, each = run[at - 1], run[at]
            if not space.is_made or each.text.isspace() or lefts[round(each.left)] < _COLUMN_LINES_MIN:
                continue
            if each.left - run[at - 2].right > _GAP_BEFORE_COLUMN * (each.top - each.bottom):
                yield _stripped(run[start:at])
                start = at
        yield run[start:]


class _Character(NamedTuple):
    """A character and its position; *y* is its baseline. *is_made*: PDFium inserted it for a gap."""

    text: str
    place: int
    is_made: bool
    left: float
    right: float
    bottom: float
    top: float
    y: float

    @classmethod
    def at(cls, text: Any, index: int) -> _Character | None:
        """PDFium's data for the *index*-th character; None if it has no valid code point."""
        code = pdfium.FPDFText_GetUnicode(text, index)
        if code == 0 or (code < 0x20 and code not in _CONTROLS) or 0xD800 <= code <= 0xDFFF:
            return None
        box, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
        pdfium.FPDFText_GetLooseCharBox(text, index, box)
        pdfium.FPDFText_GetCharOrigin(text, index, x, y)
        is_made = pdfium.FPDFText_IsGenerated(text, index) == 1
        read = _READ_AS.get(code) or chr(code)
        return cls(read, index, is_made, box.left, box.right, box.bottom, box.top, y.value)


def _is_elsewhere(run: list[_Character], character: _Character) -> bool:
    """True if the character does not continue the line."""
    if not run or character.text.isspace():
        return False
    last = next((one for one in reversed(run) if not one.text.isspace()), run[0])
    height = max(last.top - last.bottom, 1.0)
    made = run[-1].is_made or not run[-1].text.isspace()
    gap = character.left - last.right
    return abs(character.y - last.y) > height * _OFF_BASELINE or gap > height * (
        _GAP_AT_MADE_SPACE if made else _GAP_AT_SPACE
    )


def _line(text: Any, run: list[_Character], targets: list[tuple[Any, str]], page: int) -> PdfLine:
    shown = [each for each in run if not each.text.isspace()]
    heights = Counter(round(each.top - each.bottom, 1) for each in shown)
    return PdfLine(
        text="".join(each.text for each in run),
        page=page,
        left=shown[0].left,
        right=shown[-1].right,
        y=shown[0].y,
        height=max(heights.most_common(1)[0][0], 1.0),
        is_bold=all(_is_bold(text, each.place) for each in (shown[0], shown[len(shown) // 2], shown[-1])),
        links=tuple(_links(run, targets)),
    )


def _is_bold(text: Any, index: int) -> bool:
    if pdfium.FPDFText_GetFontWeight(text, index) >= _BOLD_WEIGHT:
        return True
    name = ctypes.create_string_buffer(200)
    pdfium.FPDFText_GetFontInfo(text, index, name, len(name), ctypes.c_int())
    return any(word in name.value.lower() for word in (b"bold", b"black", b"heavy"))


def _links(run: list[_Character], targets: list[tuple[Any, str]]) -> Iterator[tuple[int, int, str]]:
    """Ranges of the line's characters that are inside the rectangle of a link."""
    for box, href in targets:
        if not box.bottom - 1 <= (run[0].top + run[0].bottom) / 2 <= box.top + 1:
            continue
        inside = [at for at, each in enumerate(run) if box.left - 1 <= (each.left + each.right) / 2 <= box.right + 1]
        if inside:
            yield inside[0], inside[-1] + 1, href


def _dots(page: Any) -> Iterator[tuple[float, float, float, float]]:
    """Drawn objects as small as a bullet: left, bottom, right, top."""
    for drawn in itertools.islice(page.get_objects([pdfium.FPDF_PAGEOBJ_PATH]), _DRAWN_MAX):
        left, bottom, right, top = drawn.get_bounds()
        if 1 < right - left < _DOT_MAX and abs((right - left) - (top - bottom)) < 1:
            yield left, bottom, right, top


def _is_bullet_of(dot: tuple[float, float, float, float], line: PdfLine) -> bool:
    left, bottom, right, top = dot
    is_beside = line.left - 2 * line.height < left and right < line.left
    return is_beside and line.y - 1 < (bottom + top) / 2 < line.y + line.height


def _targets(page: Any) -> Iterator[tuple[Any, str]]:
    """Rectangles of the page's links, with their targets outside the file."""
    position, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page.raw, position, link):
        box = pdfium.FS_RECTF()
        action = pdfium.FPDFLink_GetAction(link)
        if not action or not pdfium.FPDFLink_GetAnnotRect(link, box):
            continue
        size = pdfium.FPDFAction_GetURIPath(page.pdf.raw, action, None, 0)
        buffer = ctypes.create_string_buffer(min(size, 4_000))
        pdfium.FPDFAction_GetURIPath(page.pdf.raw, action, buffer, len(buffer))
        with contextlib.suppress(UnicodeDecodeError):
            if href := buffer.value.decode():
                yield box, href
