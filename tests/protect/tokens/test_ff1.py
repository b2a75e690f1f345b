"""FF1: the published samples, the batch held to the single, and both held to another implementation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fastfpe import ff1 as oracle
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.protect import DomainTooSmall
from troth.protect.hazmat import Ff1
from troth.protect.hazmat.ff1_batch import decrypt_batch, encrypt_batch

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
NIST_KEY = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94")
# NIST, the FF1 samples of SP 800-38G (FF1samples.pdf): bytes of that key, radix, tweak, plaintext, ciphertext.
NIST_SAMPLES = [
    (16, 10, "", "0123456789", "2433477484"),
    (16, 10, "39383736353433323130", "0123456789", "6124200773"),
    (16, 36, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (24, 10, "", "0123456789", "2830668132"),
    (24, 10, "39383736353433323130", "0123456789", "2496655549"),
    (24, 36, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (32, 10, "", "0123456789", "6657667009"),
    (32, 10, "39383736353433323130", "0123456789", "1001623463"),
    (32, 36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


def numerals(text: str) -> list[int]:
    return [LETTERS.index(letter) for letter in text]


def letters(values: list[int]) -> str:
    return "".join(LETTERS[value] for value in values)


@each_row(("key", "radix", "tweak", "plain", "cipher"), NIST_SAMPLES)
def test_ff1_agrees_with_the_samples_of_nist(key: int, radix: int, tweak: str, plain: str, cipher: str) -> None:
    ff1 = Ff1(NIST_KEY[:key], radix)
    assert letters(ff1.encrypt(numerals(plain), bytes.fromhex(tweak))) == cipher
    assert letters(ff1.decrypt(numerals(cipher), bytes.fromhex(tweak))) == plain
    rows = np.array([numerals(plain), numerals(cipher)], np.uint8)
    assert letters(encrypt_batch(ff1, rows, bytes.fromhex(tweak))[0].tolist()) == cipher
    assert letters(decrypt_batch(ff1, rows, bytes.fromhex(tweak))[1].tolist()) == plain


def shortest(radix: int) -> int:
    return next(length for length in range(1, 21) if radix**length >= 1_000_000)


@dataclass
class Batch:
    """Rows of numerals, and a tweak in two parts."""

    ff1: Ff1
    values: npt.NDArray[Any] = field(repr=False)
    tweak: bytes
    row_tweaks: npt.NDArray[np.uint8] = field(repr=False)

    def each(self, values: npt.NDArray[Any]) -> list[tuple[list[int], bytes]]:
        return [(row.tolist(), self.tweak + more.tobytes()) for row, more in zip(values, self.row_tweaks, strict=True)]


keys = st.sampled_from([16, 24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
radices = st.sampled_from([2, 10, 36, 62, 256, 65_535, 65_536]) | st.integers(2, 65_536)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    radix = draw(radices)
    length = draw(st.integers(shortest(radix), shortest(radix) + 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = draw(st.integers(1, 4))
    values = rng.integers(0, radix, (rows, length)).astype(np.uint16)
    edge = draw(st.sampled_from([None, 0, radix - 1]))
    if edge is not None:
        values[0] = edge
    more = rng.integers(0, 256, (rows, draw(st.integers(0, 20)))).astype(np.uint8)
    return Batch(Ff1(draw(keys), radix), values, draw(st.binary(max_size=40)), more)


@given(batches())
def test_a_batch_is_each_of_its_rows_and_comes_back(batch: Batch) -> None:
    encrypted = encrypt_batch(batch.ff1, batch.values, batch.tweak, batch.row_tweaks)
    assert encrypted.tolist() == [batch.ff1.encrypt(row, tweak) for row, tweak in batch.each(batch.values)]
    assert decrypt_batch(batch.ff1, encrypted, batch.tweak, batch.row_tweaks).tolist() == batch.values.tolist()
    assert [batch.ff1.decrypt(row, tweak) for row, tweak in batch.each(encrypted)] == batch.values.tolist()


def test_a_batch_longer_than_what_is_worked_on_at_once_is_each_of_its_rows() -> None:
    ff1 = Ff1(NIST_KEY, 10)
    values = np.random.default_rng(7).integers(0, 10, (40_000, 11), dtype=np.uint8)
    more = values[:, :4]
    encrypted = encrypt_batch(ff1, values, b"shop", more)
    for row in (0, 16_383, 16_384, 39_999):
        assert encrypted[row].tolist() == ff1.encrypt(values[row].tolist(), b"shop" + more[row].tobytes())
    assert (decrypt_batch(ff1, encrypted, b"shop", more) == values).all()


@given(st.data(), st.integers(2, 36), keys, st.binary(max_size=40))
def test_ff1_agrees_with_another_implementation(data: st.DataObject, radix: int, key: bytes, tweak: bytes) -> None:
    low = shortest(radix)
    plain = data.draw(st.text(LETTERS[:radix], min_size=low, max_size=low + 40))
    theirs = oracle.encrypt(key.hex(), tweak.hex(), LETTERS[:radix], plain)
    assert letters(Ff1(key, radix).encrypt(numerals(plain), tweak)) == theirs
    assert letters(encrypt_batch(Ff1(key, radix), np.array([numerals(plain)], np.uint8), tweak)[0].tolist()) == theirs


@pytest.mark.parametrize(("radix", "length"), [(10, 5), (2, 19), (36, 3), (65_536, 1), (1_000, 1), (10, 0)])
def test_a_domain_under_a_million_is_refused(radix: int, length: int) -> None:
    ff1, rows = Ff1(NIST_KEY, radix), np.zeros((2, length), np.uint16)
    for act in (ff1.encrypt, ff1.decrypt):
        with pytest.raises(DomainTooSmall, match=r"fewer than 1,000,000 .* use the format 'opaque'"):
            act([0] * length, b"")
    for act_many in (encrypt_batch, decrypt_batch):
        with pytest.raises(DomainTooSmall):
            act_many(ff1, rows, b"")


@pytest.mark.parametrize(("radix", "length"), [(10, 6), (2, 20), (100, 3), (1_000, 2)])
def test_a_domain_of_a_million_is_taken(radix: int, length: int) -> None:
    ff1 = Ff1(NIST_KEY, radix)
    assert ff1.decrypt(ff1.encrypt([1] * length, b""), b"") == [1] * length


def test_every_value_of_a_domain_has_a_ciphertext_of_its_own() -> None:
    every = np.arange(1_000_000, dtype=np.uint32)
    values = np.stack([every // 10**place % 10 for place in reversed(range(6))], axis=1).astype(np.uint8)
    encrypted = encrypt_batch(Ff1(NIST_KEY, 10), values, b"").astype(np.uint32)
    assert len(np.unique(encrypted @ (10 ** np.arange(6, dtype=np.uint32)))) == 1_000_000
