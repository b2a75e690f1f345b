"""Long texts in pieces that share some characters, so that nothing is lost where one ends and the next begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from troth.detect.finding import Finding


class TextPiece(NamedTuple):
    """Some of a text: where it *begins*. What starts before *until*, in the whole text, is for this piece to tell."""

    begins: int
    text: str
    until: int

    def __repr__(self) -> str:
        return f"Piece(begins={self.begins}, until={self.until})"  # not the text: errors and logs print this


def pieces(chunks: Iterable[str], *, size: int, shared: int) -> Iterator[TextPiece]:
    """The text that comes in *chunks*, in pieces of *size* characters, of which two neighbours share *shared*.

    In the middle of what they share the telling goes from one to the next, so that each sees half of it around.
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
    """Of what was *found* in a piece, what is for it to tell, with offsets in the whole text.

    Up to *told* everything is told; a finding that goes on from there loses its beginning and keeps the rest.
    """
    begins, _, until = piece
    for it in findings:
        start, end = it.start + begins, it.end + begins
        if start < until and end > reported_until:
            yield Finding(max(start, reported_until), end, *it[2:])


def shifted(finding: Finding, by: int) -> Finding:
    """The finding, *by* characters later."""
    return finding._replace(start=finding.start + by, end=finding.end + by)
