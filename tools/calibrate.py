"""How often findings are right: what each recogniser says, what was seen, and which scores would say so.

    python -m tools.calibrate FILE... [--least 30] [--all] [--names]
    python -m tools.calibrate --reliability FILE...

FILE is marked text, see `tools.marked`. A finding is right where it overlaps a mark of its type or group; types that no
mark of these files names are left out, since nobody marked them. What is proposed is for the findings of one type and
state taken together: a pattern may be better than its recogniser, and marked text holds more values than the world
does, so judge before you raise a score. ``--reliability`` tells by score instead, for all findings that a `Detector`
gives by itself; measure it on other text than the scores were fitted on.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tools.marked import Marked, documents, is_called

from troth.detect import Detector, Finding

_DIFFERENCE: Final = 0.1
"""A score that is nearer to what was measured says it well enough."""
_BINS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.985)
_FOUND: Final = 0.5
"""From which score on a `Detector` gives a finding unless it is asked for less."""


class Kind(NamedTuple):
    """Findings of one type, by one recogniser, in one state of the evidence."""

    recogniser: str
    type: str
    state: str


@dataclass(slots=True)
class Measured:
    """The scores of some findings, and whether each was right."""

    scores: list[float] = field(default_factory=list)
    rights: list[bool] = field(default_factory=list)

    @property
    def right(self) -> int:
        return sum(self.rights)

    @property
    def said(self) -> float:
        """The score they had, on average."""
        return sum(self.scores) / len(self.scores)

    @property
    def fitting(self) -> float:
        """The score that fits what was seen: as if one more had been right and one more wrong, in steps of 0.05."""
        rate = (self.right + 1) / (len(self.scores) + 2)
        return min(0.99, round(rate * 20) / 20)

    def add(self, score: float, *, is_right: bool) -> None:
        self.scores.append(score)
        self.rights.append(is_right)


def measured(texts: Iterable[Marked], *, names: bool = False) -> dict[Kind, Measured]:
    """How often findings were right, by who found what in which state of the evidence."""
    some = list(texts)
    named = {name for it in some for _, _, name in it.marks}
    found: dict[Kind, Measured] = defaultdict(Measured)
    detector = Detector(names=names, min_score=0.05)
    for findings, document in zip(detector.find_many(it.text for it in some), some, strict=True):
        for it in findings if isinstance(findings, list) else ():
            if any(is_called(it.type, name) for name in named):
                is_right = any(_is_of(it, mark) for mark in document.marks)
                found[Kind(it.recogniser, it.type, _state(it))].add(it.score, is_right=is_right)
    return found


def reliability(by_kind: Mapping[Kind, Measured]) -> Iterator[tuple[str, float, Measured]]:
    """By the way of finding and the score that it at least has: what was seen. Empty ones are left out."""
    bins: dict[tuple[str, float], Measured] = defaultdict(Measured)
    for kind, it in by_kind.items():
        for score, is_right in zip(it.scores, it.rights, strict=True):
            if score >= _FOUND:
                at_least = max(bound for bound in _BINS if bound <= score)
                bins[_way(kind.recogniser), at_least].add(score, is_right=is_right)
    for (way, at_least), it in sorted(bins.items()):
        yield way, at_least, it


def _way(recogniser: str) -> str:
    way = recogniser.partition("/")[0]
    return way if way in {"names", "places", "spoken"} else "written"


def _state(finding: Finding) -> str:
    if finding.told:
        return "both" if finding.checked else "told"
    return "checked" if finding.checked else "alone"


def _is_of(finding: Finding, mark: tuple[int, int, str]) -> bool:
    start, end, name = mark
    return finding.start < end and start < finding.end and is_called(finding.type, name)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("files", nargs="+", type=Path)
    asked.add_argument("--least", type=int, default=30, help="propose a score from so many findings on")
    asked.add_argument("--all", action="store_true", help="show those of whose score nothing is to be said, too")
    asked.add_argument("--names", action="store_true", help="look for names and addresses, too")
    asked.add_argument("--reliability", action="store_true", help="how often findings of about one score are right")
    options = asked.parse_args()
    by_kind = measured(documents(options.files), names=options.names or options.reliability)
    if options.reliability:
        _print_reliability(by_kind)
    else:
        _print_proposals(by_kind, options.least, show_all=options.all)


def _print_reliability(by_kind: Mapping[Kind, Measured]) -> None:
    print(f"{'found by':9} {'from':>5} {'found':>6} {'says':>5} {'right':>6}")
    for way, at_least, it in reliability(by_kind):
        print(f"{way:9} {at_least:5.2f} {len(it.scores):6} {it.said:5.2f} {it.right / len(it.scores):6.2f}")


def _print_proposals(by_kind: Mapping[Kind, Measured], least: int, *, show_all: bool) -> None:
    print(f"{'recogniser':24} {'type':24} {'state':8} {'found':>5} {'right':>5}  says  proposed")
    for kind, it in sorted(by_kind.items()):
        many = len(it.scores) >= least
        proposed = f"{it.fitting:.2f}" if many and abs(it.fitting - it.said) > _DIFFERENCE else ""
        if proposed or show_all:
            seen = f"{len(it.scores):5} {it.right:5}  {it.said:.2f}"
            print(f"{kind.recogniser:24} {kind.type:24} {kind.state:8} {seen}  {proposed}")
    count = sum(len(it.scores) for it in by_kind.values())
    print(f"{sum(it.right for it in by_kind.values())} of {count} findings are right")


if __name__ == "__main__":
    main()
