"""Nothing in a key or in an overlong word is a name or an address."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable

import pytest

from troth.detect import Detector

DETECTOR = Detector(types=["PERSON", "LOCATION", "ORGANIZATION", "ADDRESS"])


def _found(text: str) -> list[str]:
    return [text[it.start : it.end] for it in DETECTOR.find(text)]


@pytest.mark.parametrize("text", ["y" * 100_000, "é" * 5000, "AnnLee" * 20])
def test_an_overlong_word_is_no_name(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
def test_a_picture_as_text_holds_next_to_no_names(encode: Callable[[bytes], bytes]) -> None:
    picture = encode(random.Random(1).randbytes(100_000)).decode()
    assert sum(map(len, _found(picture))) < len(picture) / 1000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("open /srv/users/Ann Lee/photographs/2024/holidays", ["Ann Lee"]),
        ("a key " + "aB3" * 20 + ", Ann Lee", ["Ann Lee"]),
        ("a key " + "aB3" * 20 + "\n9 Park Road, Leeds LS1 3AB", ["9 Park Road, Leeds LS1 3AB"]),
    ],
)
def test_names_and_addresses_beside_them_are_found(text: str, found: list[str]) -> None:
    assert _found(text) == found
