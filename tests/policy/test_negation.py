"""What a policy denies it does not do, whichever rule looks for the deed."""

from __future__ import annotations

import pytest
from tests.policy.linting import findings
from tests.tables import each_row

from troth.policy import read
from troth.policy.lexicon import concepts, mentions
from troth.policy.negation import deeds, done, is_deed
from troth.policy.phrases import plain

TRUE = {
    "We do not ask for your contacts, your pictures, your microphone or your advertising ID.": (
        "GDPR.14.indirect", "PECR.6.consent", "PECR.6.list"),
    "We have no cameras in the hall. We keep orders for two years.": ("X.collect-vs-use", "GDPR.13.2a.retention"),
    "We do not send newsletters. We keep orders for two years.": ("GDPR.13.2a.retention", "PECR.22"),
    "We keep no health data.": ("GDPR.9.special",),
    "Matomo is not used on these pages.": ("PECR.6.analytics",),
    "Google Analytics is never used by us.": ("PECR.6.analytics", "GDPR.13.1f", "X.transfer-vs-vendors"),
    "Neither sends it outside the European Union.": ("GDPR.13.1f",),
    "We will not transfer your data to the United States.": ("GDPR.13.1f",),
    "None of our servers stands in the United States.": ("GDPR.13.1f",),
    "We have never had a newsletter.": ("PECR.22", "GDPR.21.4"),
    "Our newsletter ended in 2024.": ("PECR.22", "GDPR.21.4"),
    "We have stopped using Google Analytics.": ("PECR.6.analytics", "GDPR.13.1f"),
}  # fmt: skip
DONE = {
    "We do not sell your data; we use cookies to show you offers.": "PECR.6.consent",
    "We never record what you type, but Google Analytics counts your visits.": "PECR.6.analytics",
    "We do not transfer your data to the United States unless you order from there.": "GDPR.13.1f",
    "We have no influence on the cookies that we use for advertising.": "PECR.6.consent",
    "You do not have to register to get our monthly newsletter.": "PECR.22",
    "Data may be sent to recipients in countries that do not have the same data protection laws.": "GDPR.13.1f",
    "We never charge for the newsletter that we send each month.": "PECR.22",
}


@each_row("text", TRUE)
def test_a_denial_is_no_deed(text: str) -> None:
    assert [one.rule for one in findings(text, *TRUE[text])] == []


@pytest.mark.parametrize("text", DONE)
def test_a_deed_beside_a_denial_is_found(text: str) -> None:
    assert findings(text, DONE[text])


def test_to_deny_one_use_states_no_purpose() -> None:
    assert findings("We do not use your data to train models.", "GDPR.13.1c.purpose")
    assert not findings("We use your data to ship your orders.", "GDPR.13.1c.purpose")


def test_items_below_a_denial_are_denied() -> None:
    policy = read("We do not use:\n\n- advertising cookies\n- session recording\n", kind="markdown")
    assert not mentions(policy).has("cookie.used", "analytics.used")


@each_row(
    ("text", "left"),
    [
        ("We use cookies and no analytics.", ["we use cookies and no"]),
        ("No cookies are set.", ["no"]),
        ("We count visits without cookies.", ["we count visits without"]),
        ("We share nothing; we keep your orders.", None),
        ("We do not keep logs longer than a year.", None),
        ("We do not set cookies before you agree.", None),
        ("If you do not agree, we will not send you our newsletter.", None),
        ("Neither we nor our partners use cookies.", ["neither"]),
        ("The tracker, which is not ours, does not keep your address.", ["the tracker"]),
        ("If you do not want cookies, switch them off.", None),
    ],
)
def test_what_is_left_of_a_sentence_is_what_it_says_is_done(text: str, left: list[str] | None) -> None:
    pieces = done(plain(text))
    assert (None if pieces is None else [piece for _, piece in pieces]) == left


def test_every_deed_is_a_concept() -> None:
    known = concepts()
    assert not [name for name in deeds() if not any(is_deed(one) for one in known if one.startswith(name.rstrip("*")))]
