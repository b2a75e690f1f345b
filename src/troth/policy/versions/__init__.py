"""The versions of a policy: what changed from one to the next, and whether the later one promises less.

`compare` goes clause by clause and gives every verdict its reason. A promise that is gone, a use, a recipient or a
purpose that is new, a longer period, a hedge or an exception makes a version weaker; a weaker version is not published
without a plan of how people learn of it.
"""

from __future__ import annotations

from troth.policy.versions.comparing import Change, Comparison, Verdict, compare

__all__ = ["Change", "Comparison", "Verdict", "compare"]
