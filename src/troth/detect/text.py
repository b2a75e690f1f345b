"""A text made ready to be searched: folded to the letters that patterns know, with the way back to its code points."""

from __future__ import annotations

import bisect
import itertools
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from troth.detect.finding import Unscanned

__all__ = ["Text"]

_BEYOND: Final = re.compile("[\x01-\x08\x0e-\x1a\x7f-\U0010ffff]+")
_PRINTED: Final = bytes([0, *range(0x09, 0x0E), *range(0x1B, 0x7F)])
"""What is not as ASCII writes it, and what is."""
_DIVIDING: Final = frozenset("\0\t\n\v\f\r\x1b\x1c\x1d\x1e\x1f\x85")
"""Control characters that stay, since they divide: new lines and tabs, the nought between two fields, the beginning of
a colour."""
_CONTINUED: Final = bytes(0x80 if 0x80 <= byte < 0xC0 else byte for byte in range(256))
"""Every byte that goes on with a character of UTF-8 as 0x80, which is found faster than any of sixty-four."""
_APOSTROPHES: Final = frozenset("\u2018\u2019\u02bc\u00b4")
_SHOWING_NOTHING: Final = frozenset({"Cf", "Mn", "Me", "Cc"})


class Text:
    """A text and its folded form: full-width letters, other scripts' digits, odd spaces, hyphens and apostrophes as
    ASCII writes them, and characters that show nothing left out (control characters and accents of their own among
    them), since they hide in numbers.

    Plain ASCII is its own folded form, and costs nothing. *seconds_max* is how long may be spent on it.
    """

    __slots__ = ("_bytes", "_gone", "_until", "folded", "utf8", "written")

    def __init__(self, written: str, *, seconds_max: float | None = None) -> None:
        self._until = None if seconds_max is None else time.monotonic() + seconds_max
        self.written = written
        self.folded = written
        self._gone = self._bytes = _NOWHERE
        # A lone surrogate is no character and cannot be encoded; the question mark keeps its place.
        self.utf8 = written.encode("utf-8", "replace")
        strange = self.utf8.translate(None, _PRINTED)
        if not strange:
            return
        if any(_FOLDS[it] != it for it in set(strange.decode())):
            self.folded = _BEYOND.sub(_folded_run, written)
            self.utf8 = self.folded.encode("utf-8", "replace")
            if len(self.folded) != len(written):
                self._gone = _Leaps(_left_out(written))
        if len(self.utf8) != len(self.folded):
            self._bytes = _Leaps(_continued(self.utf8))

    def offset(self, at: int) -> int:
        """The code point of the text as written at which byte *at* of `utf8` is."""
        if self._bytes is not _NOWHERE:
            at = self._bytes.past(at)
        return at if self._gone is _NOWHERE else self._gone.past(at)

    @property
    def is_plain(self) -> bool:
        """Whether bytes of `utf8` and code points of the text as written are counted alike."""
        return self._gone is self._bytes

    def check_clock(self) -> None:
        """Every finder asks this often. Raises `Unscanned` when the time that may be spent on the text is over."""
        if self._until is not None and time.monotonic() > self._until:
            raise Unscanned("the text was not searched to its end in the time allowed: allow more, or cut it up")

    def unfolded(self, at: int) -> int:
        """The code point of the text as written that stands at code point *at* of `folded`."""
        return self._gone.past(at)


class _Leaps:
    """Places from which on an offset in one form of a text is ahead of, or behind, that in another."""

    __slots__ = ("_places", "_sums")

    def __init__(self, leaps: Iterable[tuple[int, int]]) -> None:
        found = list(leaps)
        self._places = [place for place, _ in found]
        self._sums = list(itertools.accumulate(leap for _, leap in found))

    def past(self, at: int) -> int:
        before = bisect.bisect_right(self._places, at) if self._places else 0
        return at + self._sums[before - 1] if before else at


_NOWHERE: Final = _Leaps(())


class _Folds(dict[str, str]):
    """Each character's folded form, worked out when it is first met."""

    def __missing__(self, character: str) -> str:
        folded = self[character] = _fold(character)
        return folded


def _fold(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _DIVIDING:
        return character
    if kind in _SHOWING_NOTHING:
        return ""
    if kind == "Zs":
        return " "
    if kind == "Pd" or character == "\u2212":
        return "-"
    if character in _APOSTROPHES:
        return "'"
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 and plain.isascii() else character


_FOLDS: Final = _Folds()


def _folded_run(run: re.Match[str]) -> str:
    return "".join(map(_FOLDS.__getitem__, run[0]))


def _continued(utf8: bytes) -> Iterator[tuple[int, int]]:
    """Where a character of more than one byte ends, and how many it has too many."""
    marked = utf8.translate(_CONTINUED)
    at = marked.find(0x80)
    while at >= 0:
        begins_with = utf8[at - 1]
        more = 1 + (begins_with >= 0xE0) + (begins_with >= 0xF0)
        yield at + more, -more
        at = marked.find(0x80, at + more)


def _left_out(written: str) -> Iterable[tuple[int, int]]:
    """Where the folded text leaves characters out, and how many."""
    gone = 0
    for run in _BEYOND.finditer(written):
        for at, character in enumerate(run[0], run.start()):
            if not _FOLDS[character]:
                yield at - gone, 1
                gone += 1
