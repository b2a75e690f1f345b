"""Text of any length, searched piece by piece so that nothing at a border is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from troth.detect.detector import Detector
from troth.detect.files.found import Found, Remark
from troth.detect.finding import Unscanned

__all__ = ["in_text"]

_PIECE: Final = 1 << 17
_SEEN_AGAIN: Final = 1 << 13
"""Characters that two neighbouring pieces share. Half of it is more than any value is long, a private key included."""


def in_text(detector: Detector, chunks: Iterable[str], *, line: int = 1) -> Iterator[Found | Remark]:
    """What is in a text that comes in *chunks* and begins on *line*, in its order."""
    place = _Place(line)
    settled = 0  # up to here, in code points of the whole text, all is said
    for begin, piece, last in _pieces(chunks):
        until = begin + len(piece) - (0 if last else _SEEN_AGAIN // 2)
        place.see(piece, begin)
        try:
            found = detector.find(piece)
        except Unscanned as unscanned:
            first, _ = place.at(settled)
            end = first + piece.count("\n", settled - begin, until - begin)
            yield Remark(first, f"lines {first:,} to {end:,} were not scanned: {unscanned}", unscanned=True)
            settled = until
            continue
        for it in found:
            start, end = max(it.start + begin, settled), it.end + begin
            if start < min(end, until):
                yield Found(it._replace(start=start, end=end), *place.at(start))
                settled = end
        settled = max(settled, until)


def _pieces(chunks: Iterable[str]) -> Iterator[tuple[int, str, bool]]:
    """The text in pieces that share `_SEEN_AGAIN`: where each begins, and whether it is the last."""
    step = _PIECE - _SEEN_AGAIN
    begin, held = 0, ""
    for chunk in chunks:
        held += chunk
        at = 0
        while len(held) - at > _PIECE + _SEEN_AGAIN:
            yield begin, held[at : at + _PIECE], False
            begin, at = begin + step, at + step
        held = held[at:] if at else held
    if held:
        yield begin, held, True


class _Place:
    """Lines and columns of growing offsets, each character counted once."""

    def __init__(self, line: int) -> None:
        self._line = line
        self._begins = 0  # where the line begins
        self._at = 0  # up to here line ends are counted
        self._piece, self._from = "", 0

    def see(self, piece: str, begin: int) -> None:
        """Go on with *piece*, which begins at *begin*."""
        if self._piece:
            self.at(begin)
        self._piece, self._from = piece, begin

    def at(self, offset: int) -> tuple[int, int]:
        """The line and the column of *offset*; both count from one."""
        start, end = self._at - self._from, offset - self._from
        passed = self._piece.count("\n", start, end)
        if passed:
            self._line += passed
            self._begins = self._from + self._piece.rindex("\n", start, end) + 1
        self._at = max(self._at, offset)
        return self._line, offset - self._begins + 1
