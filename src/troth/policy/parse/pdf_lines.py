"""Lines on a page, and blocks of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from troth.policy.text import BlockKind, CellPosition

HYPHEN = "\N{SOFT HYPHEN}"
"""A hyphen at which a word may have been parted at the end of a line."""

ENDS = re.compile(r"[.!?:;…][\"'”’)]?\Z")
"""Where a sentence, or what leads into a list, ends."""


@dataclass(frozen=True, slots=True)
class PdfLine:
    """A line, or the part of one that stands in a column. *y* is that of its baseline and grows upwards."""

    text: str
    page: int
    left: float
    right: float
    y: float
    height: float
    is_bold: bool = False
    links: tuple[tuple[int, int, str], ...] = ()


@dataclass(slots=True)
class PdfBlock:
    """Lines below one another that belong together, and the marker to their left that makes them an item."""

    lines: list[PdfLine]
    marker: PdfLine | None = None
    cell: CellPosition | None = None
    depth: int = 0
    kind: BlockKind = field(default="paragraph")

    @property
    def first(self) -> PdfLine:
        return self.lines[0]

    @property
    def last(self) -> PdfLine:
        return self.lines[-1]

    @property
    def right(self) -> float:
        return max(line.right for line in self.lines)
