"""Compares versions of a policy: what changed, and whether the later version promises less.

`compare` works clause by clause and gives a reason for every verdict. A promise that is gone, a new use, recipient or
purpose, a longer period, a hedge or an exception weakens a version; a weaker version is not published without a plan
for informing people.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from troth.policy.versions.comparing import ClauseChange, Comparison, Verdict, compare

if TYPE_CHECKING:
    from troth.policy.versions.denying import denied_by
    from troth.policy.versions.published import Issue, VersionChange, chain, check, steps, todays

__all__ = [
    "ClauseChange",
    "Comparison",
    "Issue",
    "Verdict",
    "VersionChange",
    "chain",
    "check",
    "compare",
    "denied_by",
    "steps",
    "todays",
]


def __getattr__(name: str) -> object:
    """Imports lazily what needs the declaration, because comparing texts does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "denying" if name == "denied_by" else "published"
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return value
