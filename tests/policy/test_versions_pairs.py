"""Pairs of clauses as companies write them: other words for the same promise, and words that take some of it back."""

from __future__ import annotations

from tests.tables import each_row

from troth.policy import PolicyText, read
from troth.policy.versions import Verdict, compare

_SAME = [
    (
        "We delete your account three years after you last used it.",
        "Three years after your last visit, we delete your account.",
    ),
    (
        "You may ask us to delete your data at any time.",
        "You can ask us at any time to delete your data.",
    ),
    (
        "We do not sell personal data, and we do not share it for advertising.",
        "We neither sell personal data nor share it for advertising.",
    ),
    (
        "We never sell your data.",
        "Your data is never sold.",
    ),
    (
        "We use your e-mail address to send you the newsletter.",
        "Your e-mail address is used to send you the newsletter.",
    ),
    (
        "We answer every request within one month.",
        "Every request is answered within one month.",
    ),
    (
        "If you have questions, write to privacy@example.org.",
        "Questions? Write to privacy@example.org.",
    ),
    (
        "We keep backups for thirty-five days.",
        "Backups are kept for 35 days.",
    ),
    (
        "Every connection to our website is encrypted with TLS 1.2 or newer.",
        "All connections to our website are encrypted with TLS 1.2 or a newer version.",
    ),
    (
        "We tell the regulator within 72 hours.",
        "Within 72 hours, we notify the regulator.",
    ),
    (
        "You can withdraw your consent at any time.",
        "You may withdraw consent whenever you like.",
    ),
    (
        "We ask for your name and e-mail address.",
        "We ask you for your name and your email address.",
    ),
    (
        "Staff sign in with a second factor.",
        "Our staff sign in with a second factor.",
    ),
    (
        "We do not use pixels to see whether you opened a message.",
        "We don't use pixels to find out whether you opened a message.",
    ),
    (
        "We process your data to provide the service.",
        "We use your data to provide our service.",
    ),
    (
        "The table below shows all cookies.",
        "This table shows all of our cookies.",
    ),
    (
        "Our data protection officer reads dpo@example.org.",
        "You reach our data protection officer at dpo@example.org.",
    ),
    (
        "We will tell you before we use your data for something new.",
        "Before we use your data for anything new, we will tell you.",
    ),
    (
        "We only share your data with the recipients below.",
        "We share your data only with the recipients listed below.",
    ),
    (
        "Your data is stored in Germany.",
        "We store your data in Germany.",
    ),
    (
        "When you ask, we look in every system that holds personal data.",
        "When you ask to see your data, we search every system that holds personal data.",
    ),
    (
        "We review this policy at least once a year.",
        "This policy is reviewed at least once a year.",
    ),
    (
        "You need not give a reason.",
        "You do not have to give a reason.",
    ),
    (
        "We keep invoices for six years because tax law says so.",
        "Tax law requires us to keep invoices for six years.",
    ),
    (
        "No more than eight people can open customer data.",
        "At most eight people can open customer data.",
    ),
]
_LESS = [
    (
        "We ask for your consent before we set any cookie.",
        "We set cookies when you visit our website.",
    ),
    (
        "We encrypt your data at rest and in transit.",
        "We encrypt your data in transit.",
    ),
    (
        "Only three named people can see recordings.",
        "Our staff can see recordings.",
    ),
    (
        "We never use voices to recognise who is speaking.",
        "We may use voices to recognise who is speaking.",
    ),
    (
        "We tell you by e-mail whenever your data was touched in a breach.",
        "We tell you of a breach where the law requires it.",
    ),
    (
        "You can delete your account yourself.",
        "You can ask us to delete your account.",
    ),
    (
        "We keep nothing after the contract ends.",
        "We keep data after the contract ends.",
    ),
    (
        "We delete transcripts thirty days after the call.",
        "We delete transcripts after the call.",
    ),
    (
        "Your data stays in the European Union.",
        "Your data may be transferred to other countries.",
    ),
    (
        "We do not pass your address on to anybody.",
        "We pass your address on to selected partners.",
    ),
    (
        "Requests are free of charge.",
        "Requests may be charged.",
    ),
    (
        "We answer without undue delay, at the latest within one month.",
        "We answer without undue delay.",
    ),
    (
        "You can object to any use of your data.",
        "You can object to some uses of your data.",
    ),
    (
        "We use cookies only to keep you signed in.",
        "We use cookies to keep you signed in and for advertising.",
    ),
    (
        "Two people have to approve each export.",
        "One person has to approve each export.",
    ),
    (
        "We tell you thirty days before we change this policy.",
        "We may change this policy at any time.",
    ),
    (
        "No cookies are set before you choose.",
        "Some cookies are set before you choose.",
    ),
    (
        "We honour the Global Privacy Control signal.",
        "We do not respond to the Global Privacy Control signal.",
    ),
    (
        "Recordings are deleted within thirty days.",
        "Recordings are archived.",
    ),
    (
        "We will not use your content to train models.",
        "We may use your content to train models, unless you opt out.",
    ),
    (
        "Human reviewers check every decision.",
        "Decisions are made automatically.",
    ),
    (
        "You have 60 days to download your data.",
        "You have 14 days to download your data.",
    ),
    (
        "We notify you of every disclosure to authorities.",
        "We disclose data to authorities.",
    ),
    (
        "We do not track you across websites.",
        "We and our partners track you across websites.",
    ),
]


def _policy(clause: str) -> PolicyText:
    return read(f"# Policy\n\n## What we promise\n\nWe are Example Ltd.\n\n{clause}\n\nThis is the end.\n")


@each_row(("one", "other"), _SAME)
def test_other_words_for_the_same_promise_are_no_alarm(one: str, other: str) -> None:
    assert compare(_policy(one), _policy(other)).verdict is Verdict.REWORDED
    assert compare(_policy(other), _policy(one)).verdict is Verdict.REWORDED


@each_row(("one", "other"), _LESS)
def test_words_that_take_some_of_it_back_are_found(one: str, other: str) -> None:
    assert compare(_policy(one), _policy(other)).verdict is Verdict.WEAKENED
