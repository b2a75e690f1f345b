"""The evidence for a value that is written down: its form, its check digits, the words around it."""

from __future__ import annotations

import pytest
from tests.tables import each_row

from troth.detect.patterns.matching import Matcher
from troth.detect.patterns.recogniser import ContextWords, Pattern, Recogniser, Scores
from troth.detect.patterns.search import Search
from troth.detect.text import FoldedText

CARD = r"\b\d{4} \d{4} \d{4} \d{4}\b"


NOTHING_SAID = ContextWords()


def recogniser(regex: str, scores: Scores, words: ContextWords = NOTHING_SAID, check: str | None = None) -> Recogniser:
    return Recogniser("test/it", "IT", "it", "here", (), (Pattern(regex, scores, check),), words)


def found(it: Recogniser, text: str) -> list[tuple[str, float]]:
    return [(text[it.start : it.end], it.score) for it in Matcher([it]).find(FoldedText(text))]


def test_a_check_gates_where_only_checked_values_count() -> None:
    it = recogniser(CARD, Scores(checked=0.9), check="luhn")
    assert found(it, "4111 1111 1111 1111 or 4111 1111 1111 1112") == [("4111 1111 1111 1111", 0.9)]


def test_a_check_labels_where_words_say_what_it_is() -> None:
    it = recogniser(CARD, Scores(checked=0.9, told=0.8, both=0.99), ContextWords(before=("card",)), "luhn")
    assert found(it, "card 4111 1111 1111 1112") == [("4111 1111 1111 1112", 0.8)]
    assert found(it, "card 4111 1111 1111 1111") == [("4111 1111 1111 1111", 0.99)]
    assert found(it, "4111 1111 1111 1112") == []


def test_more_evidence_never_makes_a_value_less_sure() -> None:
    assert Scores(alone=0.7) == Scores(alone=0.7, checked=0.7, told=0.7, both=0.7)
    assert Scores(checked=0.9, told=0.6).both == 0.9


@each_row(
    ("text", "is_told"),
    [
        ("pin 1234", True),
        ("PIN: 1234", True),
        ("pin\n1234", True),
        ("pin1234", False),  # the pattern wants a boundary
        ("spin 1234", False),
        ("pins 1234", False),
        ("épin 1234", False),
        ("pin" + " " * 60 + "1234", False),
        ("1234 is the pin", True),
        ("1234" + " " * 30 + "pin", False),
    ],
)
def test_a_word_tells_of_a_value_when_it_is_whole_and_near(text: str, is_told: bool) -> None:
    it = recogniser(r"\b\d{4}\b", Scores(told=0.9), ContextWords(before=("pin",), after=("pin",)))
    assert bool(found(it, text)) is is_told


@pytest.mark.parametrize("text", ["pin 1234", "1234 code", "pin 1234 code"])
def test_a_word_on_either_side_is_enough_and_the_value_is_found_once(text: str) -> None:
    it = recogniser(r"\b\d{4}\b", Scores(told=0.9), ContextWords(before=("pin",), after=("code",)))
    assert found(it, text) == [("1234", 0.9)]


def test_the_nearer_word_makes_a_value_surer() -> None:
    it = recogniser(r"\b\d{4}\b", Scores(told=0.9), ContextWords(before=("pin",)))
    assert (
        found(it, "pin 1234 or 5678") == [("1234", 0.9), ("5678", 0.888)] or found(it, "pin 1234 or 5678")[0][1] > 0.89
    )


def test_the_nearer_of_two_words_decides_what_a_value_is() -> None:
    it = recogniser(r"\b\d{4}\b", Scores(alone=0.6, told=0.9), ContextWords(before=("pin",), against=("order",)))
    assert found(it, "order 1234") == []
    assert found(it, "the pin of order 1234") == []
    assert [value for value, _ in found(it, "for that order the pin is 1234")] == ["1234"]
    assert found(it, "1234") == [("1234", 0.6)]


def test_a_word_may_tell_of_one_value_only() -> None:
    said = ContextWords(before=("born",), once=True)
    it = recogniser(r"\b\d{4}\b", Scores(told=0.9), said)
    assert [value for value, _ in found(it, "born 1980, seen 2024")] == ["1980"]
    assert [value for value, _ in found(it, "born 1980 and born 1990")] == ["1980", "1990"]


def test_the_first_group_is_the_value_and_what_bounds_it_may_bound_the_next() -> None:
    it = recogniser(r"(?:^|[^\w])(\d{4})(?:[^\w]|$)", Scores(alone=0.9))
    assert found(it, "1234 5678,9012") == [("1234", 0.9), ("5678", 0.9), ("9012", 0.9)]


def test_what_matches_without_the_group_is_passed_over() -> None:
    it = recogniser(r"x\w+|(\d+)", Scores(alone=0.9))
    assert found(it, "12 x34 56") == [("12", 0.9), ("56", 0.9)]


def test_a_value_of_no_length_is_none_and_holds_nothing_up() -> None:
    assert found(recogniser(r"(\d*)x", Scores(alone=0.9)), "xx é 1x") == [("1", 0.9)]
    assert found(recogniser(r"\b", Scores(alone=0.9)), "ab é") == []


def test_places_are_told_in_the_text_as_written() -> None:
    it = recogniser(r"\b\d{4}\b", Scores(told=0.9), ContextWords(before=("código",)))
    assert [value for value, _ in found(it, "é código: 12\u200b34 🙂")] == ["12\u200b34"]
    assert [value for value, _ in found(it, "CODIGO 1234")] == ["1234"]


def test_a_value_is_found_in_what_looked_like_a_longer_one() -> None:
    it = recogniser(r"\b\d{4}(?: \d{4}){3,4}\b", Scores(checked=0.9), check="luhn")
    assert found(it, "0001 4111 1111 1111 1111") == [("4111 1111 1111 1111", 0.9)]


def test_words_are_seen_where_the_window_begins_within_a_character() -> None:
    it = recogniser(r"\b\d{4}\b", Scores(told=0.9), ContextWords(before=("pin",)))
    for shift in range(4):
        assert [value for value, _ in found(it, f"{'é' * 40}{'x' * shift} pin 1234")] == ["1234"]


@pytest.mark.parametrize(
    "words", [NOTHING_SAID, ContextWords(before=("pin",)), ContextWords(after=("pin",)), ContextWords(against=("pin",))]
)
def test_no_words_tell_of_nothing(words: ContextWords) -> None:
    it = recogniser(r"\b\d{4}\b", Scores(alone=0.9), words)
    assert Search(it, it.patterns[0]).told(b"a sum of 1234 pounds", 9, 13) is None
    assert found(it, "a sum of 1234 pounds") == [("1234", 0.9)]
