"""Findings as one HTML file: the policy with the findings next to each sentence. Without scripts or external resources,
printable and accessible to screen readers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from troth import __version__
from troth.policy.lint.model import LintFinding, LintSeverity
from troth.policy.lint.run import LintReport
from troth.policy.text import Block, PolicyText, Sentence
from troth.reports.base import html_page

_WORDS: Final = {LintSeverity.ERROR: "error", LintSeverity.WARNING: "warning", LintSeverity.INFO: "note"}
_TALLY: Final = {LintSeverity.ERROR: "error", LintSeverity.WARNING: "warning", LintSeverity.INFO: "piece of advice"}
_MANY: Final = {LintSeverity.ERROR: "errors", LintSeverity.WARNING: "warnings", LintSeverity.INFO: "pieces of advice"}
_Marked = tuple[int, int, LintSeverity]


def as_html(report: LintReport, policy: PolicyText, *, name: str) -> str:
    """The complete self-contained page; *name* identifies the policy."""
    by_sentence = defaultdict[str, list[LintFinding]](list)
    for finding in report.findings:
        by_sentence[finding.sentence.id if finding.sentence is not None else ""].append(finding)

    def findings_of(block: Block | None) -> list[LintFinding]:
        """Those of a block, or of the whole policy, the most severe first."""
        ids = [sentence.id for sentence in block.sentences] if block is not None else [""]
        findings = [finding for id_ in ids for finding in by_sentence.get(id_, ())]
        return sorted(findings, key=lambda finding: list(LintSeverity).index(finding.severity))

    return html_page(
        "policy/lint/page.html",
        f"Findings in {name}",
        report=report,
        policy=policy,
        name=name,
        version=__version__,
        words=_WORDS,
        singular=_TALLY,
        plural=_MANY,
        findings_of=findings_of,
        parts_of=lambda sentence: _parts(sentence, by_sentence.get(sentence.id, ())),
    )


def _parts(sentence: Sentence, findings: Sequence[LintFinding]) -> Iterator[tuple[str, LintSeverity | None]]:
    """The sentence in parts; where findings overlap, the most severe decides."""
    at = 0
    for start, end, severity in _marked(sentence, findings):
        yield sentence.text[at:start], None
        yield sentence.text[start:end], severity
        at = end
    yield sentence.text[at:], None


def _marked(sentence: Sentence, findings: Sequence[LintFinding]) -> Iterator[_Marked]:
    """Disjoint ranges of characters, each with its highest severity."""
    spots = []
    for finding in findings:
        start = max(sentence.text.find(finding.quote), 0)
        end = start + len(finding.quote) if sentence.text[start:].startswith(finding.quote) else len(sentence.text)
        spots.append((start, end, finding.severity))
    merged: list[_Marked] = []
    for spot in sorted(spots):
        is_apart = not merged or spot[0] >= merged[-1][1]
        merged.append(spot if is_apart else _both(merged.pop(), spot))
    yield from merged


def _both(finding: _Marked, other: _Marked) -> _Marked:
    return finding[0], max(finding[1], other[1]), min(finding[2], other[2], key=list(LintSeverity).index)
