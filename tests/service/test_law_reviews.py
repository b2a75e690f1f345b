"""Somebody of the company compares the policy and the rule sets with the law, and records it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from tests.service.team import DECLARED, bare_member

from troth.controls import Check, CheckOutcome, run
from troth.declaration import parse
from troth.service.assurance import controls, law_reviews
from troth.service.assurance.law_reviews import ReviewedTexts, record_review
from troth.service.assurance.models import LawReviewRow
from troth.service.core.models import EntryRow

NOW = dt.datetime(2026, 12, 1, 9, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
POLICY = "We keep our word."

pytestmark = pytest.mark.sampled


def asked(now: dt.datetime = NOW, policy: str = POLICY) -> Check:
    return run("law.reviewed", {"declaration": parse(DECLARED), "policy_text": policy, "now": now})


def review(policy: str = POLICY, at: dt.datetime = NOW) -> None:
    record_review(ReviewedTexts.of(policy), by=bare_member("ann"), actor="staff", now=at)


def test_a_review_ages(office: Path) -> None:
    assert asked().outcome is CheckOutcome.NOT_APPLICABLE, "the dates of the release are nobody's review"
    review()
    check = asked(NOW + controls.REVIEW_DAYS * DAY)
    assert (check.outcome, check.figures["days"]) == (CheckOutcome.PASS, 365)
    assert check.evidence.period == (NOW, NOW + controls.REVIEW_DAYS * DAY)

    late = asked(NOW + (controls.REVIEW_DAYS + 1) * DAY)
    assert (late.outcome, late.findings[0].message) == (CheckOutcome.FAIL, "the last review is 366 days old")
    changed = asked(NOW + (controls.REVIEW_DAYS + 1) * DAY, policy="We try.")
    assert changed.outcome is CheckOutcome.FAIL, "a changed text does not excuse it"


def test_a_review_that_was_dated_anew_is_found(office: Path) -> None:
    review()
    assert asked().outcome is CheckOutcome.PASS
    LawReviewRow.objects.update(at=NOW + 200 * DAY)
    assert asked(NOW + 300 * DAY).outcome is CheckOutcome.FAIL


def test_a_review_is_of_these_texts(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    review()
    assert asked(policy=POLICY + " Always.").outcome is CheckOutcome.ERROR
    review(POLICY + " Always.", NOW + DAY)
    assert asked(NOW + DAY, POLICY + " Always.").outcome is CheckOutcome.PASS

    monkeypatch.setattr(law_reviews, "rules_digest", lambda: "sha256:" + 64 * "0")
    check = asked(NOW + DAY, POLICY + " Always.")
    assert check.outcome is CheckOutcome.ERROR
    assert "the rule sets of this release are others" in check.summary


def test_a_review_in_the_future_is_no_review(office: Path) -> None:
    review(at=NOW + DAY)
    assert asked().outcome is CheckOutcome.NOT_APPLICABLE


def test_a_review_without_its_policy_is_an_error(office: Path) -> None:
    review()
    assert run("law.reviewed", {"declaration": parse(DECLARED), "now": NOW}).outcome is CheckOutcome.ERROR


def test_the_ledger_names_the_texts_and_a_pseudonym(office: Path) -> None:
    review()
    content = bytes(EntryRow.objects.order_by("pk").last().content)  # type: ignore[union-attr]
    assert ReviewedTexts.of(POLICY).policy.encode() in content
    assert b"ann@" not in content


def test_it_does_not_see_how_carefully_somebody_read(office: Path) -> None:
    """One press, by somebody who read nothing, counts."""
    review()
    assert asked().outcome is CheckOutcome.PASS
