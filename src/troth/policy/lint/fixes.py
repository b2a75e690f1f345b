"""Automatic fixes: the wording that a rule proposes, if it removes the finding and affects nothing else.

A fix is applied only if a second run has lost exactly that finding and has no new one. So fixing never changes what the
policy says and is idempotent, and whatever needs judgement is left to a person.
"""

from __future__ import annotations

import difflib
import functools
import html
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from troth.data_files import read_toml
from troth.policy.lint.model import LintFinding
from troth.policy.lint.run import LintReport
from troth.policy.parse import Kind

_MENDS_MAX = 300
"""Maximum number of fixes in a run; each may require another run of the linter."""
_ROUNDS = 2

_FILLS = "S.empty-list"

Look = Callable[[str], LintReport]
"""Parses a policy's text and lints it with the same rules, date and facts."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Replace characters *start* to *end* (exclusive) of the source with *write*."""

    finding: LintFinding
    start: int
    end: int
    write: str


@dataclass(frozen=True, slots=True)
class FixedText:
    """The policy's text before (*source*) and after (*text*) the fixes in *fixes*."""

    source: str
    text: str
    fixes: tuple[Fix, ...]

    def diff(self, name: str) -> str:
        """The change as a unified diff of the file *name*; empty if nothing changes."""
        before, after = (text.splitlines(keepends=True) for text in (self.source, self.text))
        return "".join(_ended(line) for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"))


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def apply_fixes(source: str, *, kind: Kind, look: Look) -> FixedText:
    """Apply all possible fixes to *source*: all at once, or one by one if together they have other effects."""
    report = look(source)
    fixes = [one for one in map(functools.partial(_proposed, source, kind), report.findings) if one is not None]
    fixes = _apart(fixes)[:_MENDS_MAX]
    if not _is_exact(report, look(_written(source, fixes)), fixes):
        fixes = _together(source, fixes, look, report)
    return FixedText(source, _written(source, fixes), tuple(fixes))


def _together(source: str, fixes: Sequence[Fix], look: Look, report: LintReport) -> list[Fix]:
    """Those of *fixes* that together have no other effects, added one by one. A second round follows, because a fix may
    enable one that was tried before it."""
    chosen: list[Fix] = []
    for one in itertools.chain.from_iterable(itertools.repeat(fixes, _ROUNDS)):
        if one not in chosen:
            tried = sorted([*chosen, one], key=lambda fix: fix.start)
            if _is_exact(report, look(_written(source, tried)), tried):
                chosen = tried
    return chosen


def _proposed(source: str, kind: Kind, finding: LintFinding) -> Fix | None:
    """The finding's fix, if its quote is in the source verbatim, without markup inside."""
    if finding.start is None or finding.end is None:
        return None
    start, end, write = finding.start, finding.end, finding.replacement
    if write is None:
        for row in read_toml(__package__, "fixing.toml").get(finding.of, ()):
            if found := re.search(row["find"], source[start:end]):
                return Fix(finding, start + found.start(), start + found.end(), row["write"])
        return None
    there = source[start:end]
    if " ".join((html.unescape(there) if kind == "html" else there).split()) != " ".join(finding.quote.split()):
        return None
    return Fix(finding, start, end, html.escape(write, quote=False) if kind == "html" else write)


def _apart(fixes: Iterable[Fix]) -> list[Fix]:
    """The fixes that do not overlap, by position; of two overlapping ones the first."""
    apart: list[Fix] = []
    for one in sorted(fixes, key=lambda one: (one.start, one.end)):
        if not apart or one.start >= apart[-1].end:
            apart.append(one)
    return apart


def _written(source: str, fixes: Sequence[Fix]) -> str:
    parts, at = [], 0
    for one in fixes:
        parts += [source[at : one.start], one.write]
        at = one.end
    return "".join((*parts, source[at:]))


def _is_exact(before: LintReport, after: LintReport, fixes: Sequence[Fix]) -> bool:
    """True if exactly the findings of *fixes* are gone. Fixes do not move lines. Filling an empty list may also remove
    findings of missing content elsewhere; with it more may disappear, but none may be new."""
    wanted = Counter(_places(before.findings)) - Counter(_places(one.finding for one in fixes))
    found = Counter(_places(after.findings))
    return not found - wanted if any(one.finding.of == _FILLS for one in fixes) else found == wanted


def _places(findings: Iterable[LintFinding]) -> Iterator[tuple[str, int | None]]:
    for finding in findings:
        yield finding.rule, finding.line
