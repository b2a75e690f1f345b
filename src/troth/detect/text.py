"""A text prepared for searching: folded to the characters that patterns know, with a mapping back to its code
points."""

from __future__ import annotations

import bisect
import itertools
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from troth.detect.finding import Unscanned, UnscannedReason

_COLOUR: Final = "\x1b\\[[0-9;:?]{0,32}[A-Za-z]"
"""A terminal colour sequence."""
_PRINTED: Final = bytes([0, *range(0x09, 0x0E), *range(0x1C, 0x7F)])
"""Bytes that folding leaves unchanged."""
_DIVIDING: Final = frozenset("\0\t\n\v\f\r\x1b\x1c\x1d\x1e\x1f\x85")
"""Control characters that are kept as separators: line breaks and tabs, NUL between fields, escape."""
_CONTINUED: Final = bytes(0x80 if 0x80 <= byte < 0xC0 else byte for byte in range(256))
"""Maps every UTF-8 continuation byte to 0x80, which is faster to search for than 64 values."""
_APOSTROPHES: Final = frozenset("\u2018\u2019\u02bc\u00b4")
_DOTS: Final = frozenset("\u3002\uff61")
"""Characters used for the dot of an address in East Asian writing (RFC 3490)."""
_BLANK: Final = frozenset("\u2800\u3164\uffa0")
_SPACES: Final = frozenset({"Zs", "Zl", "Zp"})
_FILLERS: Final = frozenset("\u115f\u1160")
"""Invisible characters whose category is symbol or letter: as wide as a letter, or of zero width."""
_RUNS_BETWEEN_LOOKS: Final = 4096
_ACCENTS: Final = frozenset({"Mn", "Me"})
_SHOWING_NOTHING: Final = _ACCENTS | {"Cf", "Cc"}


class FoldedText:
    """A text and its folded form: full-width letters, digits of other scripts, and unusual spaces, hyphens and
    apostrophes become ASCII. Invisible characters (including control characters, colour sequences and combining
    accents) are removed, because they hide in numbers.

    Plain ASCII is its own folded form, at no cost. *seconds_max* limits the time that may be spent on the text.
    """

    __slots__ = ("_bytes", "_gone", "_until", "folded", "utf8", "written")

    def __init__(self, written: str, *, seconds_max: float | None = None) -> None:
        if not isinstance(written, str):
            raise TypeError(f"a text must be a string, not {type(written).__name__}: leave out missing values")
        self._until = None if seconds_max is None else time.monotonic() + seconds_max
        self.written = written
        self.folded = written
        self._gone = self._bytes = _NOWHERE
        # A lone surrogate cannot be encoded; the question mark keeps its position.
        self.utf8 = written.encode("utf-8", "replace")
        strange = self.utf8.translate(None, _PRINTED)
        if not strange:
            return
        folds = {it: _FOLDS[it] for it in set(strange.decode()) if _FOLDS[it] != it}
        if folds or b"\x1b" in strange:
            nothing = "".join(it for it, folded in folds.items() if not folded)
            gone = re.compile(f"{_COLOUR}|[{re.escape(nothing)}]+" if nothing else _COLOUR)
            self.folded = gone.sub("", written).translate({ord(it): folded for it, folded in folds.items()})
            self.utf8 = self.folded.encode("utf-8", "replace")
            if len(self.folded) != len(written):
                self._gone = _Leaps(self._left_out(gone))
        if len(self.utf8) != len(self.folded):
            self._bytes = _Leaps(_continued(self.utf8))

    def offset(self, at: int) -> int:
        """The code point in the original text of byte *at* of `utf8`."""
        return self.unfolded(self._counted(at))

    def end(self, at: int) -> int:
        """The same for the end of a range: invisible characters after it are excluded, but its accents are included."""
        return self.unfolded_end(self._counted(at))

    def _counted(self, at: int) -> int:
        return at if self._bytes is _NOWHERE else self._bytes.past(at)

    @property
    def is_plain(self) -> bool:
        """True if byte offsets in `utf8` equal code points in the original text."""
        return self._gone is self._bytes

    def check_clock(self) -> None:
        """Called often by every finder. Raises `Unscanned` when the time limit of the text is exceeded."""
        if self._until is not None and time.monotonic() > self._until:
            raise Unscanned(
                "the text could not be searched completely within the time limit: raise the limit, or split the text",
                UnscannedReason.TIMED_OUT,
            )

    def _left_out(self, gone: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Where the folded text omits matches of *gone*, and their lengths."""
        before = 0
        for number, run in enumerate(gone.finditer(self.written)):
            if number % _RUNS_BETWEEN_LOOKS == 0:
                self.check_clock()
            start, end = run.span()
            yield start - before, end - start
            before += end - start

    def unfolded(self, at: int) -> int:
        """The code point in the original text of code point *at* of `folded`."""
        return at if self._gone is _NOWHERE else self._gone.past(at)

    def unfolded_end(self, at: int) -> int:
        """The same for the end of a range, as in `end`."""
        if self._gone is _NOWHERE:
            return at
        end = self._gone.before(at)
        while end < len(self.written) and unicodedata.category(self.written[end]) in _ACCENTS:
            end += 1
        return end


class _Leaps:
    """Positions from which on offsets in one form of a text differ from those in another."""

    __slots__ = ("_places", "_sums")

    def __init__(self, leaps: Iterable[tuple[int, int]]) -> None:
        found = list(leaps)
        self._places = [place for place, _ in found]
        self._sums = list(itertools.accumulate(leap for _, leap in found))

    def past(self, at: int) -> int:
        return self._leapt(at, bisect.bisect_right(self._places, at))

    def before(self, at: int) -> int:
        """The same without a shift at exactly that position."""
        return self._leapt(at, bisect.bisect_left(self._places, at))

    def _leapt(self, at: int, leaps: int) -> int:
        return at + self._sums[leaps - 1] if leaps else at


_NOWHERE: Final = _Leaps(())


class _Folds(dict[str, str]):
    """The folded form of each character, computed on first use."""

    def __missing__(self, character: str) -> str:
        folded = self[character] = _fold(character)
        return folded


def _fold(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _DIVIDING:
        return character
    if kind in _SHOWING_NOTHING or character in _FILLERS:
        return ""
    if kind in _SPACES or character in _BLANK:
        return " "
    if kind == "Pd" or character == "\u2212":
        return "-"
    if character in _APOSTROPHES:
        return "'"
    if character in _DOTS:
        return "."
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 and plain.isascii() else character


_FOLDS: Final = _Folds()


def _continued(utf8: bytes) -> Iterator[tuple[int, int]]:
    """Where each multi-byte character ends, and its number of extra bytes, negated."""
    marked = utf8.translate(_CONTINUED)
    at = marked.find(0x80)
    while at >= 0:
        begins_with = utf8[at - 1]
        more = 1 + (begins_with >= 0xE0) + (begins_with >= 0xF0)
        yield at + more, -more
        at = marked.find(0x80, at + more)
