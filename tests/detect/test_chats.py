"""Names at the beginnings of lines of chats; levels of logs, settings and programs are nobody's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.detect import Detector
from troth.detect.chats import Chats
from troth.detect.text import FoldedText

DETECTOR = Detector(types={"USERNAME"}, names=False)


def _names(text: str) -> list[str]:
    return [text[it.start : it.end] for it in DETECTOR.find(text)]


@each_row(
    "line",
    [
        "ann_b: hi there",
        "ben77: where is it?",
        "Ann_Lee: Danke, bis morgen",
        "ben77 (verified): i would not",
        "chloe_x: 🥺",
        "> ann_b: you said so",
        "  ↳ ann_b: thanks!",
        "@ann_b: hi there",
        "<ann_b> red",
        "<@ann_b> red",
        "[10:02] ann_b: red",
        "[10:02:33] ann_b: red",
        "10:02 ann_b: red",
    ],
)
def test_a_name_with_a_sign_begins_a_line_of_a_chat(line: str) -> None:
    (name,) = _names(f"a line\n{line}\n")
    assert name.lstrip("@") in {"ann_b", "ben77", "Ann_Lee", "chloe_x"}


def test_in_a_chat_every_line_of_a_name_and_those_of_others_are_found() -> None:
    lines = [
        "ann_b: hi",
        "boatlover: red",
        "ann_b: red",
        "RiverMeadow: blue",
        "boatlover: red",
        "RiverMeadow: x",
        "once: x",
    ]
    assert _names("\n".join(lines)) == ["ann_b", "boatlover", "ann_b", "RiverMeadow", "boatlover", "RiverMeadow"]


@each_row(
    "line",
    [
        "error: you failed",
        "note: hi",
        "[10:02] error: hi",
        "[10:02] warning: where is it?",
        "[10:02:33] worker_1: started",
        "10:02 nginx_1: no, thanks",
        "max_size: 10",
        "welcome_text: hello you",
        "step_1: do you see it?",
        "python3: command not found",
        "q1: What is it?",
        "A1: my red one",
        "covid_19: what?",
        "ann_b: 12",
        "ann_b: you = 1",
        "boatlover: hi there",
        "[10:02] boatlover: hi",
        "ann_b: red",
        "    ann_b: hi there",
        "<h1> hi",
        "<b2b> hi",
        "say ann_b: hi there",
        "ann: hi there",
        "https: hi",
    ],
)
def test_levels_settings_and_plain_words_are_no_names(line: str) -> None:
    assert _names(f"a line\n{line}\n{line.replace('red', 'blue')}\n") == []


def test_a_chat_makes_no_name_of_a_single_word() -> None:
    assert _names("ann_b: hi\nann_b: you?\nsubject: red\nGM: red\nGM: blue\n") == ["ann_b", "ann_b"]


PIECES = st.sampled_from(["ann_b", ":", " ", "<", ">", "[10:02]", "\n", "hi", "é", "\u200b", "ben", "1"])


@given(
    st.lists(
        st.sampled_from(["ann_b", ":", " ", "<", ">", "[10:02]", "\n", "hi", "é", "\u200b", "ben", "1"]), max_size=60
    )
)
def test_every_place_is_a_name(parts: list[str]) -> None:
    text = "".join(parts)
    for it in Chats().find(FoldedText(text)):
        assert FoldedText(text[it.start : it.end]).folded.replace("_", "").isalnum()
