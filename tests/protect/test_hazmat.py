"""The primitives, against published known answers."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.protect.hazmat import Aead, AeadFailed, Mac, SigningKey, derive

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/protect/primitives.json").read_text())


def known(name: str) -> list[Any]:
    return [{key: bytes.fromhex(value) for key, value in case.items()} for case in VECTORS[name]]


@pytest.mark.parametrize("case", known("hkdf"))
def test_hkdf_agrees_with_rfc_5869(case: dict[str, bytes]) -> None:
    assert derive(case["ikm"], case["info"], len(case["okm"]), salt=case["salt"] or None) == case["okm"]


@pytest.mark.parametrize("case", known("hmac"))
def test_hmac_agrees_with_rfc_4231(case: dict[str, bytes]) -> None:
    assert Mac(case["key"])(case["data"])[: len(case["mac"])] == case["mac"]


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_a_prepared_hmac_is_hmac(key: bytes, message: bytes) -> None:
    assert Mac(key)(message) == hmac.digest(key, message, "sha256")


@pytest.mark.parametrize("case", known("gcm"))
def test_gcm_agrees_with_its_specification(case: dict[str, bytes]) -> None:
    aead = Aead(case["key"])
    sealed = case["ciphertext"] + case["tag"]
    assert aead.encrypt(case["nonce"], case["plaintext"], case["associated"]) == sealed
    assert aead.decrypt(case["nonce"], sealed, case["associated"]) == case["plaintext"]
    for at in range(len(sealed)):
        with pytest.raises(AeadFailed):
            aead.decrypt(case["nonce"], sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], case["associated"])


@pytest.mark.parametrize("case", known("ed25519"))
def test_signatures_agree_with_rfc_8032(case: dict[str, bytes]) -> None:
    key = SigningKey(case["seed"])
    assert key.public_key == case["public"]
    assert key.sign(case["message"]) == case["signature"]
