"""Searches text of any length in overlapping pieces, so that nothing is lost at borders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from troth.detect.detector import Detector
from troth.detect.explanation import explain
from troth.detect.files.results import FileFinding, Remark
from troth.detect.finding import Finding, Unscanned
from troth.detect.pieces import TextPiece, own, pieces, shifted

_PIECE: Final = 1 << 18
_SHARED: Final = 1 << 13
"""Overlap of neighbouring pieces in characters. Half of it is longer than any value, including private keys."""


_ENCODED: Final = re.compile(r"^Content-Transfer-Encoding:\s{0,9}(base64|quoted-printable)\b", re.I | re.M)
"""Header of an e-mail part whose text is encoded."""


def in_text(
    detector: Detector, chunks: Iterable[str], *, line: int = 1, explained: bool = False
) -> Iterator[FileFinding | Remark]:
    """Findings in a text that comes in *chunks* and starts on *line*, in order."""
    place = _Place(line)
    told = 0  # end of the reported text, in code points
    is_plain = True
    for piece in pieces(chunks, size=_PIECE, shared=_SHARED):
        place.see(piece)
        if is_plain and (encoded := _ENCODED.search(piece.text)):
            is_plain = False
            says = f"it is mail with a part in {encoded[1].lower()}, which is not decoded: scan it --as mail"
            yield Remark(place.line(piece.begins + encoded.start()), says, unscanned=True)
        found: list[Finding] = []
        try:
            found = detector.find(piece.text)
        except Unscanned as unscanned:
            first, _ = place.at(told)
            last = place.line(piece.until)
            yield Remark(first, f"lines {first:,} to {last:,} were not scanned: {unscanned}", unscanned=True)
        told_by_now = piece.until
        for it in own(piece, found, told):
            why = explain(piece.text, shifted(it, -piece.begins)) if explained else ""
            yield FileFinding(it, *place.at(it.start), "", why)
            told_by_now = max(told_by_now, it.end)
        told = told_by_now


class _Place:
    """Lines and columns of increasing offsets; each character is counted once."""

    def __init__(self, line: int) -> None:
        self._line = line
        self._begins = 0  # start of the line
        self._at = 0  # line ends are counted up to here
        self._piece, self._from = "", 0

    def see(self, piece: TextPiece) -> None:
        """Continue with *piece*."""
        if self._piece:
            self.at(piece.begins)
        self._piece, self._from = piece.text, piece.begins

    def line(self, offset: int) -> int:
        """The line of a later *offset*, without advancing to it."""
        return self._line + self._piece.count("\n", self._at - self._from, offset - self._from)

    def at(self, offset: int) -> tuple[int, int]:
        """The line and column of *offset*, both starting at 1."""
        start, end = self._at - self._from, offset - self._from
        passed = self._piece.count("\n", start, end)
        if passed:
            self._line += passed
            self._begins = self._from + self._piece.rindex("\n", start, end) + 1
        self._at = max(self._at, offset)
        return self._line, offset - self._begins + 1
