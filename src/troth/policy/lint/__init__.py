"""What is wrong with a policy: every rule of the catalogue, as data with its citation and dates.

`lint` looks at the text alone; with `Facts`, drawn from a declaration, conditions become facts, and what the text says
is held against what is declared. A finding quotes the words that it is about, or names what was looked for in vain.
"""

from troth.policy.lint.model import Finding, Hit, LintError, Rule, Severity
from troth.policy.lint.rules import rules
from troth.policy.lint.run import Report, lint

__all__ = ["Finding", "Hit", "LintError", "Report", "Rule", "Severity", "lint", "rules"]
