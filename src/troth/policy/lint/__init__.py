"""The policy linter: rules are data, each with its citation and dates.

`lint` needs only the text; with `LintFacts` from a declaration, conditions become facts and the text is compared with
what is declared. A finding quotes the words that it is about, or names what is missing.
"""

from troth.policy.lint.data import as_data, as_sarif
from troth.policy.lint.facts import LintFacts, SiteFacts
from troth.policy.lint.fixes import Fix, FixedText, apply_fixes
from troth.policy.lint.model import REGIMES, Hit, LintError, LintFinding, LintRule, LintSeverity
from troth.policy.lint.page import as_html
from troth.policy.lint.rules import rules
from troth.policy.lint.run import LintReport, lint

__all__ = [
    "REGIMES",
    "Fix",
    "FixedText",
    "Hit",
    "LintError",
    "LintFacts",
    "LintFinding",
    "LintReport",
    "LintRule",
    "LintSeverity",
    "SiteFacts",
    "apply_fixes",
    "as_data",
    "as_html",
    "as_sarif",
    "lint",
    "rules",
]
