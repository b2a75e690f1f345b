"""What could be a token by its form: every token could, and no value that it stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.protect import Keyring, Pan, TokenFormat, Tokeniser, draw_token
from troth.protect.tokens.cards import fitting_digit
from troth.protect.tokens.looks import could_be_token, has_form

TOKENISER = Tokeniser(Keyring(bytes(range(32))), {"shop": [1]}, domain="shop")


@given(st.text("0123456789", min_size=11, max_size=14))
def test_a_token_of_a_card_is_told_from_the_card(head: str) -> None:
    card = head[:-4] + fitting_digit(head[:-4], head[-4:], 0) + head[-4:]
    tokens = [TOKENISER.tokenise(TokenFormat.PAN_LAST4, card)]
    if len(card) > 13:
        tokens.append(draw_token(TokenFormat.PAN_BIN6_LAST4, Pan(card)))
    for format_ in (TokenFormat.PAN_LAST4, TokenFormat.PAN_BIN6_LAST4):
        assert not could_be_token(format_, card)
        assert all(could_be_token(format_, token) for token in tokens)


@pytest.mark.parametrize("format_", [TokenFormat.EMAIL, TokenFormat.EMAIL_DOMAIN, TokenFormat.ONE_WAY])
def test_a_token_of_an_address_is_told_from_the_address(format_: TokenFormat) -> None:
    assert could_be_token(format_, TOKENISER.tokenise(format_, "ann@example.org"))
    assert not could_be_token(format_, "ann@example.org")


def test_an_opaque_token_is_told_by_its_checksum() -> None:
    token = draw_token(TokenFormat.OPAQUE)
    assert could_be_token(TokenFormat.OPAQUE, token)
    assert not could_be_token(TokenFormat.OPAQUE, token[:-1] + ("a" if token[-1] != "a" else "b"))


def test_digits_that_stand_for_digits_cannot_be_told() -> None:
    assert {format_ for format_ in TokenFormat if not has_form(format_)} == {
        TokenFormat.NUMERIC,
        TokenFormat.ALPHANUMERIC,
    }
