"""Ordinary business and breaches of what is said about changes of the policy."""

from __future__ import annotations

import datetime as dt

from troth.declaration.versions import Announcement
from troth.rehearsal import World, register
from troth.rehearsal.faults.policy import KEPT_FOR_EVER, with_sentence
from troth.rehearsal.papers import rewrite_policy
from troth.service.core.deployment import current
from troth.service.policy_pages.publication import publish


def ordinary(world: World) -> None:
    """The first version of the policy is published."""
    publish(current(), world.now)


def weaken(world: World, *, counts_in_days: int, told_days_ago: int | None = None) -> None:
    """The file of the policy promises less. It counts some days from now; the declaration says when people were told of
    it."""
    today = world.now.date()
    rewrite_policy(world, with_sentence(world, KEPT_FOR_EVER))
    told = None
    if told_days_ago is not None:
        on = today - dt.timedelta(days=told_days_ago)
        told = Announcement(how=("email", "site"), days_before=30, on=on)
    changed = {"effective": today + dt.timedelta(days=counts_in_days), "announce": told}
    world.declare(policy=world.declaration.policy.model_copy(update=changed))


def unpublished(world: World) -> None:
    rewrite_policy(world, with_sentence(world, "We never share your personal data with third parties."))


def unsent_announcement(world: World) -> None:
    weaken(world, counts_in_days=60, told_days_ago=0)
    publish(current().but(declaration=world.declaration, policy=world.policy), world.now)


register(__name__)
