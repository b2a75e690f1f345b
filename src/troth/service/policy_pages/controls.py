"""Control on the policy pages: no change of the policy is withheld for lack of an announcement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial

from troth.controls import ControlFinding, ControlResult, Evidence, answers
from troth.service.core.deployment import Deployment
from troth.service.policy_pages.publication import held_back

_SCOPE = frozenset({"policy"})


def held_back_now(deployment: Deployment, now: dt.datetime) -> Callable[[], str]:
    """Why a version of the policy is not published, when asked."""
    return partial(held_back, deployment, now)


@answers("policy.changes_published")
def changes_published(held_back: Callable[[], str]) -> ControlResult:
    """Clause C55: the text in the policy's file is published, or announced. A withheld version opens a task, which
    closes once there is a plan or the change is reverted."""
    why = held_back()
    fix = "say under 'announce' how and when people are told, or undo the change; see `troth policy diff`"
    return ControlResult.of(
        "A version of the policy is held back." if why else "No version of the policy is held back.",
        evidence=Evidence(_SCOPE, _SCOPE, population=1, tested=1),
        findings=[ControlFinding("policy", why, fix)] if why else [],
    )
