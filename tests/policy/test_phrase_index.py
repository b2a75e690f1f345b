"""A concordance finds phrases where reading each text alone finds them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from troth.policy.phrase_index import Concordance
from troth.policy.phrases import BadPhrase, Phrase

WORDS = st.lists(st.sampled_from(["a", "b", "ab", "ba", "7b"]), max_size=18).map(" ".join)


def found(phrase: str, *texts: str, leading: int = 0) -> list[int]:
    return list(Concordance([(text, leading) for text in texts]).holding(Phrase(phrase)))


def test_the_texts_that_hold_a_phrase_are_told_by_their_numbers() -> None:
    assert found("right to (access|port*)", "a right to access", "right to", "the right to portability") == [0, 2]


def test_a_phrase_does_not_reach_from_one_text_into_the_next() -> None:
    assert found("right .. access", "the right to", "access it") == []


def test_words_that_lead_into_a_text_are_no_match_alone() -> None:
    assert found("you may", "you may view", leading=2) == []
    assert found("may view", "you may view", leading=2) == [0]


def test_a_long_policy_is_looked_through_to_its_end() -> None:
    texts = ["word " * 5_000 + "end", *["nothing"] * 20_000, "word end"]
    assert found("word end", *texts) == [0, 20_001]


@given(st.text(alphabet="ab7 ().|[]*!_#", max_size=24), st.lists(WORDS, max_size=5))
def test_what_is_found_at_once_is_what_is_found_one_by_one(text: str, texts: list[str]) -> None:
    try:
        phrase = Phrase(text)
    except BadPhrase:
        return
    assert [number for number, words in enumerate(texts) if phrase.found_in(words)] == found(text, *texts)
