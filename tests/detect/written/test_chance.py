"""What the countries' recognisers make of nobody's numbers: next to nothing, unless words say what they are."""

from __future__ import annotations

import random
from collections import Counter
from typing import Final

import pytest

from troth.detect.text import Text
from troth.detect.written.matching import Matcher
from troth.detect.written.reading import shipped

_COUNTRIES: Final = [it for it in shipped() if it.countries]
_TRIES: Final = 1000
_MATCHER: Final = Matcher(_COUNTRIES)


@pytest.mark.parametrize("length", range(4, 17))
def test_plain_digits_are_hardly_ever_found(length: int) -> None:
    chance = random.Random(length)
    numbers = ["".join(chance.choices("0123456789", k=length)) for _ in range(_TRIES)]
    found = Counter(
        it.recogniser
        for number in numbers
        for it in _MATCHER.find(Text(f"There were {number} of them in the end."))
        if it.score >= 0.5
    )
    assert {name: count for name, count in found.items() if count > _TRIES / 200} == {}
