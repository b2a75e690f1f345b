"""Nothing that is written makes the reader of talk fail, and what it finds lies in the text."""

from __future__ import annotations

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled

from troth.detect.speech import Speech
from troth.detect.speech.hints import LANGUAGES
from troth.detect.speech.language import language
from troth.detect.speech.pieces import pieces_of
from troth.detect.speech.word_stream import hear
from troth.detect.text import FoldedText

_SPEECH: Final = Speech()
_WORDS: Final = sorted(
    {
        *(word for name in LANGUAGES for word in language(name).kinds),
        *(" ".join(phrase) for by in language("en").prompts.values() for same in by.values() for phrase, _ in same),
        *language("en").streets,
        "\nagent:",
        "\ncaller:",
        "\n",
        "07700",
        "4-1-1-1",
        "22nd",
        "JK",
        "£9.50",
        "☕",
        "e\u0301",
    }
)


@given(st.text(max_size=300))
def test_any_text_is_read_to_its_end(text: str) -> None:
    for it in _SPEECH.find(FoldedText(text)):
        assert 0 <= it.start < it.end <= len(text)


@settings(max_examples=scaled(100, 400))
@given(st.lists(st.sampled_from(_WORDS), max_size=60))
def test_any_talk_is_read_to_its_end(words: list[str]) -> None:
    text = " ".join(words)
    for it in _SPEECH.find(FoldedText(text)):
        assert 0 <= it.start < it.end <= len(text)
        assert text[it.start : it.end].strip() == text[it.start : it.end]
        assert 0 < it.score < 1


@given(st.lists(st.lists(st.sampled_from(_WORDS), max_size=20).map(" ".join), max_size=6))
def test_many_talks_at_once_say_what_each_says_alone(texts: list[str]) -> None:
    ready = [FoldedText(text) for text in texts]
    assert _SPEECH.find_each(ready) == [_SPEECH.find(text) for text in ready]


def test_what_was_said_is_in_no_repr() -> None:
    talk = hear("my pin is four two oh nine", language("en"))
    (piece,) = pieces_of(talk, language("en"))
    assert piece.signs.said == "42o9"
    assert not any(it in repr(piece) + repr(talk) for it in ("42o9", "four", "nine"))
