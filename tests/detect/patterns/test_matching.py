"""The prefilters leave out only what could not be found."""

from __future__ import annotations

import itertools
import math
from importlib import resources

import pytest
import re2

from troth.detect.finding import Unscanned
from troth.detect.patterns import matching
from troth.detect.patterns.loader import read
from troth.detect.patterns.matching import Matcher
from troth.detect.patterns.outline import outline
from troth.detect.patterns.recogniser import ContextWords, Pattern, Recogniser, Scores
from troth.detect.patterns.search import Search
from troth.detect.text import FoldedText

RECOGNISERS = list(read(resources.files("troth.detect.patterns") / "recognisers"))


def test_all_together_find_what_each_would_find_alone() -> None:
    together = Matcher(RECOGNISERS)
    for it in RECOGNISERS:
        for example in (*it.examples["yes"], *it.examples["no"]):
            text = FoldedText(example)
            alone = {hit[:2] for pattern in it.patterns for hit in Search(it, pattern).find(text.utf8)}
            ours = [one for one in together.find(text) if one.recogniser == it.name]
            assert {(text.written[one.start : one.end]) for one in ours} == {
                text.utf8[start:end].decode() for start, end in alone
            }, it.name


def test_many_texts_end_to_end_hold_what_each_holds() -> None:
    together = Matcher(RECOGNISERS)
    texts = [FoldedText(example) for it in RECOGNISERS for verdict in ("yes", "no") for example in it.examples[verdict]]
    for some in (texts, texts[::-1], texts[::3]):
        for text, found in zip(some, together.find_each(some), strict=True):
            assert set(found) == set(together.find(text))


def test_words_reach_as_far_in_one_text_as_among_many() -> None:
    before, after = ContextWords(before=("pin",)), ContextWords(after=("pin",))
    for said, text in ((before, "pin{}1234"), (after, "1234{}pin")):
        it = Recogniser("test/it", "IT", "it", "here", (), (Pattern(r"\b\d{4}\b", Scores(told=0.9)),), said)
        texts = [FoldedText(text.format(" " * gap)) for gap in range(60)]
        alone = [Matcher([it]).find(text) for text in texts]
        assert Matcher([it]).find_each(texts) == alone
        assert any(alone)
        assert not all(alone)


def test_a_value_that_would_go_on_in_the_next_text_ends_with_its_own() -> None:
    key = FoldedText("-----BEGIN PRIVATE KEY-----\nMIIB")
    other = FoldedText("é -----BEGIN PRIVATE KEY-----\nMIIC\n-----END PRIVATE KEY----- ok")
    matcher = Matcher([it for it in RECOGNISERS if it.name == "world/secret"])
    for some in ([key, key], [key, other], [other, key, other, key]):
        assert matcher.find_each(some) == [matcher.find(text) for text in some]


def test_one_text_after_another_makes_no_difference() -> None:
    texts = [FoldedText(example) for it in RECOGNISERS for example in it.examples["yes"]]
    together = Matcher(RECOGNISERS)
    for text in texts[::40]:
        before = together.find(text)
        together.find(texts[0])
        assert together.find(text) == before == Matcher(RECOGNISERS).find(text)


def test_what_is_sought_only_in_texts_with_a_digit_holds_one() -> None:
    for it in RECOGNISERS:
        for search in (Search(it, pattern) for pattern in it.patterns):
            if matching._holds_digit(search):
                for example in it.examples["yes"]:
                    text = FoldedText(example)
                    assert not any(search.find(text.utf8)) or any(map(str.isdecimal, text.folded)), it.name


def test_an_outline_matches_wherever_its_expression_does() -> None:
    for it in RECOGNISERS:
        for pattern in it.patterns:
            exactly, loosely = re2.compile(pattern.regex), re2.compile(outline(pattern.regex))
            for example in it.examples["yes"]:
                text = FoldedText(example).folded
                assert not exactly.search(text) or loosely.search(text), it.name


def test_an_outline_keeps_noughts_and_what_is_no_digit_and_no_letter() -> None:
    assert outline(r"\b0[7-9]\d{2,3}\x22[A-F]?(?i:x)[^a-z]\x{C0}") == (
        r"\b0[1-97-9]\d{2,3}\x22[A-ZA-F]?(?i:[a-z])[^a-z]\x{C0}"
    )


@pytest.mark.parametrize("scores", [Scores(alone=0.9), Scores(checked=0.9)])
def test_the_clock_is_looked_at_among_very_many_values_of_one_text(
    scores: Scores, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = Recogniser("test/it", "IT", "it", "here", (), (Pattern(r"\b\d{4}\b", scores, "luhn"),))
    text = FoldedText("1234 " * 1000, seconds_max=60)
    looked_at = itertools.chain([0.0], itertools.repeat(math.inf))  # in time when the search begins, then late
    monkeypatch.setattr("troth.detect.text.time.monotonic", lambda: next(looked_at))
    with pytest.raises(Unscanned):
        Matcher([it]).find(text)
