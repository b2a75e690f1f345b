"""What the policy's pages do in each pass over the promises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from django.utils import timezone

from troth.controls import CheckOutcome
from troth.service.core.checks import latest
from troth.service.core.deployment import Deployment
from troth.service.core.models import Task
from troth.service.policy_pages.offline_copy import copy_published
from troth.service.policy_pages.publication import held_back, publish

_CHANGES_PUBLISHED: Final = "policy.changes_published"


def publish_due(deployment: Deployment, now: dt.datetime) -> None:
    """Publish what is due, and keep a copy for times without a database."""
    publish(deployment, now)
    if deployment.home is not None:
        copy_published(deployment.home, timezone.localdate(now))


def unbound(deployment: Deployment, now: dt.datetime) -> Mapping[str, bool]:
    """`policy.changes_published`, while a version is withheld and until the task for it is closed, though no promise
    depends on it; and whether its last check is out of date."""
    is_held = bool(held_back(deployment, now))
    if not is_held and not Task.objects.filter(control=_CHANGES_PUBLISHED, closed_at=None).exists():
        return {}  # no version waits, and no task has to be closed
    last = latest(_CHANGES_PUBLISHED)
    return {_CHANGES_PUBLISHED: last is not None and (last.outcome is CheckOutcome.FAIL) != is_held}
