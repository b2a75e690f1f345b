"""What a version denies without exception, so that a declaration can be held against it."""

from __future__ import annotations

from tests.tables import each_row

from troth.policy import read
from troth.policy.versions import denied_by


def _denied(*sentences: str) -> list[set[str]]:
    return [set(kinds) for kinds in denied_by(read(f"# Policy\n\n{' '.join(sentences)}\n")).values()]


@each_row(
    ("sentence", "kind"),
    [
        ("We never share your data.", "shares"),
        ("We do not share your personal data with anybody.", "shares"),
        ("We share your data with nobody.", "shares"),
        ("Your personal data is never passed on.", "shares"),
        ("We never sell your data.", "sells"),
        ("We don't sell personal information to anyone.", "sells"),
        ("Your data is never sold.", "sells"),
        ("Your data never leaves the European Union.", "abroad"),
        ("We do not use your data for marketing.", "markets"),
        ("We do not use your data to train models.", "trains"),
    ],
)
def test_a_plain_denial_is_heard(sentence: str, kind: str) -> None:
    assert _denied(sentence) == [{kind}]


@each_row(
    "sentence",
    [
        "We never share your data, except with our bank.",
        "We never share your data without your consent.",
        "We do not share your data with advertisers.",
        "We do not share your health data with your employer.",
        "We do not usually sell your data.",
        "We do not sell your data for less than it is worth.",
        "We share your data with our partners.",
        "We never sell your data, and we delete it after 30 days.",
        "Your data never leaves the European Union without safeguards.",
        "We do not use your data for marketing unless you agree.",
        "We do not train staff with your data.",
        "You may not sell your data.",
    ],
)
def test_what_has_an_exception_or_says_more_is_left_to_a_person(sentence: str) -> None:
    assert _denied(sentence) == []


def test_a_denial_that_the_next_sentence_takes_back_is_none() -> None:
    assert _denied("We never share your data.", "The only exception is our bank.") == []
