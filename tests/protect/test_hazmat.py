"""The primitives, against published known answers."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.protect.hazmat import Aead, AeadFailed, GcmSiv, KeyWrap, Mac, SigningKey, Siv, UnwrapFailed, derive, stretch

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/protect/primitives.json").read_text())
HASHES = ["sha1", "sha224", "sha256", "sha384", "sha512", "sha512_256", "sha3_256", "sha3_512"]


def known(name: str) -> list[Any]:
    return [{key: read(key, value) for key, value in case.items()} for case in VECTORS[name]]


def read(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return [bytes.fromhex(element) for element in value]
    return value if key == "hash" else bytes.fromhex(value)


def spoiled(data: bytes) -> list[bytes]:
    """*data* with every bit flipped in turn, cut off at every byte, and one byte longer."""
    number = int.from_bytes(data, "big")
    flipped = [(number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(8 * len(data))]
    return [*flipped, *(data[:end] for end in range(len(data))), data + b"\x00"]


def test_scrypt_agrees_with_rfc_7914(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.protect.hazmat.scrypt._COST", 16_384)  # §12 has no vector for as much as we ask
    made = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    made += "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
    assert stretch(b"pleaseletmein", b"SodiumChloride", 64).hex() == made


@pytest.mark.parametrize("case", known("hkdf"))
def test_hkdf_agrees_with_rfc_5869(case: dict[str, Any]) -> None:
    name = case.get("hash", "sha256")
    for salt in {case["salt"], case["salt"] or None}:
        assert derive(case["ikm"], case["info"], len(case["okm"]), salt=salt, hash_name=name) == case["okm"]


def test_hkdf_gives_no_more_than_its_hash_allows() -> None:
    assert len(derive(b"x", b"", 255 * 32)) == 255 * 32
    with pytest.raises(ValueError, match="8160"):
        derive(b"x", b"", 255 * 32 + 1)


@each_row("case", known("hmac"))
def test_hmac_agrees_with_rfc_4231(case: dict[str, Any]) -> None:
    mac = Mac(case["key"], case.get("hash", "sha256"))
    assert mac(case["data"])[: len(case["mac"])] == case["mac"]


@given(st.binary(max_size=200), st.binary(max_size=300), st.sampled_from(HASHES))
def test_a_prepared_hmac_is_hmac(key: bytes, message: bytes, name: str) -> None:
    assert Mac(key, name)(message) == hmac.digest(key, message, name)
    assert Mac(key)(message) == hmac.digest(key, message, "sha256")
    assert Mac(key).each([message, b""]) == [Mac(key)(message), Mac(key)(b"")]


AEADS: list[Any] = [
    *(pytest.param(Aead, case, id=f"gcm-{at}") for at, case in enumerate(known("gcm"))),
    *(pytest.param(GcmSiv, case, id=f"gcm-siv-{at}") for at, case in enumerate(known("gcm_siv"))),
]


@each_row(("kind", "case"), AEADS)
def test_gcm_and_gcm_siv_agree_with_their_specifications(
    kind: Callable[[bytes], Aead | GcmSiv], case: dict[str, bytes]
) -> None:
    aead = kind(case["key"])
    sealed = case["ciphertext"] + case["tag"]
    assert aead.encrypt(case["nonce"], case["plaintext"], case["associated"]) == sealed
    assert aead.decrypt(case["nonce"], sealed, case["associated"]) == case["plaintext"]
    for changed in spoiled(sealed):
        with pytest.raises(AeadFailed):
            aead.decrypt(case["nonce"], changed, case["associated"])
    for associated in (case["associated"] + b"\x00", case["associated"][1:] + b"x"):
        with pytest.raises(AeadFailed):
            aead.decrypt(case["nonce"], sealed, associated)


@pytest.mark.parametrize("case", known("siv"))
def test_siv_agrees_with_rfc_5297(case: dict[str, Any]) -> None:
    siv, sealed, associated = Siv(case["key"]), case["sealed"], case["associated"]
    assert siv.encrypt(case["plaintext"], associated) == sealed
    assert siv.decrypt(sealed, associated) == case["plaintext"]
    for changed in spoiled(sealed):
        with pytest.raises(AeadFailed):
            siv.decrypt(changed, associated)
    for others in ([], associated[1:], [*associated, b""], [b"".join(associated), b""], [b"x", *associated]):
        with pytest.raises(AeadFailed):
            siv.decrypt(sealed, others)


@given(st.sampled_from([32, 48, 64]), st.binary(max_size=100), st.lists(st.binary(max_size=20), max_size=4))
def test_siv_opens_what_it_sealed_and_seals_it_alike(length: int, plaintext: bytes, associated: list[bytes]) -> None:
    siv = Siv(bytes(range(length)))
    sealed = siv.encrypt(plaintext, associated)
    assert siv.decrypt(sealed, associated) == plaintext
    assert siv.encrypt(plaintext, associated) == sealed


WRAPS: list[Any] = [
    *(pytest.param(KeyWrap.wrap, KeyWrap.unwrap, case, id=f"kw-{at}") for at, case in enumerate(known("key_wrap"))),
    *(
        pytest.param(KeyWrap.wrap_padded, KeyWrap.unwrap_padded, case, id=f"kwp-{at}")
        for at, case in enumerate(known("key_wrap_padded"))
    ),
]


@each_row(("wrap", "unwrap", "case"), WRAPS)
def test_key_wrap_agrees_with_rfc_3394_and_rfc_5649(
    wrap: Callable[[KeyWrap, bytes], bytes], unwrap: Callable[[KeyWrap, bytes], bytes], case: dict[str, bytes]
) -> None:
    key = KeyWrap(case["key"])
    assert wrap(key, case["secret"]) == case["wrapped"]
    assert unwrap(key, case["wrapped"]) == case["secret"]
    for changed in spoiled(case["wrapped"]):
        with pytest.raises(UnwrapFailed):
            unwrap(key, changed)


@pytest.mark.parametrize("secret", [b"", b"1", bytes(8), bytes(17)])
def test_what_key_wrap_is_not_made_for_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="key"):
        KeyWrap(bytes(32)).wrap(secret)


@pytest.mark.parametrize(("kind", "length"), [(Aead, 31), (GcmSiv, 33), (Siv, 16), (Siv, 63)])
def test_a_key_of_another_length_is_refused(kind: Callable[[bytes], object], length: int) -> None:
    with pytest.raises(ValueError, match="key must be"):
        kind(bytes(length))


@pytest.mark.parametrize("case", known("ed25519"))
def test_signatures_agree_with_rfc_8032(case: dict[str, bytes]) -> None:
    key = SigningKey(case["seed"])
    assert key.public_key == case["public"]
    assert key.sign(case["message"]) == case["signature"]
