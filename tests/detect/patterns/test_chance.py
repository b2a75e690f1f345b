"""What the countries' recognisers make of nobody's numbers: next to nothing, unless words say what they are."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Final

from tests.tables import each_row

from troth.detect.patterns.loader import shipped
from troth.detect.patterns.matching import Matcher
from troth.detect.text import FoldedText

_COUNTRIES: Final = [it for it in shipped() if it.countries]
_TRIES: Final = 1000
_MATCHER: Final = Matcher(_COUNTRIES)


def digits(chance: random.Random, length: int) -> str:
    return "".join(chance.choices("0123456789", k=length))


def found_by(numbers: list[str]) -> Counter[str]:
    """How often each recogniser claims one of the numbers, in a sentence that says nothing of them."""
    texts = (FoldedText(f"There were {number} of them in the end.") for number in numbers)
    return Counter(it.recogniser for text in texts for it in _MATCHER.find(text) if it.score >= 0.5)


@each_row("length", range(4, 17))
def test_plain_digits_are_hardly_ever_found(length: int) -> None:
    chance = random.Random(length)
    found = found_by([digits(chance, length) for _ in range(_TRIES)])
    assert {name: count for name, count in found.items() if count > _TRIES / 200} == {}


@each_row(
    "number",
    [
        lambda it: str(uuid.UUID(int=it.getrandbits(128))),
        lambda it: f"{it.getrandbits(40):010x}",
        lambda it: f"{it.randrange(1950, 2030)}-{it.randrange(1, 13):02}-{it.randrange(1, 29):02}",
        lambda it: f"{it.randrange(1, 29):02}.{it.randrange(1, 13):02}.{it.randrange(1950, 2030)}",
        lambda it: f"{digits(it, 3)}-{digits(it, 3)}-{digits(it, 4)}",
        lambda it: f"020 {digits(it, 4)} {digits(it, 4)}",
        lambda it: f"+33 6 {digits(it, 2)} {digits(it, 2)} {digits(it, 2)} {digits(it, 2)}",
        lambda it: f"978-{digits(it, 1)}-{digits(it, 4)}-{digits(it, 4)}-{digits(it, 1)}",
        lambda it: f"{digits(it, 4)} {digits(it, 4)} {digits(it, 4)} {digits(it, 4)}",
        lambda it: f"{it.randrange(1, 999)},{digits(it, 3)},{digits(it, 3)}.{digits(it, 2)}",
        lambda it: ".".join(str(it.randrange(256)) for _ in range(4)),
        lambda it: f"INV-{digits(it, 8)}",
        lambda it: f"v{digits(it, 1)}.{digits(it, 2)}.{digits(it, 3)}",
    ],
    ids=[
        *("uuid", "hash", "iso-date", "german-date", "us-phone", "uk-phone", "french-phone", "isbn", "card", "amount"),
        *("ip", "invoice", "version"),
    ],
)
def test_what_only_looks_like_a_number_of_a_country_is_hardly_ever_found(
    number: Callable[[random.Random], str],
) -> None:
    chance = random.Random(1)
    found = found_by([number(chance) for _ in range(_TRIES)])
    assert {name: count for name, count in found.items() if count > _TRIES / 200} == {}
