"""Why something was found, in words of the recogniser and none of the text's."""

from __future__ import annotations

import pytest

from troth.detect import Detector, Finding, explain
from troth.detect.patterns import loader
from troth.detect.patterns.checks.titles import said

DETECTOR = Detector(
    types={"UK_NINO", "CREDIT_CARD", "EMAIL_ADDRESS", "PROJECT"}, names=False, listed={"PROJECT": ["Heron"]}
)


def _why(text: str) -> str:
    (found,) = DETECTOR.find(text)
    return explain(text, found)


@pytest.mark.parametrize("before", ["", "Zoë, ", "🙂 " * 300], ids=["first", "accent", "far"])
def test_a_recogniser_tells_its_check_and_the_word_before(before: str) -> None:
    assert _why(f"{before}my NI number is AB 12 34 56 C") == (
        "gb/nino, National Insurance number; "
        "it has the form of a National Insurance number, with a prefix that is issued; “ni number” before it"
    )


def test_a_value_that_nothing_tells_of_names_no_word() -> None:
    assert _why("AB 12 34 56 C").endswith("with a prefix that is issued")


def test_what_is_left_of_a_finding_is_explained_by_what_it_says_itself() -> None:
    part = Finding(16, 22, "UK_NINO", 0.9, "gb/nino", checked=False, told=True)
    assert explain("my NI number is AB 12 34 56 C", part) == (
        "gb/nino, National Insurance number; it does not pass its check; words near it confirm it"
    )


@pytest.mark.parametrize(
    ("recogniser", "says"),
    [
        ("names", "names, the model recognises it"),
        ("spoken/en", "spoken/en, it is spelled out in words"),
        ("presidio/UrlRecognizer", "presidio/UrlRecognizer, a second opinion"),
    ],
)
def test_every_finder_is_named(recogniser: str, says: str) -> None:
    assert explain("Ann called", Finding(0, 3, "PERSON", 0.9, recogniser)).startswith(says)


def test_a_word_of_the_callers_own_is_said_to_be_so() -> None:
    assert _why("the Heron launch") == "listed, it is on the list of the caller's own words"


def test_nothing_of_the_text_is_quoted() -> None:
    text = "my national_insurance-number: AB123456C, card number 4111 1111 1111 1111, ann@example.org"
    for found in DETECTOR.find(text):
        assert not {"AB123456C", "4111", "ann@"} & set(explain(text, found).split())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("4111 1111 1111 1111", "; its check digits agree (Luhn, of a number that a card scheme gives out)"),
        ("password: Otter!29", "; it has the form of a password; the word beside it is part of its form"),
        ("EIN 12-3456789", "; the word beside it is part of its form"),
        ("MRN 12345678", "; the word beside it is part of its form"),
        ("cvv 123", "; the word beside it is part of its form"),
        ("ann@example.org", "world/email, e-mail address"),
    ],
)
def test_what_vouches_for_it_is_said_in_words(text: str, says: str) -> None:
    (found,) = Detector(names=False).find(text)
    assert explain(text, found).endswith(says)


def test_check_digits_of_what_is_said_are_told() -> None:
    text = "card number is four one one one, one one one one, one one one one, one one one one"
    (found,) = Detector(names=False).find(text)
    assert "its check digits agree (Luhn)" in explain(text, found)


@pytest.mark.parametrize("passes", [True, False])
def test_every_check_of_a_recogniser_has_words(passes: bool) -> None:
    for check in {pattern.check for it in loader.shipped() for pattern in it.patterns} - {None}:
        assert said(str(check), passes=passes)
