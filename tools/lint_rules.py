"""Write docs/reference/lint-rules.md from the catalogue of rules: ``python tools/lint_rules.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from troth.policy.lint import LintRule, LintSeverity, rules

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "lint-rules.md"
_HEAD = """\
# Rules of the linter

What `troth policy lint` looks for: the catalogue, `src/troth/policy/lint/catalogue/`, as `python tools/lint_rules.py`
writes it down. How to use it is in [Lint a policy](../howto/lint-a-policy.md).

**E** means that a legal requirement is missing, or that a statement is not true; **W** misleading, vague or risky;
**I** worth checking. A rule *under a condition* counts only if a fact holds; a declaration settles it, and without one
the finding says so. A rule counts from its day on, and with `--as-of` a policy is read with the law of any day.
"""
_FAMILIES = {
    "GDPR": "What the GDPR asks a policy to say",
    "UK": "What the law of the United Kingdom asks besides",
    "CA": "California: the Online Privacy Protection Act",
    "CCPA": "California: the Consumer Privacy Act",
    "CANSPAM": "Commercial mail in the United States",
    "PECR": "Cookies and marketing mail",
    "SEC": "Security",
    "BREACH": "Breaches",
    "REDRESS": "Redress",
    "KIDS": "Children",
    "X": "Sentences that contradict one another",
    "F": "The text against what is declared, and seen",
    "S": "The text as such",
}


def reference() -> str:
    """The page as it should be."""
    return "\n".join([_HEAD, *_families()])


def _families() -> Iterator[str]:
    known = {rule.id.partition(".")[0] for rule in rules().values()}
    for family in (*_FAMILIES, *sorted(known - _FAMILIES.keys())):
        found = [rule for rule in rules().values() if rule.id.partition(".")[0] == family]
        if found:
            yield f"## {_FAMILIES.get(family, family)}\n\n| rule | | what is wrong | how to fix it | source | since |"
            yield "|---|---|---|---|---|---|"
            yield from map(_row, found)
            yield ""


def _row(rule: LintRule) -> str:
    part = ".…" if rule.id == "S.empty-list" else ""
    notes = [rule.title, *(["*Under a condition.*"] if rule.fact else [])]
    notes += [] if rule.evaluable else ["*The text alone cannot show it.*"]
    fix = "" if "{" in rule.fix else rule.fix
    cells = (f"`{rule.id}{part}`", _letter(rule), " ".join(notes), fix, rule.citation, rule.applies_from.isoformat())
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _letter(rule: LintRule) -> str:
    return "W, E" if rule.id == "S.stale" else str(LintSeverity(rule.severity))


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
