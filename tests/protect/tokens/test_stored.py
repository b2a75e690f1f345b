"""Drawn tokens: what they look like, that they are drawn fairly, and how they are kept."""

from __future__ import annotations

import re
import secrets
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.protect import OPAQUE_PATTERN, Pan, TokenFormat, TokenRefused, draw_token, is_opaque_token

from .conftest import pans, passes_luhn

CARD, OPAQUE = TokenFormat.PAN_BIN6_LAST4, TokenFormat.OPAQUE
VISA = Pan("4111111111111111")


@given(pans)
def test_a_drawn_card_token_keeps_its_ends_and_fails_luhn(digits: str) -> None:
    if len(digits) < 14:
        with pytest.raises(TokenRefused, match=f"of a card of {len(digits)} digits .* use 'opaque'"):
            draw_token(CARD, Pan(digits))
        return
    token = draw_token(CARD, Pan(digits))
    assert len(token) == len(digits)
    assert (token[:6], token[-4:]) == (digits[:6], digits[-4:])
    assert token.isascii()
    assert token.isdecimal()
    assert not passes_luhn(token)


def test_every_middle_that_fails_luhn_is_as_likely() -> None:
    """14 digits leave 9,000 middles; each of a thousand heads and of nine remainders comes as often, within 5 sigma."""
    pan = Pan("30569309025904")
    middles = Counter(draw_token(CARD, pan)[6:10] for _ in range(90_000))
    assert len(middles) > 8_990  # of 9,000, each missed with odds of e^-10
    for place in range(4):
        digits = Counter(middle[place] for middle in middles.elements())
        assert all(abs(count - 9_000) < 5 * 90 for count in digits.values())


def test_chance_comes_from_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda below: 0)
    assert draw_token(CARD, VISA) == "4111110000001111"
    monkeypatch.setattr(secrets, "token_bytes", bytes)
    assert draw_token(OPAQUE) == "trtk1_" + "a" * 25 + draw_token(OPAQUE)[-7:]


def test_tokens_of_one_card_differ() -> None:
    assert len({draw_token(CARD, VISA) for _ in range(20)}) > 15
    assert len({draw_token(OPAQUE) for _ in range(1_000)}) == 1_000


@given(st.integers(0, 37), st.sampled_from("abcz2357"))
def test_an_opaque_token_is_recognised_and_a_changed_one_is_not(at: int, letter: str) -> None:
    token = draw_token(OPAQUE)
    assert re.fullmatch(OPAQUE_PATTERN, token)
    assert is_opaque_token(token)
    changed = token[:at] + letter + token[at + 1 :]
    assert is_opaque_token(changed) == (changed == token)


@pytest.mark.parametrize("text", ["", "trtk1_", "trtk1_" + "a" * 32, "trtk1_" + "A" * 32, "trtk1_" + "a" * 31 + "\n"])
def test_other_texts_are_no_opaque_tokens(text: str) -> None:
    assert not is_opaque_token(text)
    assert not is_opaque_token(draw_token(OPAQUE).upper())
    assert not is_opaque_token(draw_token(OPAQUE) + "\n")


@pytest.mark.parametrize("format_", [f for f in TokenFormat if not f.is_stored])
def test_computed_formats_are_not_drawn(format_: TokenFormat) -> None:
    with pytest.raises(TokenRefused, match="computed, not drawn; use a Tokeniser"):
        draw_token(format_, VISA)
    with pytest.raises(TokenRefused, match="needs the card"):
        draw_token(CARD)


# --- keeping ---------------------------------------------------------------------------------------------------------
