"""What the board can show of itself: that no change of the policy waits for people to be told."""

from __future__ import annotations

from collections.abc import Callable

from troth.controls import ControlFinding, ControlResult, Evidence, answers

_SCOPE = frozenset({"policy"})


@answers("policy.changes_published")
def changes_published(held_back: Callable[[], str]) -> ControlResult:
    """Clause C55: what the policy's file says is published, or is known to come. A version that is held back opens a
    task, which ends when there is a plan, or the change is taken back."""
    why = held_back()
    mend = "say under 'announce' how and when people are told, or take the change back; see `troth policy diff`"
    return ControlResult.of(
        "A version of the policy is held back." if why else "No version of the policy is held back.",
        evidence=Evidence(_SCOPE, _SCOPE, population=1, tested=1),
        findings=[ControlFinding("policy", why, mend)] if why else [],
    )
