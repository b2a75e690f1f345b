"""Findings as one HTML file: the policy with the findings next to each sentence. Without scripts or external resources,
printable and accessible to screen readers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from typing import Final

from troth import __version__
from troth.policy.lint.model import LintFinding, LintSeverity
from troth.policy.lint.run import LintReport
from troth.policy.text import Block, PolicyText, Sentence
from troth.reports.base import html_page
from troth.reports.base import safe as _

_WORDS: Final = {LintSeverity.ERROR: "error", LintSeverity.WARNING: "warning", LintSeverity.INFO: "note"}
_TALLY: Final = {LintSeverity.ERROR: "error", LintSeverity.WARNING: "warning", LintSeverity.INFO: "piece of advice"}
_MANY: Final = {LintSeverity.ERROR: "errors", LintSeverity.WARNING: "warnings", LintSeverity.INFO: "pieces of advice"}
_TOP: Final = (
    '<b>Troth policy lint</b><nav aria-label="Sections"><a href="#whole">As a whole</a>\n'
    '<a href="#text">Sentence by sentence</a></nav>'
)
_NOTHING: Final = '<p class="soft">Nothing that was checked for is missing.</p>'
_MODEST: Final = "Only what a rule checks is found: a page without findings is not a proof."


_Marked = tuple[int, int, LintSeverity]


def as_html(report: LintReport, policy: PolicyText, *, name: str) -> str:
    """The complete self-contained page; *name* identifies the policy."""
    by_sentence = defaultdict[str, list[LintFinding]](list)
    whole = _gravest_first(finding for finding in report.findings if finding.sentence is None)
    for finding in report.findings:
        if finding.sentence is not None:
            by_sentence[finding.sentence.id].append(finding)
    notes = "".join(map(_note, whole))
    return html_page(
        f"Findings in {name}",
        [
            "<h1>What is wrong with this policy</h1>",
            f'<p class="lead"><code>{_(name)}</code>, checked with the rules in force on {report.as_of:%-d %B %Y}.',
            "Not legal advice: each finding says what to check, and why.</p>",
            _tally(report),
            '<h2 id="whole">The policy as a whole</h2>',
            f'<div class="whole">{notes or _NOTHING}</div>',
            '<h2 id="text">Sentence by sentence</h2>',
            *(_row(block, by_sentence) for block in policy.blocks),
        ],
        style=resources.files(__package__).joinpath("page.css").read_text("utf-8"),
        top=_TOP,
        foot=f"Made by Troth {_(__version__)}. {_MODEST}",
    )


def _tally(report: LintReport) -> str:
    counts = report.counts
    shown = [
        f"<li><b>{count}</b> {_TALLY[severity] if count == 1 else _MANY[severity]}</li>"
        for severity, count in counts.items()
    ]
    return f'<ul class="tally">{"".join(shown)}</ul>'


def _gravest_first(findings: Iterable[LintFinding]) -> list[LintFinding]:
    return sorted(findings, key=lambda finding: list(LintSeverity).index(finding.severity))


def _row(block: Block, findings: dict[str, list[LintFinding]]) -> str:
    """A block of the policy with its findings next to it."""
    words = " ".join(_sentence(sentence, findings.get(sentence.id, ())) for sentence in block.sentences)
    beside = [finding for sentence in block.sentences for finding in findings.get(sentence.id, ())]
    notes = "".join(map(_note, _gravest_first(beside)))
    aside = f'<div class="notes">{notes}</div>' if notes else ""
    return f'<div class="row"><div class="text">{_block(block, words)}</div>{aside}</div>'


def _block(block: Block, words: str) -> str:
    if block.kind == "heading":
        return f'<p role="heading" aria-level="{min(block.depth + 2, 6)}">{words}</p>'
    kind = "item" if block.kind == "list_item" else "cell" if block.cell is not None else ""
    return f'<p class="{kind}">{words}</p>' if kind else f"<p>{words}</p>"


def _sentence(sentence: Sentence, findings: Sequence[LintFinding]) -> str:
    """The sentence with the faulty words marked; where findings overlap, the most severe decides the colour."""
    parts = list[str]()
    at = 0
    for start, end, severity in _marked(sentence, findings):
        parts += [
            _(sentence.text[at:start]),
            f'<span class="said {_WORDS[severity]}">{_(sentence.text[start:end])}</span>',
        ]
        at = end
    return "".join((*parts, _(sentence.text[at:])))


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


def _note(finding: LintFinding) -> str:
    word = _WORDS[finding.severity]
    label = "advice" if word == "note" else word
    where = f" · line {finding.line}" if finding.line is not None else ""
    condition = " · only under a condition that the text does not settle" if finding.conditional else ""
    crawl = "" if finding.evaluable else " · the text alone cannot show it"
    proposal = (
        f"<p>Write: <q>{_(finding.replacement)}</q></p>"
        if finding.replacement and finding.replacement not in finding.fix
        else ""
    )
    looked = f'<p class="soft">Looked for: {_(finding.quote)}.</p>' if finding.line is None and finding.quote else ""
    return (
        f'<div class="finding {word}"><p><span class="mark {word}">{label}</span>{_(finding.message)}</p>{looked}'
        f"<p>{_(finding.fix)}</p>{proposal}"
        f'<p class="about"><code>{_(finding.rule)}</code> · {_(finding.citation)}{where}{condition}{crawl}</p></div>'
    )
