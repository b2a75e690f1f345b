"""A text made ready: folded to what patterns know, with the way back to every code point."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.detect.finding import Unscanned
from troth.detect.text import FoldedText


@each_row(
    ("written", "folded"),
    [
        ("card 4111", "card 4111"),
        ("４１１１", "4111"),
        ("٠١٢", "012"),
        ("41\u200b11", "4111"),
        ("a\u00a0b", "a b"),
        ("2020\u20112021", "2020-2021"),
        ("\u221212", "-12"),
        ("zu\u0308g", "zug"),
        ("straße 東京", "straße 東京"),
        ("nº 5", "no 5"),
        ("a\nb\tc", "a\nb\tc"),
        ("41\x0211", "4111"),
        ("41\x08\x7f\x8211", "4111"),
        ("a \x1b[1;31mred\x1b[0m b", "a red b"),
        ("\x1bM a\x1b[", "\x1bM a\x1b["),
        ("a\x1fb\x0bc\x85d\0e", "a\x1fb\x0bc\x85d\0e"),
    ],
)
def test_folds_what_looks_alike(written: str, folded: str) -> None:
    assert FoldedText(written).folded == folded


def test_plain_text_is_its_own_folded_form() -> None:
    written = "ring 07700 900123"
    text = FoldedText(written)
    assert text.folded is written
    assert text.is_plain


@given(st.text())
def test_every_offset_leads_back_to_the_character_it_was_folded_from(written: str) -> None:
    text = FoldedText(written)
    for at, character in enumerate(text.folded):
        before = text.unfolded(at)
        assert FoldedText(written[before]).folded == character
        assert text.offset(len(text.folded[:at].encode("utf-8", "replace"))) == before


@given(st.text(alphabet=st.characters(categories=["Cs", "Cf", "Mn", "Nd", "Lo", "Zs"])))
def test_offsets_grow_and_end_with_the_text(written: str) -> None:
    text = FoldedText(written)
    ends = [len(text.folded[:at].encode("utf-8", "replace")) for at in range(len(text.folded) + 1)]
    offsets = [text.offset(it) for it in ends]
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(written)


@pytest.mark.parametrize("behind", ["", "\u200b", "\x1b[0m", "\u200b\x1b[0m", "\x7f b"])
def test_what_shows_nothing_behind_something_is_no_part_of_it(behind: str) -> None:
    text = FoldedText("\u200b４２" + behind)
    assert (text.offset(0), text.end(2)) == (1, 3)


@given(
    st.lists(st.sampled_from(["a", "é", "e\u0301", "\u200b", "\x1b[31m", "\x1b[", "\x1b", "4", "\ud800", " "])).map(
        "".join
    )
)
def test_an_end_is_behind_what_it_ends(written: str) -> None:
    text = FoldedText(written)
    sizes = [len(text.folded[:at].encode("utf-8", "replace")) for at in range(len(text.folded) + 1)]
    for start, end in itertools.pairwise(sizes):
        assert text.offset(start) < text.end(end) <= len(written)


def test_accents_of_their_own_are_part_of_what_they_end() -> None:
    text = FoldedText("Zoe\u0308\u200b, Ann")
    assert text.end(3) == text.unfolded_end(3) == 4


def test_a_lone_surrogate_keeps_its_place() -> None:
    text = FoldedText("a\ud800b")
    assert text.utf8 == b"a?b"
    assert text.offset(2) == 2


def test_time_that_is_over_is_told() -> None:
    text = FoldedText("a", seconds_max=-1)
    with pytest.raises(Unscanned, match="within the time limit"):
        text.check_clock()


def test_time_is_not_bounded_unless_somebody_does() -> None:
    FoldedText("a").check_clock()
    FoldedText("a", seconds_max=time.monotonic()).check_clock()


@pytest.mark.parametrize("blank", ["\u3164", "\uffa0", "\u2800", "\u2028", "\u2029", "\u3000"])
def test_what_is_blank_is_a_space_whatever_its_kind(blank: str) -> None:
    assert FoldedText(f"4111{blank}1111").folded == "4111 1111"


@pytest.mark.parametrize("filler", ["\u115f", "\u1160", "\u200b", "\u034f", "\ufe0f"])
def test_what_fills_nothing_is_left_out(filler: str) -> None:
    text = FoldedText(f"41{filler * 3}11 é")
    assert text.folded == "4111 é"
    assert (text.unfolded(2), text.offset(4)) == (5, 7)


@pytest.mark.parametrize("dot", ["\u3002", "\uff0e", "\uff61"])
def test_an_east_asian_full_stop_is_the_dot_of_an_address(dot: str) -> None:
    assert FoldedText(f"ann@example{dot}org").folded == "ann@example.org"


def test_time_is_looked_at_while_much_is_left_out() -> None:
    with pytest.raises(Unscanned, match="within the time limit"):
        FoldedText("1\u200b2\u200b", seconds_max=-1)
