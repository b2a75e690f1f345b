"""How often each recogniser is right, by the evidence it has, and which scores would say so.

    python -m tools.calibrate FILE... [--least 30] [--all]

FILE is marked text, see `tools.marked`. A finding is right where it overlaps a mark of its type or group. What is
proposed is for the findings of a state taken together: a pattern may be better than its recogniser, and text of one
kind tells little of another, so judge before you change a score.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.marked import Marked, documents, is_called

from troth.detect import Detector, Finding

_DIFFERENCE: Final = 0.1
"""A score that is nearer to what was measured says it well enough."""


@dataclass(slots=True)
class Measured:
    """Findings of one recogniser in one state of the evidence."""

    right: int = 0
    scores: list[float] = field(default_factory=list)

    @property
    def said(self) -> float:
        """The score they had, on average."""
        return sum(self.scores) / len(self.scores)

    @property
    def fitting(self) -> float:
        """The score that fits what was seen: as if one more had been right and one more wrong, in steps of 0.05."""
        rate = (self.right + 1) / (len(self.scores) + 2)
        return min(0.99, round(rate * 20) / 20)


def measured(documents: Iterable[Marked]) -> dict[tuple[str, str], Measured]:
    """How often each recogniser was right, by its name and the state of the evidence."""
    found: dict[tuple[str, str], Measured] = defaultdict(Measured)
    detector = Detector(names=False, min_score=0.05)
    texts, those = itertools.tee(documents)
    for findings, document in zip(detector.find_many(it.text for it in texts), those, strict=True):
        for finding in findings if isinstance(findings, list) else ():
            it = found[finding.recogniser, _state(finding)]
            it.scores.append(finding.score)
            it.right += any(_is_of(finding, mark) for mark in document.marks)
    return found


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
    options = asked.parse_args()
    by_state = measured(documents(options.files))
    print(f"{'recogniser':34} {'state':8} {'found':>5} {'right':>5}  says  proposed")
    for (recogniser, state), it in sorted(by_state.items()):
        many = len(it.scores) >= options.least
        proposed = f"{it.fitting:.2f}" if many and abs(it.fitting - it.said) > _DIFFERENCE else ""
        if proposed or options.all:
            print(f"{recogniser:34} {state:8} {len(it.scores):5} {it.right:5}  {it.said:.2f}  {proposed}")
    total = Counter({"found": sum(len(it.scores) for it in by_state.values())})
    total["right"] = sum(it.right for it in by_state.values())
    print(f"{total['right']} of {total['found']} findings are right")


if __name__ == "__main__":
    main()
