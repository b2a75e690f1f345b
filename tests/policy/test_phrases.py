"""The language of phrases: what each form finds, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.policy.phrases import BadPhrase, Phrase, plain


@each_row(
    ("phrase", "sentence", "found"),
    [
        ("right to access", "You have the RIGHT to access it.", True),
        ("right to access", "A bright to access", False),
        ("opt out", "You may opt-out at any time", True),
        ("we sell your data", "We ѕеll yоur dаta", True),
        ("we sell your data", "Мы продаём", False),
        ("dont sell", "We don’t sell data.", True),
        ("our email", "Our e-mail goes out on Friday.", True),
        ("our e mail*", "Our emails go out on Friday.", True),
        ("we email you", "We e-mail you.", True),
        ("one e mail", "one e-mailer", False),
        ("delet*", "It is deleted.", True),
        ("delet* .. data", "Deletion of data", True),
        ("is *ed", "It is shredded.", True),
        ("is *ed", "It is edible.", False),
        ("is *ed in ink", "It is not signed in ink.", False),
        ("(view|obtain a copy of) [your] data", "obtain a copy of your data", True),
        ("(view|obtain a copy of) [your] data", "view data", True),
        ("view .. data", "view all of your personal data", True),
        ("view .. data", "view one two three four five data", False),
        ("we will !(not|never) _", "We'll answer", True),
        ("we will !(not|never) _", "We will never sell", False),
        ("we will !(not|never) _", "We will", False),
        ("view ... data", "view one two three four five data", True),
    ],
)
def test_a_phrase_finds_what_it_says(phrase: str, sentence: str, found: bool) -> None:
    assert Phrase(phrase).found_in(plain(sentence)) is found


def test_a_phrase_that_only_stands_in_the_lead_is_not_found() -> None:
    assert not Phrase("you may").found_in("you may view data", after=len("you may "))
    assert Phrase("may view").found_in("you may view data", after=len("you may "))


@each_row("wrong", ["", "..", "[all]", "(a|", "a)", "(a|)", "a & b", "[a", "a*b", "*a*", "*ed", "!(a)", "_"])
def test_what_is_no_phrase_is_refused_by_its_text(wrong: str) -> None:
    with pytest.raises(BadPhrase) as refused:
        Phrase(wrong)
    assert f"“{wrong}”" in str(refused.value)


@given(st.text(alphabet="ab ().|[]*", max_size=30), st.text(alphabet="ab ", max_size=200))
def test_where_a_phrase_is_found_one_of_its_anchors_stands(phrase: str, text: str) -> None:
    try:
        made = Phrase(phrase)
    except BadPhrase:
        return
    words = plain(text)
    if made.found_in(words):
        stems = [anchor.rstrip("*") for anchor in (*made.anchors, *made.open_anchors)]
        assert any(word.startswith(stem) for word in words.split() for stem in stems)
