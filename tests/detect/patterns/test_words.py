"""Words are found whole, however they are written; and only words that matter are looked up."""

from __future__ import annotations

import re2
from tests.tables import each_row

from troth.detect.patterns import loader, words
from troth.detect.patterns.context_words import Wordbook


@each_row(
    ("word", "text", "is_there"),
    [
        ("card number", "Card Number", True),
        ("card number", "card_number=", True),
        ("card number", "cardNumber", True),
        ("card number", "card the number", False),
        ("card", "discard", False),
        ("card", "cards", False),
        ("card", "the card4111", True),
        ("card", "é card", True),
        ("card", "écard", False),
        ("*ausweis*", "Personalausweisnummer", True),
        ("número", "numero", True),
        ("número", "NÚMERO", True),
        ("n i f", "NIF", True),
        ("sa id", "he said", False),
        ("sa id", "SA-ID", True),
        ("号码", "证号码是", True),
        ("снилс", "мой СНИЛС:", True),
    ],
)
def test_a_word_is_whole_however_it_is_written(word: str, text: str, is_there: bool) -> None:
    assert (re2.search(words.regex([word]).encode(), text.encode()) is not None) is is_there


def test_the_longest_of_the_words_is_the_one_that_is_said() -> None:
    match = re2.search(words.regex(["born", "born on"]).encode(), b"born on 3")
    assert match is not None
    assert match.end() == len("born on ")


def test_a_wordbook_tells_which_lists_are_said() -> None:
    book = Wordbook()
    card, none = book.add(("card",), is_local=False), book.add((), is_local=False)
    nino, dni = book.add(("ni number", "nino"), is_local=True), book.add(("dni",), is_local=True)
    assert {card, nino, dni, none} & book.said(b"my card and my NI number") == {card, nino}
    assert {card, nino, dni, none} & book.said(b"nothing") == set()


def test_words_against_that_only_one_country_has_may_always_be_said() -> None:
    book = Wordbook()
    against = book.add(("order",), is_local=True, is_told=False)
    assert against in book.said(b"nothing")


def test_a_sign_of_a_word_is_seen_wherever_the_word_is() -> None:
    shipped = {word for it in loader.shipped() for word in (*it.words.before, *it.words.after, *it.words.against)}
    for word in sorted(shipped):
        exactly, loosely = re2.compile(words.regex([word])), re2.compile(words.sign((word,)))
        said = word.replace("*", "x")
        for text in (f"my_{said}_is", f"é {said.upper()}4", said.replace(" ", "_"), f"x{said}"):
            assert not exactly.search(text) or loosely.search(text.replace("_", " ")), word
