"""How well personal data is found in marked text: what is missed, what is found without cause, what is taken for what.

    python -m tools.measure_detection FILE... [--no-names] [--min-score 0.5] [--all-types] [--json]

FILE is marked text, see `tools.marked`. A mark is found where findings of its type or group cover half of its
characters, and a finding is right where half of it lies in marks of its type or group; types that no mark of these
files names are left out, since nobody marked them, but with ``--all-types``. *Uncovered* are the letters and digits of
marks that no finding covers, *masked without cause* those outside of marks that one does.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tools.marked import Marked, documents, is_called

from troth.detect import Detector, Finding, Unscanned

_NOTHING: Final = "nothing"
_HALF: Final = 0.5


@dataclass(slots=True)
class Count:
    """Marks of one name, and findings of its types."""

    marks: int = 0
    found: int = 0
    findings: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.findings or 1)

    @property
    def recall(self) -> float:
        return self.found / (self.marks or 1)

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / ((self.precision + self.recall) or 1)


@dataclass(slots=True)
class Measured:
    """What was counted over all texts. *taken* says for each name of a mark what its places were taken for."""

    by_name: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    taken: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    signs: Counter[str] = field(default_factory=Counter)
    unscanned: int = 0


def measured(detector: Detector, marked: Iterable[Marked], *, all_types: bool = False) -> Measured:
    """Looks for personal data in each text and compares it with the marks; *all_types* where all would be marked."""
    all_ = list(marked)
    names = {name for it in all_ for _, _, name in it.marks}
    total = Measured()
    for found, document in zip(detector.find_many(it.text for it in all_), all_, strict=True):
        if isinstance(found, Unscanned):
            total.unscanned += 1
            _count(total, document, [], names)
        else:
            counted = [it for it in found if all_types or any(is_called(it.type, name) for name in names)]
            _count(total, document, counted, names)
    return total


def _count(total: Measured, document: Marked, found: list[Finding], names: set[str]) -> None:
    for start, end, name in document.marks:
        count = total.by_name[name]
        count.marks += 1
        count.found += _covered(start, end, [it[:2] for it in found if is_called(it.type, name)]) >= _HALF
        total.taken[name][_nearest(start, end, found)] += 1
    for it in found:
        is_right = False
        for name in names:
            if is_called(it.type, name):
                these = [mark[:2] for mark in document.marks if is_called(it.type, mark[2])]
                is_right = _covered(it.start, it.end, these) >= _HALF
                total.by_name[name].findings += 1
                total.by_name[name].right += is_right
        if not is_right and _covered(it.start, it.end, [mark[:2] for mark in document.marks]) < _HALF:
            total.taken[_NOTHING][it.type] += 1
    marks, findings = _places([it[:2] for it in document.marks]), _places([it[:2] for it in found])
    shown = {at for at, sign in enumerate(document.text) if sign.isalnum()}
    total.signs += Counter(
        all=len(shown), marked=len(shown & marks), uncovered=len(shown & marks - findings),
        masked=len(shown & findings - marks),
    )  # fmt: skip


def _places(spans: Iterable[tuple[int, int]]) -> set[int]:
    return {at for start, end in spans for at in range(start, end)}


def _covered(start: int, end: int, by: Iterable[tuple[int, int]]) -> float:
    """The share of a place that others cover."""
    return len(_places([(start, end)]) & _places(by)) / (end - start or 1)


def _nearest(start: int, end: int, found: Iterable[Finding]) -> str:
    """The type of what covers most of a place."""
    most = max(found, key=lambda it: min(end, it.end) - max(start, it.start), default=None)
    return most.type if most and most.start < end and start < most.end else _NOTHING


def figures(total: Measured) -> dict[str, Any]:
    """The same as plain data."""
    signs = total.signs
    return {
        "types": {
            name: {
                "marks": it.marks,
                "precision": round(it.precision, 3),
                "recall": round(it.recall, 3),
                "f1": round(it.f1, 3),
            }
            for name, it in sorted(total.by_name.items())
        },
        "taken_for": {name: dict(by.most_common()) for name, by in sorted(total.taken.items())},
        "uncovered": round(signs["uncovered"] / (signs["marked"] or 1), 4),
        "masked_without_cause": round(signs["masked"] / (signs["all"] or 1), 4),
        "unscanned": total.unscanned,
    }


def _lines(it: dict[str, Any]) -> Iterable[str]:
    yield "| marked | marks | precision | recall | F1 | taken for |"
    yield "|---|--:|--:|--:|--:|---|"
    for name, of in it["types"].items():
        taken = ", ".join(f"{count} {type_}" for type_, count in it["taken_for"].get(name, {}).items())
        yield f"| {name} | {of['marks']} | {of['precision']:.2f} | {of['recall']:.2f} | {of['f1']:.2f} | {taken} |"
    false = ", ".join(f"{count} {type_}" for type_, count in it["taken_for"].get(_NOTHING, {}).items())
    yield f"| nothing | | | | | {false} |"
    yield ""
    yield (
        f"Uncovered: {it['uncovered']:.1%} of marked letters and digits. "
        f"Masked without cause: {it['masked_without_cause']:.1%} of all. Unscanned texts: {it['unscanned']}."
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("files", nargs="+", type=Path)
    asked.add_argument("--no-names", action="store_true", help="look for no people, places and organisations")
    asked.add_argument("--min-score", type=float, default=0.5)
    asked.add_argument(
        "--all-types", action="store_true", help="count types that no mark names, as found without cause"
    )
    asked.add_argument("--json", action="store_true", help="print JSON instead of a table in Markdown")
    options = asked.parse_args()
    detector = Detector(names=not options.no_names, min_score=options.min_score)
    said = figures(measured(detector, documents(options.files), all_types=options.all_types))
    print(json.dumps(said, indent=2) if options.json else "\n".join(_lines(said)))


if __name__ == "__main__":
    main()
