"""Words of the caller's own: found whole, in upper or lower case."""

from __future__ import annotations

import pytest
from tests.tables import each_row

from troth.detect.custom_words import CustomWords
from troth.detect.text import FoldedText


@each_row(
    ("words", "text", "found"),
    [
        (["Blue Falcon"], "about BLUE  FALCON, and bluefalcon", ["BLUE  FALCON"]),
        (["falcon"], "Falcons", []),
        (["Ann", "Ann Lee"], "Ann Lee met Ann", ["Ann Lee", "Ann"]),
        (["Straße"], "in der STRASSE", ["STRASSE"]),
        (["ann"], "ａｎｎ and a\u200bnn", ["ａｎｎ", "a\u200bnn"]),
        ([""], "nothing to find", []),
        (["M\u00fcller"], "Mu\u0308ller and M\u00dcLLER", ["Mu\u0308ller", "M\u00dcLLER"]),
        (["Mu\u0308ller"], "M\u00fcller and mu\u0308ller", ["M\u00fcller", "mu\u0308ller"]),
        (["C++"], "C, C++ and c++; vitamin C.", ["C++", "c++"]),
        (["C", "C++"], "C++ or C", ["C++", "C"]),
        ([".net", "Acme Inc."], "the net of .NET by Acme Inc", [".NET", "Acme Inc"]),
    ],
)
def test_finds_what_is_listed(words: list[str], text: str, found: list[str]) -> None:
    assert [text[it.start : it.end] for it in CustomWords({"PROJECT": words}).find(FoldedText(text))] == found


def test_the_type_is_the_callers() -> None:
    (it,) = CustomWords({"PROJECT": ["falcon"]}).find(FoldedText("Falcon"))
    assert (it.type, it.score, it.recogniser) == ("PROJECT", 1.0, "listed")


@pytest.mark.parametrize(
    ("listed", "error", "message"),
    [
        ({"PROJECT": "falcon"}, TypeError, "words listed as PROJECT are one string"),
        ({"PROJECT": ["falcon", "@@@"]}, ValueError, "words listed as PROJECT has no letter or digit"),
    ],
)
def test_a_list_that_could_find_only_something_else_is_refused(
    listed: dict[str, list[str]], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        CustomWords(listed)
