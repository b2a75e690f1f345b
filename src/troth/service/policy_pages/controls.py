"""Control on the policy pages: no change of the policy is withheld for lack of an announcement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.service.core.deployment import Deployment
from troth.service.policy_pages.publication import held_back, is_published

_SCOPE = frozenset({"policy"})


def held_back_now(deployment: Deployment, now: dt.datetime) -> Callable[[], str]:
    """Why a version of the policy is not published, when asked."""
    return partial(held_back, deployment, now)


def is_published_now(deployment: Deployment, now: dt.datetime) -> Callable[[], bool]:
    """Whether every version is published, when asked."""
    return partial(is_published, deployment)


@answers("policy.changes_published")
def changes_published(held_back: Callable[[], str], is_published: Callable[[], bool]) -> ControlResult:
    """Clause C55: the text in the policy's file is published, or announced. A withheld version opens a task, which
    closes once there is a plan or the change is reverted. One that waits for the next pass shows nothing yet."""
    why = held_back()
    if not why and not is_published():
        waits = "A version of the policy waits to be published: `troth keep` or `troth serve` does that."
        return ControlResult(CheckOutcome.NOT_APPLICABLE, waits, Evidence(_SCOPE, _SCOPE))
    fix = "say under 'announce' how and when people are told, or undo the change; see `troth policy diff`"
    return ControlResult.of(
        "A version of the policy is held back." if why else "No version of the policy is held back.",
        evidence=Evidence(_SCOPE, _SCOPE, population=1, tested=1),
        findings=[ControlFinding("policy", why, fix)] if why else [],
    )
