"""Ordinary business of the assurance of promises; its breaches are in the modules that this one imports."""

from __future__ import annotations

from troth.rehearsal import World
from troth.service.assurance.rehearsal import outside, reviews


def ordinary(world: World) -> None:
    """People answer for our mailboxes, a prober reports, and an officer compares the policy with the law."""
    outside.ordinary(world)
    reviews.ordinary(world)
