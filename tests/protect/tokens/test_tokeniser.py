"""Computed tokens: there and back, one at a time and many at once, and refused where they do not belong."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.scale import scaled
from tests.tables import each_row

from troth.protect import (
    DomainTooSmall,
    KeyRefused,
    Keyring,
    KeyState,
    Pan,
    TokenFormat,
    Tokeniser,
    TokenRefused,
    create_home,
)
from troth.protect.tokens.cards import looks_like_card, luhn

from .conftest import pans, passes_luhn, tokeniser_of, with_check_digit

PAN, NUMERIC, ALPHANUMERIC = TokenFormat.PAN_LAST4, TokenFormat.NUMERIC, TokenFormat.ALPHANUMERIC
EMAIL, EMAIL_DOMAIN, ONE_WAY = TokenFormat.EMAIL, TokenFormat.EMAIL_DOMAIN, TokenFormat.ONE_WAY
SHOP, RETURNS = tokeniser_of("shop"), tokeniser_of("returns")
ONE_KEY = tokeniser_of("shop", shop=[1])
VISA = "4111111111111111"

numbers = st.text("0123456789", min_size=6, max_size=40).filter(lambda text: not looks_like_card(text))
codes = st.text("0123456789ABCXYZ", min_size=4, max_size=40).filter(lambda text: not looks_like_card(text))
label = st.text("abcxyz0123456789", min_size=1, max_size=12)
addresses = st.builds(
    lambda local, host: f"{local}@{'.'.join(host)}",
    st.text("abcXYZ0189.+-_'äß", min_size=1, max_size=24).filter(lambda text: len(text.encode()) <= 29),
    st.lists(label, min_size=1, max_size=4),
)


# --- cards -----------------------------------------------------------------------------------------------------------


@given(pans, st.sampled_from([1, 2]))
def test_a_card_comes_back_from_its_token(pan: str, version: int) -> None:
    token = SHOP.tokenise(PAN, Pan(pan), version=version)
    assert len(token) == len(pan)
    assert token.isascii()
    assert token.isdecimal()
    assert token[-4:] == pan[-4:]
    assert not passes_luhn(token)
    assert luhn(token) == version  # anybody reads the key version from the token
    found = SHOP.detokenise(PAN, token)
    assert isinstance(found, Pan)
    assert found.reveal() == pan


@given(st.lists(pans, min_size=1, max_size=8), st.integers(32, 40))
def test_many_cards_are_each_of_them(values: list[str], count: int) -> None:
    values = (values * count)[:count]
    tokens = SHOP.tokenise_batch(PAN, values)
    assert tokens == [SHOP.tokenise(PAN, value) for value in values]
    assert [pan.reveal() for pan in SHOP.detokenise_batch(PAN, tokens)] == values
    array = SHOP.tokenise_array(PAN, np.array(values, "S"))
    assert [token.decode() for token in array] == tokens
    assert [value.decode() for value in SHOP.detokenise_array(PAN, array)] == values


@given(st.integers(12, 19), st.integers(0, 2**32), st.integers(0, 40))
def test_a_table_of_digits_is_each_of_its_rows(length: int, seed: int, rows: int) -> None:
    digits = np.random.default_rng(seed).integers(0, 10, (rows, length - 1), dtype=np.uint8)
    values = [with_check_digit("".join(map(str, row))) for row in digits]
    table = np.array([[int(digit) for digit in value] for value in values], np.uint8).reshape(rows, length)
    tokens = SHOP.tokenise_array(PAN, table)
    assert ["".join(map(str, row)) for row in tokens] == [SHOP.tokenise(PAN, value) for value in values]
    assert (SHOP.detokenise_array(PAN, tokens) == table).all()


def test_no_two_cards_have_one_token() -> None:
    last4 = "0042"  # every card of 12 digits with one ending, a tenth of those with 8 free digits
    heads = [f"{number:07d}" for number in range(0, 10_000_000, 97)]
    cards = [head + str(-luhn(f"{head}0{last4}") % 10) + last4 for head in heads]
    tokens = SHOP.tokenise_batch(PAN, cards)
    assert len(set(tokens)) == len(cards) > 100_000
    assert not any(luhn(token) != 2 for token in tokens)


def test_tokens_made_before_a_rotation_are_read_beside_new_ones() -> None:
    before, after = tokeniser_of("shop", shop=[1]), tokeniser_of("shop", shop=[2, 1])
    cards = [with_check_digit(f"41111111{number:07d}") for number in range(60)]
    tokens = before.tokenise_batch(PAN, cards[:30]) + after.tokenise_batch(PAN, cards[30:])
    assert [pan.reveal() for pan in after.detokenise_batch(PAN, tokens)] == cards
    retired = tokeniser_of("shop", shop=[2])
    with pytest.raises(TokenRefused, match="row 0: no key version with the digit 1 is live in domain 'shop'"):
        retired.detokenise_batch(PAN, tokens)


def test_versions_nine_apart_are_told_by_one_digit() -> None:
    tenth = tokeniser_of("shop", shop=[10, 9])
    token = tenth.tokenise(PAN, VISA)
    assert luhn(token) == 1
    assert tenth.detokenise(PAN, token).reveal() == VISA
    assert tokeniser_of("shop", shop=[1]).detokenise(PAN, token).reveal() != VISA
    assert tenth.tokenise(TokenFormat.EMAIL, "ann@example.org").startswith("t1")
    assert tenth.tokenise(TokenFormat.ONE_WAY, "x").startswith("trow10_")


# --- token keys of a home -------------------------------------------------------------------------------------------


def test_a_token_key_is_made_before_it_is_used_and_stops_when_it_is_suspended(tmp_path: Path) -> None:
    create_home(tmp_path / "home")
    keyring = Keyring.open(tmp_path / "home")
    chain = keyring.chain
    assert chain is not None
    tokeniser = Tokeniser(keyring, {"shop": [1]}, domain="shop")
    for act in (tokeniser.tokenise, tokeniser.detokenise):
        with pytest.raises(KeyRefused, match=r"no token-1 in keys\.toml; create it with: troth keys rotate token"):
            act(NUMERIC, "123456")
    now = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    for _ in range(2):
        chain.rotate("token", now=now)
    assert [info.state for info in chain.infos()] == [KeyState.ACTIVE] * 2, "each domain has its own"
    token = tokeniser.tokenise(NUMERIC, "123456")
    assert tokeniser.tokenise_batch(NUMERIC, ["123456"] * 50) == [token] * 50
    chain.move("token-1", KeyState.SUSPENDED, now=now)
    for refused in (
        lambda: tokeniser.detokenise(NUMERIC, token),
        lambda: tokeniser.detokenise_batch(NUMERIC, [token] * 50),
        lambda: tokeniser.tokenise(NUMERIC, "123456"),
    ):
        with pytest.raises(KeyRefused, match="token-1 is suspended"):
            refused()
    chain.move("token-1", KeyState.ACTIVE, now=now)
    chain.move("token-1", KeyState.DEACTIVATED, now=now)
    assert tokeniser.detokenise(NUMERIC, token).reveal() == "123456"
    with pytest.raises(KeyRefused, match="token-1 is deactivated, and makes nothing"):
        tokeniser.tokenise(NUMERIC, "123456")
    chain.move("token-1", KeyState.DESTROYED, now=now)
    with pytest.raises(KeyRefused, match="token-1 is destroyed, and opens nothing"):
        tokeniser.detokenise(NUMERIC, token)
    fresh = Tokeniser(Keyring.open(tmp_path / "home"), {"shop": [2]}, domain="shop")
    assert fresh.tokenise(NUMERIC, "123456") != token


# --- the wrong domain ------------------------------------------------------------------------------------------------


@given(pans)
def test_another_domain_never_reads_a_card_token(pan: str) -> None:
    token = SHOP.tokenise(PAN, pan)
    with pytest.raises(TokenRefused, match="no key version with the digit 2 is live in domain 'returns'"):
        RETURNS.detokenise(PAN, token)
    mixed = [RETURNS.tokenise(PAN, pan)] * 40 + [token]
    with pytest.raises(TokenRefused, match="row 40: no key version with the digit 2 is live"):
        RETURNS.detokenise_batch(PAN, mixed)
    with pytest.raises(TokenRefused, match="row 0: no key version with the digit 3 is live"):
        SHOP.detokenise_batch(PAN, mixed)


@pytest.mark.parametrize("domain", ["shop", "club"])
def test_domains_that_share_a_key_version_have_no_card_tokens(domain: str) -> None:
    """Each would read the other's token as a wrong card that nothing gives away."""
    shared = tokeniser_of(domain, shop=[2], club=[2])
    apart = tokeniser_of("shop", shop=[2], club=[3])
    for act in (
        lambda: shared.tokenise(PAN, VISA),
        lambda: shared.tokenise_batch(PAN, [VISA] * 50),
        lambda: shared.detokenise(PAN, apart.tokenise(PAN, VISA)),
        lambda: shared.detokenise_array(PAN, np.array([apart.tokenise(PAN, VISA)], "S")),
    ):
        with pytest.raises(
            TokenRefused, match=r"share the digit of key version 2.*give each its own, or use 'pan.bin6.last4'"
        ):
            act()
    assert shared.tokenise(NUMERIC, "123456")


def test_the_domain_stands_in_no_call(shop: Tokeniser) -> None:
    assert shop.domain == "shop"
    with pytest.raises(AttributeError):
        shop.domain = "returns"  # type: ignore[misc]
    with pytest.raises(TypeError):
        shop.detokenise(PAN, VISA, domain="returns")  # type: ignore[call-arg]
    for name in ("tokenise", "detokenise", "tokenise_batch", "detokenise_batch", "tokenise_array", "detokenise_array"):
        assert "domain" not in getattr(Tokeniser, name).__annotations__


@given(pans, numbers, addresses)
def test_tenant_root_domain_format_and_version_give_tokens_of_their_own(pan: str, number: str, address: str) -> None:
    roots = bytes(range(32)), bytes(32)
    tokenisers = [
        Tokeniser(Keyring(root, tenant=tenant), {domain: [1]}, domain=domain)
        for root, tenant, domain in [
            (roots[0], "", "shop"),
            (roots[1], "", "shop"),
            (roots[0], "shop", ""),
            (roots[0], "a", "bc"),
            (roots[0], "ab", "c"),
        ]
    ]
    for format_, value in ((PAN, pan), (EMAIL, address), (ONE_WAY, number)):
        assert len({one.tokenise(format_, value) for one in tokenisers}) == len(tokenisers)
    if len(number) > 12:  # shorter ones may meet by chance
        numeric = {one.tokenise(NUMERIC, number) for one in tokenisers}
        assert len(numeric | {tokenisers[0].tokenise(ALPHANUMERIC, number)}) == len(tokenisers) + 1
    with pytest.raises(TokenRefused, match="cannot be opened"):
        tokenisers[1].detokenise(EMAIL, tokenisers[0].tokenise(EMAIL, address))


@pytest.mark.parametrize("format_", [NUMERIC, ALPHANUMERIC])
def test_no_card_comes_out_where_no_card_goes_in(format_: TokenFormat) -> None:
    with pytest.raises(TokenRefused, match="has the form of a card number; tokenise cards as"):
        ONE_KEY.tokenise(format_, VISA)
    with pytest.raises(TokenRefused, match="row 33: this has the form of a card number") as refused:
        ONE_KEY.tokenise_batch(format_, ["1234567890123456"] * 33 + [VISA, VISA])
    assert refused.value.row == 33
    assert VISA not in str(refused.value)


def test_a_wrong_key_that_would_give_a_card_is_refused() -> None:
    mine, foreign = tokeniser_of("club", club=[1]), tokeniser_of("shop", shop=[5])
    values = [f"{number:016d}" for number in range(2_000)]
    tokens = [mine.tokenise(NUMERIC, value) for value in values if not looks_like_card(value)]
    cards = [token for token in tokens if opens_as_card(foreign, token)]
    assert len(cards) > 10
    with pytest.raises(TokenRefused, match="row 32: this token would stand for a card number"):
        foreign.detokenise_batch(NUMERIC, ["123456"] * 32 + cards)


def opens_as_card(tokeniser: Tokeniser, token: str) -> bool:
    try:
        return looks_like_card(tokeniser.detokenise(NUMERIC, token).reveal())
    except TokenRefused:
        return True


def test_what_opens_under_a_wrong_key_is_no_card() -> None:
    foreign = tokeniser_of("shop", shop=[5])
    for number in range(2_000):
        with contextlib.suppress(TokenRefused):
            assert not looks_like_card(foreign.detokenise(NUMERIC, f"{number:016d}").reveal())


# --- digits, letters -------------------------------------------------------------------------------------------------


texts = st.tuples(st.just(NUMERIC), st.lists(numbers, min_size=1, max_size=6)) | st.tuples(
    st.just(ALPHANUMERIC), st.lists(codes, min_size=1, max_size=6)
)


@given(texts)
def test_texts_come_back_from_their_tokens(case: tuple[TokenFormat, list[str]]) -> None:
    format_, values = case[0], (case[1] * 40)[:40]
    tokens = [SHOP.tokenise(format_, value) for value in values]
    assert [len(token) for token in tokens] == [len(value) for value in values]
    assert re.fullmatch(r"[0-9]+" if format_ is NUMERIC else r"[0-9A-Z]+", "".join(tokens))
    assert [SHOP.detokenise(format_, token, version=2).reveal() for token in tokens] == values
    assert SHOP.tokenise_batch(format_, values) == tokens
    assert [value.reveal() for value in SHOP.detokenise_batch(format_, tokens, version=2)] == values
    array = SHOP.tokenise_array(format_, np.array(values, "S"))
    assert [token.decode() for token in array] == tokens
    assert [value.decode() for value in SHOP.detokenise_array(format_, array, version=2)] == values


@pytest.mark.parametrize("format_", [NUMERIC, ALPHANUMERIC])
def test_a_format_that_does_not_tell_its_version_has_it_said(format_: TokenFormat) -> None:
    old = SHOP.tokenise(format_, "12345678", version=1)
    assert SHOP.detokenise(format_, old, version=1).reveal() == "12345678"
    with pytest.raises(TokenRefused, match="do not contain a key version, and 2 are live; give the one"):
        SHOP.detokenise(format_, old)
    with pytest.raises(TokenRefused, match="do not contain a key version"):
        SHOP.detokenise_batch(format_, [old] * 50)
    assert ONE_KEY.detokenise(format_, ONE_KEY.tokenise(format_, "12345678")).reveal() == "12345678"


# --- addresses -------------------------------------------------------------------------------------------------------

_ADDRESS = re.compile(r"[a-z0-9]{1,64}@([A-Za-z0-9-]{1,63}\.)+invalid")


@given(addresses, st.sampled_from([EMAIL, EMAIL_DOMAIN]))
def test_an_address_comes_back_and_its_token_is_one_that_nothing_reaches(address: str, format_: TokenFormat) -> None:
    token = SHOP.tokenise(format_, address)
    assert _ADDRESS.fullmatch(token)
    assert len(token) <= 254
    assert SHOP.detokenise(format_, token).reveal() == address
    local, _, domain = address.partition("@")
    assert len(local) < 5 or local not in token
    assert token.endswith(f"@{domain}.invalid") or format_ is EMAIL


@given(st.integers(1, 248))
def test_a_long_address_is_tokenised_or_refused(length: int) -> None:
    address = ("a" * length)[: 254 - 12] + "@example.org"
    try:
        token = SHOP.tokenise(EMAIL, address)
    except TokenRefused as refused:
        assert "use the format 'opaque'" in str(refused)  # noqa: PT017 - which of the two it is depends on the length
        assert len(address) > 120
    else:
        assert _ADDRESS.fullmatch(token)
        assert len(token) <= 254
        assert SHOP.detokenise(EMAIL, token).reveal() == address


@given(addresses, st.sampled_from([EMAIL, EMAIL_DOMAIN]), st.data())
def test_a_changed_address_token_does_not_open(address: str, format_: TokenFormat, data: st.DataObject) -> None:
    token = SHOP.tokenise(format_, address)
    at = data.draw(st.integers(0, len(token) - 1))
    changed = token[:at] + data.draw(st.sampled_from("abz27.@-")) + token[at + 1 :]
    assume(changed.lower() != token.lower())
    with pytest.raises(TokenRefused, match=r"cannot be opened|not a token of the format|is live in"):
        SHOP.detokenise(format_, changed)


def test_an_address_token_opens_in_its_own_domain_only(shop: Tokeniser) -> None:
    token = shop.tokenise(EMAIL_DOMAIN, "ann@example.org")
    shared = tokeniser_of("club", club=[2])
    whole = shop.tokenise(EMAIL, "ann@example.org")
    for tokeniser, format_, wrong in (
        (shared, EMAIL_DOMAIN, token),
        (shop, EMAIL_DOMAIN, token.replace("example.org", "example.net")),
        (shop, EMAIL, token.replace("example.org", "tokens")),
        (shop, EMAIL, whole.replace("@", ".@")),
        (shop, EMAIL, whole[:20] + "@" + whole[20:].replace("@", ".")),
        (shop, EMAIL_DOMAIN, whole),
    ):
        with pytest.raises(TokenRefused):
            tokeniser.detokenise(format_, wrong)


@each_row(
    ("address", "format_"),
    [
        ("ann", EMAIL),
        ("ann@", EMAIL),
        ("@example.org", EMAIL),
        ("ann@ben@example.org", EMAIL),
        ("ann smith@example.org", EMAIL),
        ("ann@example.org\n", EMAIL),
        ("ann\x00@example.org", EMAIL),
        ("ann\ud800@example.org", EMAIL),
        ("a" * 250 + "@example.org", EMAIL),
        ("a" * 60 + "@example.org", EMAIL_DOMAIN),
        ("ann@exämple.org", EMAIL_DOMAIN),
        ("ann@-example.org", EMAIL_DOMAIN),
        ("ann@example..org", EMAIL_DOMAIN),
        ("ann@" + "a." * 123 + "org", EMAIL_DOMAIN),
    ],
)
def test_what_is_no_address_is_refused_without_being_said(address: str, format_: TokenFormat) -> None:
    with pytest.raises(TokenRefused) as refused:
        SHOP.tokenise(format_, address)
    assert "ann" not in str(refused.value)
    assert "example" not in str(refused.value)


@given(st.text(max_size=80), st.sampled_from([PAN, NUMERIC, ALPHANUMERIC, EMAIL, EMAIL_DOMAIN]))
def test_anything_else_is_refused_as_such(text: str, format_: TokenFormat) -> None:
    for act in (SHOP.tokenise, SHOP.detokenise):
        with contextlib.suppress(TokenRefused):  # any other error fails
            act(format_, text, version=2)
    with pytest.raises(TokenRefused):
        SHOP.detokenise(EMAIL, text)


# --- one way ---------------------------------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_a_one_way_token_is_the_same_for_the_same_value_in_its_domain(one: str, other: str) -> None:
    token = SHOP.tokenise(ONE_WAY, one)
    assert re.fullmatch(r"trow2_[0-9a-f]{32}", token)
    assert (token == SHOP.tokenise(ONE_WAY, other)) == (one == other)
    assert token != RETURNS.tokenise(ONE_WAY, one)
    assert SHOP.tokenise(ONE_WAY, one, version=1)[6:] != token[6:]
    assert SHOP.tokenise_batch(ONE_WAY, [one, other] * 20)[:1] == [token]


def test_one_way_has_no_way_back_and_never_meets_a_pseudonym(shop: Tokeniser) -> None:
    token = shop.tokenise(ONE_WAY, Pan(VISA))
    assert token == shop.tokenise(ONE_WAY, VISA)
    with pytest.raises(TokenRefused, match="cannot be reversed"):
        shop.detokenise(ONE_WAY, token)
    assert Keyring(bytes(range(32))).pseudonym("shop", VISA).text[4:] not in token


# --- refusals --------------------------------------------------------------------------------------------------------


@each_row(
    ("format_", "bad", "says"),
    [
        (PAN, "4111111111111112", "check digit is wrong"),
        (PAN, "41111111111", "has 12 to 19 digits, but this has 11"),
        (PAN, "4111-1111-1111-1111", "only digits 0 to 9"),
        (PAN, "٤١١١١١١١١١١١١١١١", "only digits 0 to 9"),
        (PAN, "", "only digits 0 to 9"),
        (NUMERIC, "12345x", "accepts only digits 0 to 9"),
        (NUMERIC, "12345²", "accepts only digits 0 to 9"),
        (NUMERIC, "1" * 257, "at most 256 characters"),
        (ALPHANUMERIC, "ab12cd", "letters A to Z, capitals"),
    ],
)
@each_row("many", [1, 40])
def test_a_refusal_names_the_row_and_the_fix_and_not_the_value(
    format_: TokenFormat, bad: str, says: str, many: int
) -> None:
    good = VISA if format_ is PAN else "7654321"
    with pytest.raises(TokenRefused, match=f"^row {many}: .*{says}") as refused:
        SHOP.tokenise_batch(format_, [good] * many + [bad, good])
    assert refused.value.row == many
    assert not bad or bad not in str(refused.value)
    with pytest.raises(TokenRefused, match=says):
        SHOP.tokenise(format_, bad)


@pytest.mark.parametrize("many", [1, 40])
@pytest.mark.parametrize(("format_", "short"), [(NUMERIC, "12345"), (ALPHANUMERIC, "AB1"), (NUMERIC, "")])
def test_too_small_a_domain_is_refused_one_by_one_and_in_bulk(format_: TokenFormat, short: str, many: int) -> None:
    with pytest.raises(DomainTooSmall, match=f"row {many}: there are only"):
        SHOP.tokenise_batch(format_, ["1234567"] * many + [short])
    with pytest.raises(DomainTooSmall):
        SHOP.detokenise(format_, short, version=2)


@pytest.mark.parametrize("many", [1, 40])
def test_a_real_card_is_not_read_as_a_token(many: int) -> None:
    token = SHOP.tokenise(PAN, VISA)
    with pytest.raises(TokenRefused, match=f"row {many}: its check digit is that of a card number"):
        SHOP.detokenise_batch(PAN, [token] * many + [VISA])
    with pytest.raises(TokenRefused, match="check digit is wrong"):
        SHOP.tokenise(PAN, token)  # nor is a token tokenised again


@pytest.mark.parametrize("value", [4111111111111111, None, VISA.encode(), [VISA]])
def test_other_types_are_refused(value: str) -> None:
    for act in (SHOP.tokenise, SHOP.detokenise):
        with pytest.raises(TokenRefused, match="tokens and their values must be text"):
            act(PAN, value)
    with pytest.raises(TokenRefused, match="row 1: tokens and their values must be text"):
        SHOP.tokenise_batch(PAN, [VISA, value])


def test_arrays_of_other_kinds_are_refused() -> None:
    for array in (np.array([VISA]), np.array([4111111111111111]), np.zeros((2, 16), np.int64)):
        with pytest.raises(TokenRefused, match="dtype S, or dtype uint8"):
            SHOP.tokenise_array(PAN, array)
    with pytest.raises(TokenRefused, match=r"arrays are for pan.last4, numeric, alphanumeric"):
        SHOP.tokenise_array(EMAIL, np.array(["ann@example.org"], "S"))
    with pytest.raises(TokenRefused, match="row 1: a card number must contain"):
        SHOP.tokenise_array(PAN, np.array([VISA, "4111111\x0011111111"], "S"))
    with pytest.raises(TokenRefused, match="row 0: a card number must contain"):
        SHOP.tokenise_array(PAN, np.full((3, 16), 10, np.uint8))


@pytest.mark.parametrize("format_", [TokenFormat.PAN_BIN6_LAST4, TokenFormat.OPAQUE])
def test_stored_formats_are_neither_computed_nor_read_here(format_: TokenFormat) -> None:
    with pytest.raises(TokenRefused, match="drawn, not computed; see draw_token"):
        SHOP.tokenise(format_, VISA)
    with pytest.raises(TokenRefused, match="known only to its store"):
        SHOP.detokenise(format_, VISA)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pan.last5", "did you mean 'pan.last4'"),
        ("one-way", "did you mean 'one_way'"),
        ("alphanum", "did you mean 'alphanumeric'"),
        ("???", "there are alphanumeric, email"),
    ],
)
def test_an_unknown_format_is_refused_with_the_nearest(name: str, says: str) -> None:
    with pytest.raises(TokenRefused, match=re.escape(says)):
        TokenFormat.named(name)
    assert TokenFormat.named("pan.last4") is PAN


@pytest.mark.parametrize(
    ("domains", "says"),
    [
        ({"shops": [1]}, "there is no domain 'shop'; did you mean 'shops'"),
        ({"shop": []}, "has no key version: its tokens are drawn"),
        ({"shop": [0]}, "needs different key versions"),
        ({"shop": [10, 1]}, "needs different key versions"),
        ({"shop": [1, 1]}, "needs different key versions"),
        ({"shop": [1], "x": [-1]}, "domain 'x'"),
    ],
)
def test_wrong_domains_stop_at_the_start(domains: dict[str, list[int]], says: str) -> None:
    with pytest.raises(TokenRefused, match=says):
        Tokeniser(Keyring(bytes(32)), domains, domain="shop")


@pytest.mark.parametrize("version", [0, 3, 10, -1])
def test_only_live_versions_make_and_read(version: int) -> None:
    for act in (SHOP.tokenise, SHOP.detokenise):
        with pytest.raises(TokenRefused, match="is not live in domain 'shop'"):
            act(NUMERIC, "123456", version=version)
    with pytest.raises(TokenRefused, match="not made under key version 1: its digit is 2"):
        SHOP.detokenise(PAN, SHOP.tokenise(PAN, VISA), version=1)


def test_nothing_of_a_tokeniser_is_shown_or_dumped(shop: Tokeniser) -> None:
    assert repr(shop) == "Tokeniser('shop')"
    for dump in (pickle.dumps, json.dumps):
        with pytest.raises(TypeError):
            dump(shop)


def test_without_numpy_batches_are_slower_and_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = [with_check_digit(f"41111111{number:07d}") for number in range(50)]
    tokens = SHOP.tokenise_batch(PAN, cards)
    monkeypatch.setattr("troth.protect.tokens.tokeniser.find_spec", _none_for("numpy"))
    assert SHOP.tokenise_batch(PAN, cards) == tokens
    assert [pan.reveal() for pan in SHOP.detokenise_batch(PAN, tokens)] == cards


def _none_for(missing: str) -> Callable[[str], object]:
    return lambda name: None if name == missing else importlib.util.find_spec(name)


@settings(max_examples=scaled(5, 10))
@given(st.integers(0, 3))
def test_empty_batches_are_empty(width: int) -> None:
    assert SHOP.tokenise_batch(PAN, []) == []
    assert SHOP.detokenise_batch(EMAIL, []) == []
    assert len(SHOP.tokenise_array(PAN, np.array([], f"S{width + 16}"))) == 0


# --- formats ---------------------------------------------------------------------------------------------------------


def test_tokens_never_change() -> None:
    """Tokens like these stand in databases. Whoever turns this red makes every one of them unreadable."""
    values = {
        PAN: [VISA, "378282246310005", "6212345678900000003", with_check_digit("50000000000")],
        NUMERIC: ["123456", "123456789012345678901234567890123456"],
        ALPHANUMERIC: ["AB12", "GB33BUKB20201555555555"],
        EMAIL: ["ann@example.org", "ann.with.a.very.long.name.of.her.own@mail.department.example.org"],
        EMAIL_DOMAIN: ["ann@example.org"],
        ONE_WAY: [VISA],
    }
    made = {str(format_): [SHOP.tokenise(format_, value) for value in some] for format_, some in values.items()}
    pinned = json.loads((Path(__file__).parents[2] / "vectors/protect/tokens.json").read_text())
    assert made == pinned
