"""Breaches of what is said about changes of the policy. The jobs of ordinary business publish its first version."""

from __future__ import annotations

import datetime as dt

from troth.declaration.versions import Announcement
from troth.rehearsal import World, breach
from troth.rehearsal.faults.policy import KEPT_FOR_EVER, with_sentence
from troth.rehearsal.papers import rewrite_policy
from troth.service.core.deployment import current
from troth.service.policy_pages.publication import publish


def _weaken(world: World, *, counts_in_days: int, told_days_ago: int | None = None) -> None:
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


@breach("policy.changes_published", "Somebody weakens the policy, and says nothing to anybody.")
def silent_change(world: World) -> None:
    _weaken(world, counts_in_days=0)


@breach("policy.changes_published", "People are told of a weaker policy three days before it counts.")
def announced_late(world: World) -> None:
    _weaken(world, counts_in_days=3, told_days_ago=0)


@breach("policy.changes_published", "The announcement of a weaker policy is dated back by two months.")
def announced_before_written(world: World) -> None:
    _weaken(world, counts_in_days=0, told_days_ago=60)


@breach("policy.changes_published", "A new policy waits, because the process that publishes has stopped.")
def unpublished(world: World) -> None:
    rewrite_policy(world, with_sentence(world, "We never share your personal data with third parties."))


@breach(
    "policy.changes_published",
    "A weaker policy is announced in the declaration, and nobody sends the e-mails.",
    unseen="it knows the day that somebody declared, and no e-mail",
)
def unsent_announcement(world: World) -> None:
    _weaken(world, counts_in_days=60, told_days_ago=0)
    publish(current().but(declaration=world.declaration, policy=world.policy), world.now)
