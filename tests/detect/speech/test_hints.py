"""Of most texts nothing is read on, and of the others only what is near words that may say a value."""

from __future__ import annotations

import pytest

from troth.detect.speech.hints import places


def _read(text: str) -> list[str]:
    utf8 = text.encode()
    return [utf8[start:end].decode() for _, start, end in places(utf8)]


@pytest.mark.parametrize(
    "text",
    [
        "I reset the password three times.",
        "it takes between one and five working days",
        "call us between eight and twelve in the morning",
        "he will be there between one and five, with the part",
        "the premium is forty two pounds",
        "Order 4000 is late; please refund one of them.",
    ],
)
def test_what_only_counts_something_is_not_read(text: str) -> None:
    assert _read(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "the password is seven nine kettle",
        "it is oh seven seven double oh nine hundred one two three times and again",
        "it takes five days, call oh seven seven",
        "ann at example dot com",
        "on the sixth of november",
    ],
)
def test_what_may_say_a_value_is_read(text: str) -> None:
    assert [text] == _read(text)


def test_only_what_is_near_is_read() -> None:
    far = "nothing at all is said in this talk " * 30
    (window,) = _read(f"{far}my pin is four two oh nine {far}")
    assert "four two oh nine" in window
    assert len(window) < 400
