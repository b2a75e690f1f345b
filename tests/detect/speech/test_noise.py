"""How whole values stay under the slips of real calls: fillers, the other's okay, repeats, corrections, homophones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from troth.detect.speech import Speech
from troth.detect.text import FoldedText

_DIGITS: Final = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_HOMOPHONES: Final = {
    "four": "for",
    "two": "too",
    "one": "won",
    "eight": "ate",
    "three": "tree",
    "c": "see",
    "y": "why",
}
_LETTERS: Final = "bcdfghjklmnpqrstvwxyz"
_ROUNDS: Final = 30
_SLIPS: Final = 0.12
_Slip = Callable[[str, random.Random], str]


def _digits(count: int, chance: random.Random) -> str:
    return " ".join(chance.choice(_DIGITS) for _ in range(count))


def _letters(count: int, chance: random.Random) -> str:
    return " ".join(chance.choice(_LETTERS) for _ in range(count))


def _calls(chance: random.Random) -> Iterator[tuple[str, str]]:
    """A few words before a value, and the value, each said in a way of its own."""
    yield "agent: the long number across the front please\ncaller: ", "four " + _digits(15, chance)
    yield "so the three on the back are ", _digits(3, chance)
    yield "you can get me on ", "oh seven " + _digits(9, chance)
    yield "agent: and what's your sort code\ncaller: yeah it's ", _digits(6, chance)
    yield "the account number would be ", _digits(8, chance)
    yield (
        "agent: national insurance number\ncaller: ",
        f"{_letters(2, chance)} {_digits(6, chance)} {_letters(1, chance)}",
    )
    yield "and the postcode is ", f"{_letters(2, chance)} nine {_digits(1, chance)} {_letters(2, chance)}"
    yield "it's spelled ", _letters(7, chance)
    yield "send it to my email ", f"{_letters(4, chance)} dot {_letters(3, chance)} at example dot org"
    yield "agent: date of birth for me\ncaller: ", "the third of april nineteen seventy " + chance.choice(_DIGITS[1:])


def _with_fillers(word: str, chance: random.Random) -> str:
    return f"{chance.choice(('um', 'uh', 'er', 'let me see'))} {word}"


def _with_okay(word: str, chance: random.Random) -> str:
    okay = chance.choice(("okay", "yep", "\nagent: mhm\ncaller:", "\nagent: got it\ncaller:"))
    return f"{okay} {word}"


def _said_again(word: str, chance: random.Random) -> str:
    return chance.choice((f"{word} {word}", f"{word} sorry {word}", f"{word} no {word}"))


def _as_heard(word: str, chance: random.Random) -> str:
    return _HOMOPHONES.get(word, word)


@pytest.mark.parametrize(
    ("slip", "share"),
    [(None, 1.0), (_with_fillers, 0.97), (_with_okay, 0.95), (_said_again, 0.95), (_as_heard, 0.95)],
)
def test_nearly_every_value_is_found_whole(slip: _Slip | None, share: float) -> None:
    chance = random.Random(20)
    whole = 0
    for _ in range(_ROUNDS):
        for before, value in _calls(chance):
            words = value.split()
            said = [
                words[0],
                *(slip(it, chance) if callable(slip) and chance.random() < 0.12 else it for it in words[1:]),
            ]
            whole += _is_whole(before, " ".join(said))
    assert whole >= share * _ROUNDS * 10


def _is_whole(before: str, value: str) -> bool:
    found = Speech().find(FoldedText(before + value + " thanks"))
    return any(it.start <= len(before) and it.end >= len(before + value) for it in found if it.score >= 0.5)
