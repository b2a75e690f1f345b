"""What is said of a value belongs to it: the other's read-back, a rest, another try. What is said of else does not."""

from __future__ import annotations

import pytest

from troth.detect.speech import Speech
from troth.detect.text import FoldedText


def _left(text: str) -> str:
    """The text without what is found, speakers and spaces."""
    for it in sorted(Speech().find(FoldedText(text)), key=lambda it: -it.start):
        text = text[: it.start] + text[it.end :] if it.score >= 0.5 else text
    return " ".join(text.replace("agent:", "").replace("caller:", "").split())


@pytest.mark.parametrize(
    ("call", "left"),
    [
        (
            "agent: a phone please\ncaller: oh seven seven double oh nine two three four\nagent: two three four",
            "a phone please",
        ),
        (
            "agent: a phone please\ncaller: oh seven seven double oh nine one two three four\n"
            "agent: and that was two three four then lovely",
            "a phone please and that was then lovely",
        ),
        (
            "agent: your account number\ncaller: one eight seven seven\nagent: one eight seven seven\n"
            "caller: my tea is cold zero zero four four\nagent: zero zero four four\ncaller: six",
            "your account number",
        ),
        (
            "agent: the pin please\ncaller: nine nine six nine\nagent: nine nine six nine\n"
            "caller: no i am sorry nine six nine two\nagent: fine it is nine six nine two then",
            "the pin please fine it is then",
        ),
        ("agent: security code\ncaller: is it seven er one or seven no it is seven one four", "security code is it"),
        (
            "agent: may i have your email\ncaller: er ben at uh no ann underscore b at example dot org\n"
            "agent: ann underscore b okay",
            "may i have your email er okay",
        ),
    ],
)
def test_nothing_of_a_value_is_left_in_an_exchange(call: str, left: str) -> None:
    assert _left(call) == left


def test_what_is_dictated_bit_by_bit_needs_no_question() -> None:
    call = "caller: n are\nagent: n r yeah\ncaller: six for\nagent: six four\ncaller: to two one eight"
    assert _left(call) == ""


@pytest.mark.parametrize(
    "call",
    [
        "agent: that'll be forty two ninety nine\ncaller: forty two ninety nine",
        "agent: it was four five one two and now it's four seven double oh\ncaller: four seven double oh",
        "agent: for the ultra it's one two nine\ncaller: one two nine",
        "agent: how much is it\ncaller: eleven forty nine\nagent: eleven forty nine for two",
        "agent: the phone's got one two eight gig\ncaller: is there a two five six",
        "agent: how long is the account open\ncaller: since two thousand and twelve so twelve years",
    ],
)
def test_amounts_that_are_said_again_are_nobodys(call: str) -> None:
    assert _left(call) == " ".join(call.replace("agent:", "").replace("caller:", "").split())


@pytest.mark.parametrize(
    "rest",
    [
        "agent: and when does that one arrive",
        "agent: we open at ten on the dot",
        "agent: i hear eleven digits",
        "agent: is it for one night or for two",
    ],
)
def test_what_is_said_of_something_else_stays(rest: str) -> None:
    call = f"agent: a phone please\ncaller: oh seven seven double oh nine one two three one\n{rest}"
    assert _left(call).endswith(rest.partition(": ")[2])


def test_the_fields_of_a_form_are_no_exchange() -> None:
    assert _left("Phone: +41 79 555 01 88\n\nPos 1: oak 4-1-2\nPos 2: A2 20") == "Phone: Pos 1: oak 4-1-2 Pos 2: A2 20"
