"""No text makes a recogniser read the same signs again and again: time is linear, whatever the text."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

import pytest
from tests.tables import each_row

from troth.detect.patterns.loader import read
from troth.detect.patterns.recogniser import Pattern, Recogniser
from troth.detect.patterns.search import Search

_SIZE: Final = 3000
_AGAIN_MAX: Final = 40
"""How often each sign may be read as part of a value, on average: a value has a bound, or parts that are counted."""
_BETWEEN: Final = ("=", ":", " ", "='", '"', "‘", "=your-", " = <", ": [")
CHECKED: Final = [
    pytest.param(recogniser, pattern, id=f"{recogniser.name}-{number}")
    for recogniser in read(resources.files("troth.detect.patterns") / "recognisers")
    for number, pattern in enumerate(recogniser.patterns, 1)
    if pattern.check is not None
]


def hostile(recogniser: Recogniser, pattern: Pattern) -> set[str]:
    """The words that a value is known by, and the examples of values, said over and over."""
    labels = re.findall("[a-z]{3,}", re.sub(r"\\.|\[[^\]]*\]|\?.", " ", pattern.regex))
    values = [re.sub("[⟦⟧]", "", it) for it in recogniser.examples["yes"]]
    units = [label + between for label in labels for between in _BETWEEN] + values + [it + " " for it in values]
    return {(it * (_SIZE // len(it) + 1))[:_SIZE] + end for it in units for end in ("", ']>’"')}


@each_row(("recogniser", "pattern"), CHECKED)
def test_what_is_said_over_and_over_is_read_a_few_times(
    recogniser: Recogniser, pattern: Pattern, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_signs = 0

    def refuses(value: str) -> bool:
        nonlocal read_signs
        read_signs += len(value)
        return False

    monkeypatch.setattr("troth.detect.patterns.search.CHECKS", {pattern.check: refuses})
    search = Search(recogniser, pattern)
    for text in hostile(recogniser, pattern):
        read_signs = 0
        list(search.find(text.encode()))
        assert read_signs <= _AGAIN_MAX * len(text), text[:40]
