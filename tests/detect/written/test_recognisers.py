"""Every recogniser does what the examples in its file say, and ships as it stands in its file."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from tools.recognisers import WRITTEN, current

from troth.detect.overlaps import resolved
from troth.detect.text import Text
from troth.detect.written.matching import Matcher
from troth.detect.written.reading import read
from troth.detect.written.recogniser import Recogniser

RECOGNISERS = list(read(resources.files("troth.detect.written") / "recognisers"))
EXAMPLES = [
    pytest.param(it, text, id=f"{it.name}-{verdict}-{number}")
    for it in RECOGNISERS
    for verdict, texts in it.examples.items()
    for number, text in enumerate(texts)
]


def marked(recogniser: Recogniser, text: str) -> str:
    """The text with what the recogniser finds by default between the marks."""
    found = (it for it in Matcher([recogniser]).find(Text(text)) if it.score >= 0.5)
    for it in reversed(resolved(found, text)):
        assert it.type == recogniser.type
        text = f"{text[: it.start]}⟦{text[it.start : it.end]}⟧{text[it.end :]}"
    return text


@pytest.mark.parametrize(("recogniser", "text"), EXAMPLES)
def test_finds_what_its_examples_mark(recogniser: Recogniser, text: str) -> None:
    assert marked(recogniser, re.sub("[⟦⟧]", "", text)) == text


def test_what_ships_is_what_the_files_say() -> None:
    assert (WRITTEN / "recognisers.json").read_text("utf-8") == current(), "run tools/recognisers.py"
