"""Control on the review of the policy and of the rules that deadlines follow."""

from __future__ import annotations

import datetime as dt

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.law import regimes, starting_soon
from troth.service.assurance.law_reviews import ReviewedTexts, last_review
from troth.text import counted

REVIEW_DAYS = 365
"""Maximum age of a review, in days."""
_SCOPE = frozenset({"law", "policy"})
_FIX = "compare the policy and the rule sets with the law, then: troth policy reviewed --as EMAIL"


@answers("law.reviewed")
def law_reviewed(policy_text: str, now: dt.datetime) -> ControlResult:
    """GDPR Art. 24(1): staff recorded within a year that they compared the rule sets of this release and the present
    policy with the law. Before the first review, and while a changed text waits for the next one, nothing is shown: a
    change alone breaks no promise."""
    review, texts, count = last_review(now), ReviewedTexts.of(policy_text), len(regimes())
    coming = len(starting_soon(now.astimezone(dt.UTC).date()))
    figures = {"rule sets": count, "starting soon": coming}
    evidence = Evidence(_SCOPE, _SCOPE, period=(now - dt.timedelta(days=REVIEW_DAYS), now))
    if review is None:
        never = "Nobody has recorded yet that they compared the policy and the rule sets with the law."
        return ControlResult(CheckOutcome.NOT_APPLICABLE, never, evidence, figures)
    days = (now - review.at).days
    evidence = Evidence(
        _SCOPE, _SCOPE, population=count + 1, tested=count + 1, period=(min(review.at, now), now), query=texts.hash
    )
    figures |= {"days": days}
    summary = f"The policy and {counted(count, 'rule set')} were compared with the law {counted(days, 'day')} ago; "
    summary += f"{counted(coming, 'obligation')} {'starts' if coming == 1 else 'start'} within 90 days."
    findings = []
    if not review.is_intact:
        findings.append(ControlFinding("law", "the last review differs from its ledger entry", "restore a backup"))
    if days > REVIEW_DAYS:
        findings.append(ControlFinding("law", f"the last review is {days} days old", _FIX))
    if not findings and review.texts != texts:
        what = "rule sets of this release are others" if review.texts.rules != texts.rules else "policy has changed"
        waits = f"The last review, {counted(days, 'day')} ago, was of other texts: the {what}."
        return ControlResult(CheckOutcome.NOT_APPLICABLE, waits, evidence, figures)
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)
