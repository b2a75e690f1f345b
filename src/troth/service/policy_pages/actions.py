"""What the policy's pages do in each pass over the promises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone

from troth.service.core.checks import latest
from troth.service.core.deployment import Deployment
from troth.service.policy_pages.offline_copy import copy_published
from troth.service.policy_pages.publication import CHANGES_PUBLISHED, has_turned, is_asked, publish


def publish_due(deployment: Deployment, now: dt.datetime) -> None:
    """Publish what is due, and keep a copy for times without a database."""
    publish(deployment, now)
    if deployment.home is not None:
        copy_published(deployment.home, timezone.localdate(now))


def unbound(deployment: Deployment, now: dt.datetime) -> Mapping[str, bool]:
    """`policy.changes_published`, where it must run, and whether its last check is out of date."""
    if not is_asked(deployment, now):
        return {}
    return {CHANGES_PUBLISHED: has_turned(deployment, latest(CHANGES_PUBLISHED), now)}
