"""Which findings stay where several claim the same characters, and what stays of those that do not."""

from __future__ import annotations

import bisect
import operator
from collections.abc import Iterable, Iterator
from typing import Final

from troth.detect.finding import Finding

__all__ = ["resolved"]

_MARGIN: Final = 0.25
"""By how much a finding must be surer than a longer one around it, to stand in its place."""
_REST_SCORE: Final = 0.6
_REST_LENGTH: Final = 3
_PLACE: Final = operator.itemgetter(0, 1)


def resolved(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Findings that do not overlap, by place.

    1. What stands inside a longer finding goes with it, unless it is surer by more than a quarter.
    2. Of two that overlap, the surer stays; of equal ones the longer, of those the earlier, then by name of the type.
    3. What loses keeps its rest as a finding of its own, so that it does not leak, unless it was unsure (below 0.6) or
       fewer than three letters or digits are left.
    """
    kept: list[Finding] = []
    together: list[Finding] = []
    past = -1
    for it in sorted(findings, key=_PLACE):
        if it.start >= past:
            kept += _settled(together, text)
            together = [it]
            past = it.end
        else:
            together.append(it)
            past = max(past, it.end)
    return kept + _settled(together, text)


def _settled(together: list[Finding], text: str) -> list[Finding]:
    """What stays of findings of which each overlaps another."""
    if len(together) < 2:
        return together
    together.sort(key=_widest_and_surest_first)
    outermost = [*_outermost(together)]
    if len(outermost) < 2:
        return outermost
    kept: list[Finding] = []
    for it in sorted(outermost, key=lambda it: (-it.score, it.start - it.end, it.start, it.type)):
        for part in _free(it, kept):
            if part is it or (it.score >= _REST_SCORE and _length(text, part) >= _REST_LENGTH):
                bisect.insort(kept, part)
    return kept


def _widest_and_surest_first(it: Finding) -> tuple[object, ...]:
    return it.start, -it.end, -it.score, it.type, it.recogniser, not it.checked, it.checked is None, not it.told


def _outermost(found: list[Finding]) -> Iterator[Finding]:
    """Those that no longer one before them holds, or that are much surer than the one that does."""
    around: Finding | None = None
    for it in found:
        if around is None or it.end > around.end:
            around = it
        elif it.score <= around.score + _MARGIN:
            continue
        yield it


def _free(it: Finding, kept: list[Finding]) -> Iterator[Finding]:
    """The parts of a finding that none of those kept has taken; itself, where it is free."""
    at = bisect.bisect_left(kept, (it.start,))
    if at and kept[at - 1].end > it.start:
        at -= 1
    start = it.start
    while at < len(kept) and kept[at].start < it.end:
        if start < kept[at].start:
            yield it._replace(start=start, end=kept[at].start)
        start = max(start, kept[at].end)
        at += 1
    if start == it.start:
        yield it
    elif start < it.end:
        yield it._replace(start=start)


def _length(text: str, part: Finding) -> int:
    return sum(map(str.isalnum, text[part.start : part.end]))
