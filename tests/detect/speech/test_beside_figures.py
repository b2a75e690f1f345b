"""What is said after values in figures takes nothing from them, nor their types."""

from __future__ import annotations

import itertools
from typing import Final

import pytest
from tests.tables import each_row

from troth.detect import Detector

_DETECTOR: Final = Detector(names=False)
_WRITTEN: Final = (
    "Cards: 4111 1111 1111 1111, 5555 5555 5555 4444",
    "Card 4111 1111 1111 1111",
    "card 4111-1111-1111-1111 exp 04/27 cvv 123",
    "sort code: 12-34-56\nNINO: AB 12 34 56 C",
    "sort code 12-34-56 account 12345678",
    "NINO: AB123456C",
    "SSN 219-09-9999",
    "EIN 12-3456789",
    "MRN 12345678",
    "NHS number 943 476 5919",
    "IBAN GB82 WEST 1234 5698 7654 32",
    "mail ANN@EXAMPLE.ORG",
    "call 07700 900123",
    "phone: +44 7700 900123\nmail: ann@example.org",
    "ip 192.0.2.1",
    "ref ABC-12345",
    "date of birth 12/04/1980",
    "postcode SW1A 2AA",
    "password: hunter2",
    "user name: annlee99",
)
_SAID: Final = (
    "My number is oh seven seven double oh nine hundred one two three",
    "the mail is ann at example dot com",
    "ann at example dot org",
    "my card is four one one one one one one one one one one one one one one one",
    "my card is four one one one",
    "sort code is one two three four five six",
    "my pin is four two oh nine",
    "it's a b one two three four five six c",
    "date of birth is the third of may nineteen eighty",
    "the postcode is s w one a two a a",
)


def _found(text: str, detector: Detector = _DETECTOR) -> list[tuple[str, str]]:
    return [(it.type, text[it.start : it.end]) for it in detector.find(text)]


@pytest.mark.parametrize("end", [". ", ".\n", "\n"])
def test_a_sentence_with_a_spoken_value_takes_nothing_from_what_is_written_before_it(end: str) -> None:
    for written, said in itertools.product(_WRITTEN, _SAID):
        before = _found(written)
        assert before
        after = _found(written + end + said)
        assert (after[: len(before)], len(after) > len(before)) == (before, True), (written, said)


@pytest.mark.parametrize("end", [".\n", "\n"])
def test_nor_does_it_take_anything_from_what_is_written_after_it(end: str) -> None:
    for written, said in itertools.product(_WRITTEN, _SAID):
        alone = _found(written)
        after = _found(said + end + written)
        assert (after[-len(alone) :], len(after) > len(alone)) == (alone, True), (written, said)


@each_row("end", [". ", ".\n", "\n"])
@each_row("figures", ["07700 900123", "AB 12 34 56 C", "519-21-4321", "4111 1111 1111 1111"])
@each_row("said", ["my pin is four two seven one", "born on the third of march nineteen eighty"])
def test_figures_do_not_answer_what_is_answered_in_words(said: str, figures: str, end: str) -> None:
    assert _found(said + end + figures) == _found(said) + _found(figures)


@each_row("said", _SAID)
@each_row("figures", ["4111 1111 1111 1111", "+44 7700 900123", "GB82 WEST 1234 5698 7654 32"])
def test_figures_that_pass_their_check_keep_their_type_right_behind_what_is_said(said: str, figures: str) -> None:
    assert _found(f"{said}, {figures}")[-1:] == _found(figures)


@pytest.mark.parametrize("written", ["password: hunter2", "user name: annlee99", _WRITTEN[3]])
def test_nor_does_a_spoken_value_go_on_in_the_fields_of_a_form(written: str) -> None:
    said = "my card is four one one one"
    assert _found(f"{said}.\n{written}") == [*_found(said), *_found(written)]


def test_cards_are_found_beside_a_spoken_number_when_only_cards_are_wanted() -> None:
    text = f"{_WRITTEN[0]}. {_SAID[0]}"
    cards = [("CREDIT_CARD", "4111 1111 1111 1111"), ("CREDIT_CARD", "5555 5555 5555 4444")]
    assert _found(text, Detector(types=["CREDIT_CARD"], names=False)) == cards


def test_a_number_that_is_said_goes_on_in_the_others_figures() -> None:
    text = "Caller: my account number is six four double oh one one seven three.\nAgent: So 6400 1173. Thanks."
    assert "6400 1173" in " ".join(value for _, value in _found(text))
