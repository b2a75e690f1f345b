"""Sealing, pseudonyms, digests and signatures: what they promise, and the formats they are never to leave."""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import json
import os
import pickle
import traceback
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from troth.ledger import Commitment, NoteRefused, Pseudonym, open_note, sign_note
from troth.protect import (
    Keyring,
    Masker,
    OpenError,
    Part,
    Sealed,
    SealingContext,
    commit,
    is_deterministic,
    is_sealed,
)
from troth.protect.hazmat import derive
from troth.protect.pack import packed, texts
from troth.protect.seal import FieldKey, Suite, open_sealed, seal

from .conftest import ROOT

HERE = SealingContext(domain="shop", table="customer", field="email", subject="ps1:" + "0" * 32, tenant="example")
PLACES = ["domain", "table", "field", "subject", "tenant"]
KEYRING = Keyring(ROOT)

parts = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.binary(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.uuids(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
)


# --- sealing ---------------------------------------------------------------------------------------------------------


Seal = Callable[[Keyring, bytes, SealingContext], bytes]
either = pytest.mark.parametrize("seal_it", [Keyring.seal, Keyring.seal_deterministic])


@either
@given(plaintext=st.binary(max_size=500))
def test_what_is_sealed_here_opens_here(seal_it: Seal, plaintext: bytes) -> None:
    sealed = seal_it(KEYRING, plaintext, HERE)
    assert len(sealed) == len(plaintext) + 61
    assert KEYRING.unseal(sealed, HERE) == plaintext
    assert len(plaintext) < 8 or plaintext not in sealed[45:]  # behind the header, which holds noughts


@either
@pytest.mark.parametrize("part", PLACES)
@given(value=st.text(max_size=20))
def test_nothing_opens_in_another_place(seal_it: Seal, part: str, value: str) -> None:
    assume(value != getattr(HERE, part))
    sealed = seal_it(KEYRING, b"ann@example.org", HERE)
    elsewhere = replace(HERE, **{part: value})
    with pytest.raises(OpenError):
        KEYRING.unseal(sealed, elsewhere)


@either
def test_no_text_slips_from_one_part_of_the_place_into_the_next(seal_it: Seal, keyring: Keyring) -> None:
    sealed = seal_it(keyring, b"x", SealingContext(domain="shop", table="ab", field="c"))
    for table, field in (("a", "bc"), ("abc", ""), ("", "abc")):
        with pytest.raises(OpenError):
            keyring.unseal(sealed, SealingContext(domain="shop", table=table, field=field))


@either
def test_every_truncation_and_every_flipped_bit_fails_alike(seal_it: Seal, keyring: Keyring) -> None:
    sealed = seal_it(keyring, b"ann@example.org", HERE)
    spoiled = [sealed[:end] for end in range(len(sealed))] + [sealed + b"\x00"]
    spoiled += [sealed[:4] + bytes([suite]) + sealed[5:] for suite in range(256) if suite != sealed[4]]
    for bit in range(8 * len(sealed)):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        spoiled.append(bytes(flipped))
    said = set()
    for one in spoiled:
        with pytest.raises(OpenError) as failed:
            keyring.unseal(one, HERE)
        said.add(str(failed.value))
    with pytest.raises(OpenError) as failed:
        Keyring(bytes(32)).unseal(sealed, HERE)
    assert said == {str(failed.value)}


@pytest.mark.parametrize("suite", Suite)
def test_a_value_that_names_another_key_does_not_open(suite: Suite) -> None:
    """The ciphers alone would let a value be made that opens under two keys, as two different texts."""
    secret = bytes(range(suite.secret_bytes))
    two_faced = seal(b"x", HERE, FieldKey(secret[:-16] + bytes(16), bytes(8), 0, suite))
    with pytest.raises(OpenError):
        open_sealed(two_faced, HERE, FieldKey(secret, bytes(8), 0, suite))


def test_a_value_is_sealed_differently_each_time(keyring: Keyring) -> None:
    assert len({keyring.seal(b"the same", HERE) for _ in range(50)}) == 50


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_only_who_asks_for_it_gets_values_that_can_be_found_again(one: bytes, other: bytes) -> None:
    sealed = KEYRING.seal_deterministic(one, HERE)
    assert (KEYRING.seal_deterministic(other, HERE) == sealed) == (other == one)
    assert Keyring(ROOT).seal_deterministic(one, HERE) == sealed
    assert is_sealed(sealed)
    assert is_deterministic(sealed)
    assert not is_deterministic(KEYRING.seal(one, HERE))


@pytest.mark.parametrize("part", PLACES)
def test_equal_values_look_equal_in_one_place_only(keyring: Keyring, part: str) -> None:
    """Not even their ciphertext is the same elsewhere: the tag, which depends on the place, is where it starts from."""
    here = keyring.seal_deterministic(b"ann@example.org", HERE)
    elsewhere = keyring.seal_deterministic(b"ann@example.org", replace(HERE, **{part: "another"}))
    assert not set(pieces(here[45:])) & set(pieces(elsewhere[45:]))


def pieces(data: bytes) -> list[bytes]:
    return [data[at : at + 4] for at in range(len(data) - 3)]


def test_after_a_rotation_a_value_looks_different_and_the_old_one_still_opens(home: Path) -> None:
    keyring = Keyring.open(home)
    assert keyring.chain is not None
    before = keyring.seal_deterministic(b"ann@example.org", HERE)
    keyring.chain.rotate("field", now=dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    after = keyring.seal_deterministic(b"ann@example.org", HERE)
    assert before != after == keyring.seal_deterministic(b"ann@example.org", HERE)
    assert [keyring.unseal(sealed, HERE) for sealed in (before, after)] == [b"ann@example.org"] * 2


def test_the_two_ways_of_sealing_share_no_key(keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    purposes: list[bytes] = []

    def watched(secret: bytes, info: bytes, length: int) -> bytes:
        purposes.append(info)
        return derive(secret, info, length)

    monkeypatch.setattr("troth.protect.keyring.derive", watched)
    keyring.seal(b"x", HERE)
    keyring.seal_deterministic(b"x", HERE)
    assert len(set(purposes)) == 2


@pytest.mark.parametrize("value", [b"", b"TRS\x01\x02", b"TRS\x01\x03" + bytes(80), b"TRS\x02\x02" + bytes(80)])
def test_what_has_another_form_is_not_sealed(value: bytes) -> None:
    assert not is_sealed(value)
    assert not is_deterministic(value)


def test_tenants_share_no_key() -> None:
    one, other = (Keyring(ROOT, tenant=tenant) for tenant in ("one", "other"))
    with pytest.raises(OpenError):
        other.unseal(one.seal(b"x", HERE), HERE)
    assert one.pseudonym("subject", "ann") != other.pseudonym("subject", "ann")
    assert one.digest("plan", "x") != other.digest("plan", "x")
    assert one.signer("ledger").public_key != other.signer("ledger").public_key


# --- pseudonyms, digests ---------------------------------------------------------------------------------------------


def test_a_pseudonym_links_within_its_domain_only(keyring: Keyring) -> None:
    ann = keyring.pseudonym("subject", "ann@example.org")
    assert ann == keyring.pseudonym("subject", "ann@example.org")
    assert ann != keyring.pseudonym("subject", "ben@example.org")
    assert ann != keyring.pseudonym("staff", "ann@example.org")
    assert ann != Keyring(bytes(32)).pseudonym("subject", "ann@example.org")


@given(st.lists(parts, max_size=20))
def test_a_batch_of_pseudonyms_is_each_of_them(values: list[Part]) -> None:
    assert KEYRING.pseudonyms("subject", values) == [KEYRING.pseudonym("subject", value) for value in values]


@given(st.lists(parts, max_size=5), st.lists(parts, max_size=5))
def test_two_lists_of_parts_never_have_the_same_bytes(one: list[Part], other: list[Part]) -> None:
    assume(list(map(normal, one)) != list(map(normal, other)))
    assert packed(one) != packed(other)


def normal(part: Any) -> tuple[str, str]:
    """Whole numbers are one number, whichever type a driver gave them."""
    if isinstance(part, int | float | decimal.Decimal) and not isinstance(part, bool) and part == int(part):
        return "whole", str(int(part))
    return type(part).__name__, repr(part)


@pytest.mark.parametrize(
    "same", [(5, 5.0, decimal.Decimal(5), decimal.Decimal("5.00")), (b"x", bytearray(b"x"), memoryview(b"x"))]
)
def test_a_key_is_the_same_whichever_type_the_driver_gives_it(same: tuple[Any, ...]) -> None:
    assert len({packed([value]) for value in same}) == 1


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_domains_never_run_into_each_other(one: list[str], other: list[str]) -> None:
    assert (texts(*one) == texts(*other)) == (one == other)


def test_an_unknown_type_is_refused_without_its_value(keyring: Keyring) -> None:
    with pytest.raises(TypeError) as refused:
        keyring.digest("plan", ["ann@example.org"])  # type: ignore[arg-type]
    assert "ann" not in str(refused.value)


# --- signatures, commitments -----------------------------------------------------------------------------------------


def test_a_signer_signs_what_its_verifier_opens(keyring: Keyring) -> None:
    signer = keyring.signer("example.org/troth")
    assert open_note(sign_note("said\n", signer), signer.verifier) == "said\n"


def test_a_signer_is_the_same_after_a_restore_and_has_a_name_of_its_own(keyring: Keyring) -> None:
    assert Keyring(ROOT).signer().verifier == keyring.signer().verifier
    assert keyring.signer().name == "troth/" + str(keyring.id).removeprefix("k1:")
    assert keyring.signer("one").public_key != keyring.signer("two").public_key


@pytest.mark.parametrize("name", [" ", "a b", "a+b", "a\nb"])
def test_a_signer_has_a_name_that_notes_can_carry(keyring: Keyring, name: str) -> None:
    with pytest.raises(NoteRefused):
        keyring.signer(name)


def test_a_commitment_comes_with_its_opening() -> None:
    commitment, opening = commit("waiver.given/reason", "the old shop closes")
    opening.require(commitment)
    assert commit("waiver.given/reason", "the old shop closes")[0] != commitment


# --- formats ---------------------------------------------------------------------------------------------------------


def test_formats_never_change(keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values like these stand in databases, ledgers and letters. Whoever turns this red writes a new version."""
    monkeypatch.setattr(os, "urandom", bytes)
    made = {
        "id": keyring.id.text,
        "sealed": keyring.seal(b"ann@example.org", HERE).hex(),
        "sealed deterministically": keyring.seal_deterministic(b"ann@example.org", HERE).hex(),
        "pseudonym": keyring.pseudonym("subject", "ann@example.org").text,
        "pseudonym of 7": keyring.pseudonym("subject", 7).text,
        "digest": keyring.digest("plan", "a", 1, None, True, dt.date(2026, 11, 24), b"x", uuid.UUID(int=1)).text,
        "verifier": str(keyring.signer("example.org/troth").verifier),
        "commitment": commit("waiver.given/reason", "why")[0].text,
    }
    pinned = json.loads((Path(__file__).parents[1] / "vectors/protect/formats.json").read_text())
    assert made == pinned["keyring"]


def test_what_was_sealed_long_ago_still_opens(keyring: Keyring) -> None:
    pinned = json.loads((Path(__file__).parents[1] / "vectors/protect/formats.json").read_text())
    for way in ("sealed", "sealed deterministically"):
        assert keyring.unseal(bytes.fromhex(pinned["keyring"][way]), HERE) == b"ann@example.org"
    Pseudonym(pinned["keyring"]["pseudonym"])
    Commitment(pinned["keyring"]["commitment"])


# --- nothing shows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("show", [repr, str, "{0}".format, lambda thing: f"{[thing]}"])
def test_nothing_that_holds_a_key_prints_it(keyring: Keyring, show: Callable[[object], str]) -> None:
    secrets = [ROOT.hex(), repr(ROOT)[2:20], "00, 1, 2"]
    for thing in (keyring, keyring.signer(), Masker(keyring), keyring._mac("mask", "x"), HERE):
        shown = show(thing)
        assert not any(secret in shown for secret in [*secrets, HERE.subject])


@pytest.mark.parametrize("dump", [pickle.dumps, copy.deepcopy, json.dumps])
def test_nothing_that_holds_a_key_is_dumped(keyring: Keyring, dump: Callable[[object], object]) -> None:
    for thing in (keyring, keyring.signer(), Masker(keyring)):
        with pytest.raises(TypeError):
            dump(thing)


def test_a_failed_opening_tells_nothing(keyring: Keyring) -> None:
    elsewhere = replace(HERE, field="phone")
    sealed = keyring.seal(b"ann@example.org", HERE)
    with pytest.raises(OpenError) as failed:
        keyring.unseal(sealed, elsewhere)
    said = "".join(traceback.format_exception(failed.value)) + repr(failed.value)
    assert not any(word in said for word in ("ann@", "phone", HERE.subject, "InvalidTag"))


# --- the wrapper -----------------------------------------------------------------------------------------------------


def test_a_sealed_value_shows_nothing_and_is_revealed() -> None:
    sealed = Sealed("ann@example.org")
    assert repr(sealed) == str(sealed) == "Sealed(…)"
    assert "ann" not in f"{[sealed]} {{'email': {sealed!r}}}"
    assert sealed.reveal() == "ann@example.org"


@pytest.mark.parametrize("dump", ["{}".format, pickle.dumps, json.dumps, hash, lambda sealed: {sealed: 1}])
def test_a_sealed_value_is_not_dumped_by_accident(dump: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        dump(Sealed("ann@example.org"))


@given(parts, parts)
def test_sealed_values_compare_by_value(one: Part, other: Part) -> None:
    assert Sealed(one) == Sealed(one)
    assert (Sealed(one) == Sealed(other)) == (packed([one]) == packed([other]))
    assert Sealed(one) != one


def test_a_copy_of_a_sealed_value_is_sealed() -> None:
    sealed = Sealed(b"x")
    assert copy.deepcopy(sealed) is copy.copy(sealed) is sealed
