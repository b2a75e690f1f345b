"""Splits long texts into overlapping pieces, so that nothing is lost at the borders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from troth.detect.finding import Finding


class TextPiece(NamedTuple):
    """Part of a text, starting at *begins*. Findings that start before *until* (in the whole text) belong to this
    piece."""

    begins: int
    text: str
    until: int

    def __repr__(self) -> str:
        return f"Piece(begins={self.begins}, until={self.until})"  # not the text: errors and logs print this


def pieces(chunks: Iterable[str], *, size: int, shared: int) -> Iterator[TextPiece]:
    """The text from *chunks* in pieces of *size* characters, with an overlap of *shared* between neighbours.

    Responsibility passes from one piece to the next in the middle of the overlap, so that both have half of it as
    context.
    """
    step = size - shared
    begins, held = 0, ""
    for chunk in chunks:
        held += chunk
        at = 0
        while len(held) - at > size + shared:
            yield TextPiece(begins, held[at : at + size], begins + size - shared // 2)
            begins, at = begins + step, at + step
        held = held[at:] if at else held
    if held:
        yield TextPiece(begins, held, begins + len(held))


def own(piece: TextPiece, findings: Iterable[Finding], reported_until: int) -> Iterator[Finding]:
    """Those of a piece's *findings* that it is responsible for, with offsets in the whole text.

    Everything before *reported_until* has been reported; a finding that extends beyond it loses that part.
    """
    begins, _, until = piece
    for it in findings:
        start, end = it.start + begins, it.end + begins
        if start < until and end > reported_until:
            yield Finding(max(start, reported_until), end, *it[2:])


def shifted(finding: Finding, by: int) -> Finding:
    """The finding, shifted by *by* characters."""
    return finding._replace(start=finding.start + by, end=finding.end + by)
