"""Figures that are said bit by bit, as recognisers that write digits put them down: no word of a number leads there."""

from __future__ import annotations

import pytest

from troth.detect import Detector

DETECTOR = Detector(names=False)
ASKED = "B: What's the card number, please?\n"


@pytest.mark.parametrize(
    ("talk", "value", "kind"),
    [
        (ASKED + "A: 4111 1111\nB: Yep.\nA: 1111 1111\nB: Thanks.\n", ("4111 1111\n", "1111 1111"), "CREDIT_CARD"),
        (ASKED + "A: 4111 1111, um, 1111, 1111.\n", ("4111 1111", "1111"), "CREDIT_CARD"),
        (ASKED + "A: Sure, 4111 1111 1111.\nB: mm-hmm.\nA: 1111.\n", ("4111 1111 1111.", "1111"), "CREDIT_CARD"),
        (ASKED + "A: It's 4111.\nB: 4111.\nA: 1111.\nB: 1111\nA: 1111 1111.\n", ("4111.", "1111"), "CREDIT_CARD"),
        (
            "Agent: sort code?\nCaller: 20-\nAgent: yes\nCaller: 45-\nAgent: ok\nCaller: 45.\n",
            ("20-", "45"),
            "SORT_CODE",
        ),
        ("B: date of birth?\nA: 03\nB: ok\nA: 02 1980\n", ("03\n", "02 1980"), "DATE_OF_BIRTH"),
    ],
)
def test_a_value_in_figures_is_followed_from_turn_to_turn(talk: str, value: tuple[str, str], kind: str) -> None:
    first, last = value
    start, end = talk.index(first), talk.rindex(last) + len(last)
    found = [it for it in DETECTOR.find(talk) if it.type == kind]
    assert (found[0].start, found[-1].end) == (start, end)


@pytest.mark.parametrize(
    "talk",
    [
        "Total: 4111 1111\nTax: 1111 1111\n",
        "A: room 204\nB: and 206?\nA: 208.\n",
        "10:02 in 20\n10:03 out 45\n10:04 in 45\n",
        "id,count\n4111,1111\n1111,1111\n",
        "The prices were 120, 340, 560 pounds.",
    ],
)
def test_figures_of_forms_logs_and_tables_are_none(talk: str) -> None:
    assert [it.type for it in DETECTOR.find(talk) if it.recogniser.startswith("spoken")] == []
