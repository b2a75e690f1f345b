"""A talk without an end: read in parts, so that its time is linear and can be bounded."""

from __future__ import annotations

import itertools

import pytest

from troth.detect import Detector, Unscanned
from troth.detect.speech import hints
from troth.detect.text import FoldedText

ENDLESS = "we met on the third of March, anyway, what was I going to say "
ASKED = "my card number is "
CARD = ", hang on, let me get my glasses, I can hardly read that, um, sorry, yes, here, ".join(
    ["four one one one", *["one one one one"] * 3]
)


@pytest.mark.parametrize("before", [*range(7_900, 8_400, 97), 100_000])
def test_a_value_is_whole_wherever_a_talk_is_parted(before: int) -> None:
    talk = (ENDLESS * 3_000)[:before].rpartition(" ")[0] + " "
    found = [
        it for it in Detector(names=False).find(f"{talk}{ASKED}{CARD} {ENDLESS * 300}") if it.type == "CREDIT_CARD"
    ]
    start = len(talk) + len(ASKED)
    assert [(it.start, it.end) for it in found] == [(start, start + len(CARD))]


def test_no_part_is_longer_than_what_is_read_at_a_time() -> None:
    said = list(hints.places((ENDLESS * 10_000).encode()))
    assert max(it.end - it.start for it in said) < 10_000
    assert all(one.start < other.start < one.end for one, other in itertools.pairwise(said))


def test_the_clock_is_looked_at_for_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def check(text: FoldedText) -> None:
        nonlocal looks
        looks += 1
        if looks > 100:
            raise Unscanned("late")

    monkeypatch.setattr(FoldedText, "check_clock", check)
    with pytest.raises(Unscanned, match="late"):
        Detector(names=False).find((CARD + ENDLESS) * 2_000)
