"""Why something was found, in words of the recogniser and none of the text's."""

from __future__ import annotations

import pytest

from troth.detect import Detector, Finding, explain

DETECTOR = Detector(
    types={"UK_NINO", "CREDIT_CARD", "EMAIL_ADDRESS", "PROJECT"}, names=False, listed={"PROJECT": ["Heron"]}
)


def _why(text: str) -> str:
    (found,) = DETECTOR.find(text)
    return explain(text, found)


@pytest.mark.parametrize("before", ["", "Zoë, ", "🙂 " * 300], ids=["first", "accent", "far"])
def test_a_recogniser_tells_its_check_and_the_word_before(before: str) -> None:
    assert _why(f"{before}my NI number is AB 12 34 56 C") == (
        "gb/nino, National Insurance number; it passes the check gb_nino; “ni number” before it"
    )


def test_a_value_that_nothing_tells_of_names_no_word() -> None:
    assert _why("AB 12 34 56 C").endswith("it passes the check gb_nino")


def test_what_is_left_of_a_finding_is_explained_by_what_it_says_itself() -> None:
    part = Finding(16, 22, "UK_NINO", 0.9, "gb/nino", checked=False, told=True)
    assert explain("my NI number is AB 12 34 56 C", part) == (
        "gb/nino, National Insurance number; it does not pass its check; words near it say so"
    )


@pytest.mark.parametrize(
    ("recogniser", "says"),
    [
        ("names", "names, the model takes it for one"),
        ("spoken/en", "spoken/en, it is said in words"),
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
