"""Names of people, places and organisations are found by the model that ships with the package."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled

from troth.detect.finding import Finding
from troth.detect.ner import Names
from troth.detect.text import FoldedText

NAMES = Names()


def found(text: str) -> list[Finding]:
    return list(NAMES.find(FoldedText(text)))


def names_in(text: str) -> list[tuple[str, str]]:
    return [(text[it.start : it.end], it.type) for it in found(text)]


@pytest.mark.parametrize(
    "text",
    [
        "My name is Ann and I live in Paris.",
        "my name is ann and i live in paris",
        "MY NAME IS ANN. I LIVE IN PARIS.",
    ],
)
def test_names_are_found_in_any_case(text: str) -> None:
    assert [(it.lower(), type_) for it, type_ in names_in(text)] == [("ann", "PERSON"), ("paris", "LOCATION")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "The build failed again: see the log for the third test.",
        "i will mark the bill as paid in may and hope that it is right",
        "ERROR 2026-03-02 10:14:22 Worker failed: Connection refused (code 4012)",
        "4111 1111 1111 1111",
    ],
)
def test_a_text_without_names_has_none(text: str) -> None:
    assert found(text) == []


def test_a_name_keeps_its_place_where_characters_show_nothing() -> None:
    text = "My name is A\u200bnn\u200b and I live in Paris."
    assert ("A\u200bnn", "PERSON") in names_in(text)


def test_a_name_goes_on_over_a_hesitation() -> None:
    said = "my name is ann um lee and i live in new uh york"
    assert names_in(said) == [("ann um lee", "PERSON"), ("new uh york", "LOCATION")]


def test_names_are_found_all_through_a_long_text() -> None:
    times = 900
    text = "My name is Ann and I live in Paris.\n" * times
    assert names_in(text) == [("Ann", "PERSON"), ("Paris", "LOCATION")] * times


def test_a_line_without_an_end_is_searched_to_its_end() -> None:
    text = "and so on " * 3000 + "my name is Ann and I live in Paris"
    assert ("Ann", "PERSON") in names_in(text)


def test_what_was_read_before_changes_nothing() -> None:
    text = "Regards,\nBen\nExample Ltd, Leeds"
    fresh = list(Names().find(FoldedText(text)))
    found(" ".join(f"w{letter}{other}" for letter, other in itertools.product("abcdefgh", map(chr, range(97, 123)))))
    assert [it[:3] for it in found(text)] == [it[:3] for it in fresh]


@settings(max_examples=scaled(37, 150), deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_read_and_names_have_valid_places(text: str) -> None:
    places = [(it.start, it.end) for it in found(text)]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(places))


@settings(max_examples=scaled(12, 50), deadline=None)
@given(st.text(alphabet="Ann \n.,'-\u0301\u200d\ud800\U0001f600é", max_size=200))
def test_strange_letters_move_no_place(text: str) -> None:
    assert all(text[it.start].isalnum() or text[it.start] == "\u0301" for it in found(text))


def test_scores_are_between_nothing_and_one() -> None:
    text = "Dear Ann,\nChloe of Example Ltd met Ben in Leeds.\nBen"
    assert all(0.0 < it.score <= 1.0 for it in found(text))
    assert found(text)


def test_peoples_are_no_places() -> None:
    told = found("A wide range of Iraqi forces. Under the Palestinian authority.")
    assert "LOCATION" not in {it.type for it in told}


@pytest.mark.parametrize(
    "text",
    [
        "Rechnung und Mahnung",
        "Rückruf erbeten",
        "Gläubiger und Schuldner",
        "Le médecin a prescrit du repos.",
        "Abrazos",
    ],
)
def test_words_of_other_languages_are_no_names(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Kontoinhaber Ben Schulz", "Ben Schulz"),
        ("Schöne Grüße aus Hamburg", "Hamburg"),
        ("Cliente Chloe Martin pide reembolso", "Chloe Martin"),
        ("Gentile signora Rossi, grazie", "Rossi"),
        ("Dear Mr de la Cruz,", "de la Cruz"),
        ("signed: A. Lee", "A. Lee"),
    ],
)
def test_a_name_ends_where_ordinary_words_begin(text: str, name: str) -> None:
    assert [it for it, _ in names_in(text)] == [name]


@pytest.mark.parametrize(
    "text",
    [
        "if len(x) > 2:\n    pass\nelif len(x) < 1:\n    return len(x)",
        "key=lambda it: (-len(it), it))",
        "by_longest.setdefault(max(parts, key=lambda it: it))",
        "class Walker:\n    name: str\n    type: str\n",
        "let it = Walker::new(frozenset)",
    ],
)
def test_words_of_programs_are_no_names(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    ["if name == 'Ann Lee':", "user_name=ann", "# Ann wrote this", "class of Ann, Mr Lee", "ann(34) and Ben(36) came"],
)
def test_a_name_in_a_program_or_before_a_bracket_is_one(text: str) -> None:
    assert "ann" in {it.split()[0].lower() for it, _ in names_in(text)}


def test_what_keys_and_short_numbers_look_like_is_no_name() -> None:
    text = "commit da39a3ee5e6b4b0d3255bfef95601890afd80709 on floor 10"
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    ["that is d for david and r for roger", "flat d as in david", "her n h s number and the m p r n of the meter"],
)
def test_letters_that_are_spelt_are_no_names(text: str) -> None:
    assert found(text) == []


def test_which_digits_a_number_has_changes_nothing() -> None:
    one, other = found("Ben lives at 4471 Mill Road, Leeds"), found("Ben lives at 9936 Mill Road, Leeds")
    assert one == other != []


def test_a_very_long_word_is_read() -> None:
    text = "x" * 1_000_000 + " my name is Ann"
    assert names_in(text)[-1] == ("Ann", "PERSON")


TEXTS = ("My name is", "Ann", "Lee lives in Paris.", "", "12", "SHOUTED BY BEN", "no capitals here", "Ann\n", "from")


@given(st.lists(st.sampled_from(TEXTS), max_size=8))
def test_a_text_is_read_the_same_beside_any_other(texts: list[str]) -> None:
    assert NAMES.find_each([FoldedText(it) for it in texts]) == [found(it) for it in texts]


def test_many_texts_are_read_the_same_as_one_by_one() -> None:
    texts = [FoldedText(f"{number} people met Ann Lee in Paris. " * (number % 7)) for number in range(300)]
    assert NAMES.find_each(texts) == [NAMES.find(it) for it in texts]
