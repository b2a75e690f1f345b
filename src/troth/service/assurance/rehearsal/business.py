"""Ordinary business of the assurance of promises; its breaches are in the modules that this one imports."""

from __future__ import annotations

from troth.rehearsal import World
from troth.service.assurance.rehearsal import canaries, outside, reviews


def ordinary(world: World) -> None:
    """People answer for our mailboxes, a prober reports, an officer compares the policy with the law, and a canary is
    planted and erased."""
    outside.ordinary(world)
    reviews.ordinary(world)
    canaries.ordinary(world)
