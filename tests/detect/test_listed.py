"""Words of the caller's own: found whole, in upper or lower case."""

from __future__ import annotations

import pytest

from troth.detect.listed import Listed
from troth.detect.text import Text


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["Blue Falcon"], "about BLUE  FALCON, and bluefalcon", ["BLUE  FALCON"]),
        (["falcon"], "Falcons", []),
        (["Ann", "Ann Lee"], "Ann Lee met Ann", ["Ann Lee", "Ann"]),
        (["Straße"], "in der STRASSE", ["STRASSE"]),
        (["ann"], "ａｎｎ and a\u200bnn", ["ａｎｎ", "a\u200bnn"]),
        (["", "—"], "nothing — to find", []),
    ],
)
def test_finds_what_is_listed(words: list[str], text: str, found: list[str]) -> None:
    assert [text[it.start : it.end] for it in Listed({"PROJECT": words}).find(Text(text))] == found


def test_the_type_is_the_callers() -> None:
    (it,) = Listed({"PROJECT": ["falcon"]}).find(Text("Falcon"))
    assert (it.type, it.score, it.recogniser) == ("PROJECT", 1.0, "listed")
