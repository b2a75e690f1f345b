"""How good the shipped weights are on marked texts: precision, recall, confusion, and what scores are worth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tools.name_model.corpora import KINDS, Document

from troth.detect.ner.finder import WORDS_MAX, Names
from troth.detect.ner.model import read
from troth.detect.ner.network import NameTagger
from troth.detect.text import FoldedText

_FOUND_AS: Final = {"PERSON": "PERSON", "LOCATION": "LOCATION", "ORGANIZATION": "ORG"}
_NONE: Final = "none"


class Span(NamedTuple):
    """A marked name, or one that was found."""

    start: int
    end: int
    kind: str
    score: float


def figures(documents: Iterable[Document], weights: Path) -> Iterator[str]:
    """Lines of a report. A name is found, and a finding right, where half of its characters are the other's too."""
    confused, found_names, all_names = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    scored: list[list[tuple[float, bool]]] = [[], [], []]
    for wanted, found in _compared(documents, weights):
        for span in wanted:
            all_names[span.kind] += 1
            found_names[span.kind] += _covered(span, _of(span.kind, found)) >= 0.5
            confused[span.kind, _nearest(span, found)] += 1
        for span in found:
            scored[KINDS.index(span.kind) - 1].append((span.score, _covered(span, _of(span.kind, wanted)) >= 0.5))
            confused[_NONE, span.kind] += _covered(span, wanted) < 0.5
    for kind, them in zip(KINDS[1:], scored, strict=True):
        precision = sum(is_right for _, is_right in them) / max(1, len(them))
        recall = found_names[kind] / max(1, all_names[kind])
        both = 2 * precision * recall / max(1e-9, precision + recall)
        yield f"{kind:9} P {precision:.3f}  R {recall:.3f}  F1 {both:.3f}"
    yield from _table(confused)
    yield from _worth([it for them in scored for it in them])


def judged(documents: Iterable[Document], weights: Path) -> list[list[tuple[float, bool]]]:
    """For each kind, the score of each finding and whether it was right."""
    scored: list[list[tuple[float, bool]]] = [[], [], []]
    for wanted, found in _compared(documents, weights):
        for span in found:
            scored[KINDS.index(span.kind) - 1].append((span.score, _covered(span, _of(span.kind, wanted)) >= 0.5))
    return scored


def _compared(documents: Iterable[Document], weights: Path) -> Iterator[tuple[list[Span], list[Span]]]:
    with weights.open("rb") as file:
        names = Names(NameTagger(read(file), words_max=WORDS_MAX))
    for it in documents:
        found = names.find(FoldedText(it.text))
        yield (
            [Span(start, end, KINDS[kind], 1.0) for start, end, kind in it.names],
            [Span(at.start, at.end, _FOUND_AS[at.type], at.score) for at in found],
        )


def _of(kind: str, spans: Iterable[Span]) -> list[Span]:
    return [it for it in spans if it.kind == kind]


def _covered(span: Span, others: Iterable[Span]) -> float:
    shared = sum(max(0, min(span.end, it.end) - max(span.start, it.start)) for it in others)
    return shared / (span.end - span.start)


def _nearest(span: Span, found: Iterable[Span]) -> str:
    best = max(found, key=lambda it: _covered(span, [it]), default=None)
    return best.kind if best and _covered(span, [best]) >= 0.5 else _NONE


def _table(confused: Counter[tuple[str, str]]) -> Iterator[str]:
    kinds = [*KINDS[1:], _NONE]
    yield "marked / found " + "".join(f"{it:>10}" for it in kinds)
    for marked in kinds:
        yield f"{marked:15}" + "".join(f"{confused[marked, it]:10}" for it in kinds)


def _worth(scored: Iterable[tuple[float, bool]]) -> Iterator[str]:
    tenths = defaultdict[int, list[bool]](list)
    for score, is_right in scored:
        tenths[min(9, int(score * 10))].append(is_right)
    for tenth, them in sorted(tenths.items()):
        yield f"scores from {tenth / 10:.1f}: {sum(them) / len(them):.2f} right of {len(them)}"
