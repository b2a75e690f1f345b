"""Pieces of a long text: together they are the text, and each tells what begins in its part."""

from __future__ import annotations

import pytest
from tests.tables import each_row

from troth.detect.finding import Finding
from troth.detect.pieces import TextPiece, own, pieces


def _finding(start: int, end: int) -> Finding:
    return Finding(start, end, "PERSON", 0.9, "test")


@each_row("chunk", [1, 7, 1_000])
@each_row("length", [0, 1, 30, 31, 40, 41, 500])
def test_pieces_share_characters_and_leave_none_out(length: int, chunk: int) -> None:
    text = "".join(chr(ord("a") + at % 26) for at in range(length))
    cut = list(pieces([text[at : at + chunk] for at in range(0, length, chunk)], size=30, shared=10))
    assert all(text.startswith(it.text, it.begins) and len(it.text) <= 40 for it in cut)
    assert [it.begins for it in cut] == [20 * at for at in range(len(cut))]
    assert (cut[-1].until if cut else 0) == length


def test_a_piece_shows_nothing_of_its_text() -> None:
    assert repr(TextPiece(begins=100, text="ann@example.org", until=115)) == "Piece(begins=100, until=115)"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ((2, 5), None),  # told by the piece before
        ((2, 9), (105, 109)),  # the rest of what that one told
        ((6, 9), (106, 109)),
        ((18, 30), (118, 130)),  # begins here, ends in the next
        ((20, 22), None),  # for the next
    ],
)
def test_each_finding_is_told_once(found: tuple[int, int], told: tuple[int, int] | None) -> None:
    piece = TextPiece(begins=100, text="x" * 40, until=120)
    assert [it[:2] for it in own(piece, [_finding(*found)], reported_until=105)] == ([told] if told else [])
