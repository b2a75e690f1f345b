"""Policies extracted from binary files: the source is the extracted text, one line per block with an empty line
between, so that it can be parsed again as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from troth.policy.parse.tracing import Draft, assemble
from troth.policy.text import BlockKind, CellPosition, PolicyText

_BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class ExtractedBlock:
    """An extracted block. *links* are ranges of *text* with their targets; pages count from 1."""

    kind: BlockKind
    text: str
    depth: int = 0
    ordered: bool = False
    cell: CellPosition | None = None
    links: tuple[tuple[int, int, str], ...] = ()
    page: int = 0


def assembled(pieces: Iterable[ExtractedBlock]) -> PolicyText:
    """The policy that consists of *pieces*."""
    whole = [piece for piece in pieces if piece.text]
    starts, at = [], 0
    for piece in whole:
        starts.append(at)
        at += len(piece.text) + len(_BETWEEN)
    pages: list[int] = []
    for piece, start in zip(whole, starts, strict=True):
        pages += [start] * (piece.page - len(pages))
    source = _BETWEEN.join(piece.text for piece in whole)
    return assemble(source, _drafts(whole, starts), pages=pages)


def _drafts(pieces: list[ExtractedBlock], starts: list[int]) -> Iterator[Draft]:
    for piece, start in zip(pieces, starts, strict=True):
        draft = Draft(piece.kind, piece.depth, piece.ordered, piece.cell)
        draft.traced.add(piece.text, start, start + len(piece.text))
        for begin, end, href in piece.links:
            draft.traced.link(begin, href, until=end)
        yield draft
