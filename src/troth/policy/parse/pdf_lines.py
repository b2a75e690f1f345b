"""Lines on a page, and blocks of lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from troth.policy.text import BlockKind, CellPosition

HYPHEN = "\N{SOFT HYPHEN}"
"""A hyphen at the end of a line, where a word may have been split."""

ENDS = re.compile(r"[.!?:;…][\"'”’)]?\Z")
"""Ends of sentences and of lead-ins of lists."""


@dataclass(frozen=True, slots=True)
class PdfLine:
    """A line, or its part within a column. *y* is the baseline and increases upwards."""

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
    """Consecutive lines that belong together, and the marker to their left that makes them a list item."""

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
