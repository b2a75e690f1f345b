"""The versions of a policy: what changed from one to the next, and whether the later one promises less.

`compare` goes clause by clause and gives every verdict its reason. A promise that is gone, a use, a recipient or a
purpose that is new, a longer period, a hedge or an exception makes a version weaker; a weaker version is not published
without a plan of how people learn of it.
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
    """What needs the declaration is loaded when it is first used: a comparison does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "denying" if name == "denied_by" else "published"
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return value
