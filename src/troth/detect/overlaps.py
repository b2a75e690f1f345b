"""Resolves overlaps between findings, and decides what remains of those that lose."""

from __future__ import annotations

import bisect
import itertools
import operator
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from troth.detect.finding import Finding
from troth.detect.speech.remainders import OF_WORDS, SPOKEN, is_only_words

_MARGIN: Final = 0.25
"""How much higher a finding must score than a longer one around it to replace it."""
_REST_SCORE: Final = 0.6
_REST_LENGTH: Final = 3
_AROUND: Final = " \t\r\n,;"
"""Trimmed from the ends of a remainder."""
_PROVEN: Final = 0.85
_LIKELY: Final = 0.8
"""Scores from which digits that pass their check override a spoken finding around them: any, or one that starts in
words."""
_TAKEN: Final = b"\1"
_TOO_SHORT: Final = b"\2"
"""Marks free characters between taken ones that are too short for a remainder."""
_START: Final = operator.itemgetter(0)


def resolved(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Findings without overlaps, by position.

    1. A finding inside a longer one is dropped, unless its score is higher by more than 0.25.
    2. Of two that overlap, the higher score wins; then the longer one, the earlier one, the name of the type.
    3. The loser keeps the remainder as a finding of its own, so that nothing leaks, unless its score is below 0.6,
       fewer than three letters or digits are left, or only words of a spoken finding that are not part of the value.
    4. A spoken finding yields to digits inside it that pass their check, unless it passes its own.
    5. A place that overlaps an address becomes an address.
    """
    kept: list[Finding] = []
    together: list[Finding] = []
    past = -1
    for it in sorted(findings, key=_START):
        if it.start >= past:
            kept += together if len(together) < 2 else _settled(together, text)
            together = [it]
            past = it.end
        else:
            together.append(it)
            past = max(past, it.end)
    return kept + (together if len(together) < 2 else _settled(together, text))


def _settled(together: list[Finding], text: str) -> list[Finding]:
    """The findings that remain of a group in which each overlaps another."""
    together = sorted(_with_addresses(together), key=_widest_and_surest_first)
    giving_way = _giving_way(together, text)
    outermost = [*_outermost(it for it in together if it not in giving_way)]
    if len(outermost) < 2 and not giving_way:
        return outermost
    kept: list[Finding] = []
    begin = together[0].start
    taken = bytearray(max(it.end for it in together) - begin)
    for it in [*sorted(outermost, key=_surest_and_longest_first), *sorted(giving_way, key=_surest_and_longest_first)]:
        for part in _left(it, taken, begin, text):
            kept.append(part)
            taken[part.start - begin : part.end - begin] = _TAKEN * (part.end - part.start)
    return sorted(kept)


def _widest_and_surest_first(it: Finding) -> tuple[object, ...]:
    start, end, kind, score, recogniser, checked, told = it
    return start, -end, -score, kind, recogniser, not checked, checked is None, not told


def _surest_and_longest_first(it: Finding) -> tuple[object, ...]:
    return -it.score, it.start - it.end, it.start, it.type


def _giving_way(findings: list[Finding], text: str) -> frozenset[Finding]:
    """The spoken ones among *findings*, which are in order of position, that contain digits that pass their check."""
    said = [it for it in findings if it.recogniser.startswith(SPOKEN) and not it.checked and it.type not in OF_WORDS]
    if not said:
        return frozenset()
    checked = [it for it in findings if it.checked and it.score >= _LIKELY and _is_in_figures(it, text)]
    in_words = (it for it in said if text[it.start].isalpha())
    return _around(said, [it for it in checked if it.score >= _PROVEN]) | _around(in_words, checked)


def _around(findings: Iterable[Finding], figures: list[Finding]) -> frozenset[Finding]:
    """Those of *findings* that contain some of *figures*, which are in order of position."""
    starts = [it.start for it in figures]
    ends = [*itertools.accumulate((it.end for it in reversed(figures)), min)][::-1]
    ends.append(sys.maxsize)
    return frozenset(
        it
        for it in findings
        if ends[bisect.bisect_left(starts, it.start)] < it.end or ends[bisect.bisect_right(starts, it.start)] <= it.end
    )


def _is_in_figures(it: Finding, text: str) -> bool:
    """True if a finding is written and has more digits than letters."""
    written = text[it.start : it.end]
    is_written = not it.recogniser.startswith(SPOKEN)
    return is_written and sum(map(str.isdigit, written)) > sum(map(str.isalpha, written))


def _with_addresses(findings: list[Finding]) -> list[Finding]:
    """*findings*, which are in order of position, with places that overlap an address turned into addresses."""
    addresses = [it for it in findings if it.type == "ADDRESS" and it.score >= _REST_SCORE]
    if not addresses:
        return findings
    starts = [it.start for it in addresses]
    reach = list(itertools.accumulate((it.end for it in addresses), max))
    changed = []
    for it in findings:
        before = bisect.bisect_left(starts, it.end) if it.type == "LOCATION" else 0
        changed.append(it._replace(type="ADDRESS") if before and reach[before - 1] > it.start else it)
    return changed


def _outermost(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings that no longer one before them contains, or that score much higher than that one."""
    around: Finding | None = None
    for it in findings:
        if around is None or it.end > around.end:
            around = it
        elif it.score <= around.score + _MARGIN:
            continue
        yield it


def _left(it: Finding, taken: bytearray, begin: int, text: str) -> list[Finding]:
    """The finding if none of it is taken, else its free remainders; *begin* is the text offset of *taken*."""
    start, end = it.start - begin, it.end - begin
    if taken.find(_TAKEN, start, end) < 0:
        return [it]
    rests: list[Finding] = []
    if it.score >= _REST_SCORE:
        for at, stop in [*_free(taken, start, end)]:
            if sum(map(str.isalnum, text[at + begin : stop + begin])) >= _REST_LENGTH:
                rest = _trimmed(it._replace(start=at + begin, end=stop + begin), text)
                rests += [] if is_only_words(rest, text) else [rest]
            elif start < at and stop < end:
                taken[at:stop] = _TOO_SHORT * (stop - at)  # for other findings too, so that it is not tried again
    return rests


def _free(taken: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    while (start := taken.find(0, start, end)) >= 0:
        stop = taken.find(_TAKEN, start, end)
        stop = end if stop < 0 else stop
        yield start, stop
        start = stop


def _trimmed(rest: Finding, text: str) -> Finding:
    """The finding without white space and commas at its ends."""
    said = text[rest.start : rest.end]
    start = rest.end - len(said.lstrip(_AROUND))
    return rest._replace(start=start, end=start + len(said.strip(_AROUND)))
