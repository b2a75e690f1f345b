"""Which words occur in a text at all: none that does is missed."""

from __future__ import annotations

import pytest
import re2
from tests.tables import each_row

from troth.detect.patterns import words
from troth.detect.patterns.loader import shipped
from troth.detect.patterns.vocabulary import WordIndex


@each_row(
    ("word", "text"),
    [
        ("card number", "Card Number: 4111"),
        ("card number", "card_number=4111"),
        ("card number", "cardNumber"),
        ("card number", "number of the card"),  # told apart beside the value, not here
        ("n o col", "No Col. 28"),
        ("date of birth", "DateOf birth"),
        ("nhs", "NHS4857773456"),
        ("driver's license", "a DRIVER'S LICENSE"),
        ("reisepass*", "Reisepassnummer"),
        ("*ausweis*", "mein Personalausweis"),
        ("ust id*", "USt-IdNr. DE1"),
        ("numéro fiscal", "NUMÉRO FISCAL"),
        ("numéro fiscal", "numero fiscal"),
        ("снилс", "СНИЛС 1"),
        ("身份证", "我的身份证号码是"),
    ],
)
def test_a_word_is_seen_however_it_is_written(word: str, text: str) -> None:
    vocabulary = WordIndex()
    number = vocabulary.add([word])
    assert vocabulary.occurring(text.encode()) == {number}


@pytest.mark.parametrize(
    ("word", "text"),
    [("card number", "a number of cards"), ("nin", "a ninja"), ("pan", "japan"), ("身份证", "身份"), ("id", "")],
)
def test_part_of_a_word_is_not_the_word(word: str, text: str) -> None:
    vocabulary = WordIndex()
    vocabulary.add([word])
    assert vocabulary.occurring(text.encode()) == set()


def test_the_same_words_have_the_same_number() -> None:
    vocabulary = WordIndex()
    assert vocabulary.add(["card"]) == vocabulary.add(["card"]) != vocabulary.add(["visa"])


def test_every_word_that_is_found_beside_a_value_is_seen() -> None:
    for it in shipped():
        for these in (it.words.before, it.words.after, it.words.against):
            for word in these:
                vocabulary = WordIndex()
                number = vocabulary.add([word])
                text = f"here: {word.replace('*', 'x').upper()} 1".encode()
                if re2.search(words.regex([word]).encode(), text):
                    assert vocabulary.occurring(text) == {number}, it.name
