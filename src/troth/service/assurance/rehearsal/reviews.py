"""Ordinary business and breaches of the reviews of the policy against the law."""

from __future__ import annotations

from dataclasses import replace

from troth.ledger import Hash
from troth.rehearsal import Inapplicable, World, register
from troth.rehearsal.faults.policy import with_sentence
from troth.rehearsal.papers import rewrite_policy
from troth.service.assurance.law_reviews import ReviewedTexts, record_review
from troth.service.assurance.models import LawReviewRow
from troth.service.staff.models import StaffMember


def ordinary(world: World) -> None:
    """An officer has compared the policy and the rules with the law."""
    _review(world, ReviewedTexts.of(world.policy.published))


def _review(world: World, texts: ReviewedTexts) -> None:
    officer = StaffMember.objects.order_by("id").first()
    if officer is None:
        raise Inapplicable("nobody works here")
    record_review(texts, by=officer, actor="staff", now=world.now)


def review_only_dated(world: World) -> None:
    world.wait(400)
    LawReviewRow.objects.update(at=world.now)


def changed_policy(world: World) -> None:
    rewrite_policy(world, with_sentence(world, "We answer the telephone on every working day."))


def other_rules(world: World) -> None:
    texts = ReviewedTexts.of(world.policy.published)
    LawReviewRow.objects.all().delete()
    _review(world, replace(texts, rules=Hash.of(b"other rules").text))


register(__name__)
