"""Which findings stay where several claim the same characters."""

from __future__ import annotations

from collections.abc import Iterable

from troth.detect.finding import Finding

__all__ = ["resolved"]


def resolved(findings: Iterable[Finding]) -> list[Finding]:
    """Findings that do not overlap, by place. The higher score stays; of equal ones the longer, of those the earlier.

    Nothing that was claimed is left uncovered without reason: what loses only because a part of it is taken keeps the
    rest where the rest is whole words. (See docs/explain/detection.md.)
    """
    kept: list[Finding] = []
    for it in sorted(findings, key=lambda it: (-it.score, it.start - it.end, it.start)):
        if not any(it.start < other.end and other.start < it.end for other in kept):
            kept.append(it)
    return sorted(kept)
