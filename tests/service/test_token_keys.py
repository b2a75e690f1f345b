"""The life of a token key: made by command, put in use by the declaration, retired by it, destroyed by two."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from troth.protect import Keychain, KeyRefused, Keyring, KeyState, TokenFormat, Tokeniser, create_home
from troth.service.core.key_lifecycle import look_at_keys, plan_destruction, rotate_tokens
from troth.service.core.models import KeyRow

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
def home(database: str, tmp_path: Path) -> Path:
    create_home(tmp_path / "keys", now=NOW)
    return tmp_path / "keys"


@pytest.fixture
def keyring(home: Path) -> Keyring:
    return Keyring.open(home)


@pytest.fixture
def chain(keyring: Keyring) -> Keychain:
    assert keyring.chain is not None
    return keyring.chain


def test_a_key_waits_for_its_domain_and_no_second_one_is_made_meanwhile(keyring: Keyring, chain: Keychain) -> None:
    made = rotate_tokens(keyring, {}, now=NOW, make=True).made
    assert made is not None
    assert made.name == "token-1"
    assert rotate_tokens(keyring, {"shop": []}, now=NOW, make=True).made is None
    second = rotate_tokens(keyring, {"shop": [1]}, now=NOW, make=True)
    assert second.made is not None
    assert (second.made.name, second.retired) == ("token-2", ())
    assert KeyRow.objects.filter(purpose="token", state="active").count() == 2


def test_a_key_is_retired_when_no_domain_makes_tokens_under_it_any_more(
    home: Path, keyring: Keyring, chain: Keychain
) -> None:
    for domains in ({}, {"shop": [1]}):
        rotate_tokens(keyring, domains, now=NOW, make=True)
    token = Tokeniser(keyring, {"shop": [1]}, domain="shop").tokenise(TokenFormat.EMAIL, "ann@example.org")
    assert rotate_tokens(keyring, {"shop": [1]}, now=NOW, make=False).retired == ()
    assert rotate_tokens(keyring, {"shop": [2, 1], "desk": [1]}, now=NOW, make=False).retired == ()
    assert rotate_tokens(keyring, {"shop": [2, 1]}, now=NOW, make=False).retired == ("token-1",)
    assert chain.state("token", 1) is KeyState.DEACTIVATED
    reader = Tokeniser(keyring, {"shop": [2, 1]}, domain="shop")
    assert reader.detokenise(TokenFormat.EMAIL, token).reveal() == "ann@example.org"
    found = {one.info.name: one for one in look_at_keys(home, keyring, now=NOW, domains={"shop": [2, 1]}).keys}
    assert (found["token-1"].hanging, found["token-2"].hanging) == (1, 1)


def test_a_declared_key_is_not_destroyed(keyring: Keyring, chain: Keychain) -> None:
    rotate_tokens(keyring, {}, now=NOW, make=True)
    chain.move("token-1", KeyState.DEACTIVATED, now=NOW)

    def planned(domains: dict[str, list[int]]) -> object:
        return plan_destruction(
            keyring, "token-1", crypto_erase=False, stores=(), in_stores={}, now=LATER, domains=domains
        )

    with pytest.raises(KeyRefused, match=r"token-1 is still declared: 1 in token_domains\.shop"):
        planned({"shop": [2, 1]})
    assert planned({"shop": [2]})


def test_a_declared_key_that_is_not_there_is_told(home: Path, keyring: Keyring) -> None:
    [told] = look_at_keys(home, keyring, now=NOW, domains={"shop": [1]}).unsound
    assert "token-1 is not in keys.toml" in told
    assert "make it with: troth keys rotate token" in told


def test_a_key_past_its_period_is_overdue(home: Path, keyring: Keyring) -> None:
    rotate_tokens(keyring, {}, now=NOW, make=True)
    later = look_at_keys(home, keyring, now=NOW + dt.timedelta(days=400), domains={"shop": [1]})
    [due] = [one.standing for one in later.keys if one.info.purpose == "token"]
    assert (due.overdue, due.due) == (True, "its period is over: troth keys rotate token")
