"""``ledger``: who outside is shown the checkpoints, and mistakes in naming them."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from troth.declaration import Declaration, DeclarationErrors, parse

HEAD = (
    "troth: 1\norganisation: {name: E, country: GB, address: a, email: privacy@example.org}\n"
    "policy: {file: p.md, effective: 2026-11-01}\n"
)
KEY = "witness.example.org/w1+10e47819+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
URL = "https://witness.example.org"


def key_of(name: str, public_key: bytes) -> str:
    key = b"\x04" + public_key
    key_id = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    return f"{name}+{key_id}+{base64.b64encode(key).decode()}"


def declared(**ledger: object) -> Declaration:
    return parse(f"{HEAD}ledger: {json.dumps(ledger)}\n")


def test_witnesses_and_an_authority_are_read() -> None:
    ledger = declared(
        witnesses=[{"key": KEY, "url": URL}], timestamp={"url": "https://tsa.example.org", "certificate": "root.pem"}
    ).ledger
    assert ledger is not None
    assert [(each.key, each.url) for each in ledger.witnesses] == [(KEY, URL)]
    assert ledger.quorum is None
    assert ledger.timestamp is not None


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "name+id+base64 of type 4"),
        ("witness.example.org", "name+id+base64 of type 4"),
        (KEY.replace("+BI", "+AI"), "of type 4"),
        (KEY.replace("10e47819", "10e47818"), "id does not fit"),
        (KEY.replace("w1", "w2"), "id does not fit"),
        (KEY[:-1] + "d", "id does not fit"),
    ],
)
def test_a_key_that_is_not_whole_is_a_mistake(key: str, says: str) -> None:
    with pytest.raises(DeclarationErrors, match=says.replace("+", r"\+")):
        declared(witnesses=[{"key": key, "url": URL}])


@pytest.mark.parametrize("url", ["", "witness.example.org", "ftp://example.org", "https://ann:secret@example.org"])
def test_an_address_that_is_none_or_holds_a_secret_is_a_mistake(url: str) -> None:
    with pytest.raises(DeclarationErrors) as refused:
        declared(witnesses=[{"key": KEY, "url": url}])
    assert "secret@" not in str(refused.value)


@pytest.mark.parametrize(
    ("ledger", "says"),
    [
        ({"witnesses": [{"key": KEY, "url": URL}] * 2}, "listed twice"),
        ({"witnesses": [{"key": KEY, "url": URL}], "quorum": 2}, "larger than the number of witnesses"),
        ({"witnesses": [{"key": KEY, "url": URL}], "quorum": 0}, "quorum"),
        ({"witness": []}, "witness"),
    ],
)
def test_a_quorum_that_cannot_be_met_is_a_mistake(ledger: dict[str, object], says: str) -> None:
    with pytest.raises(DeclarationErrors, match=says):
        declared(**ledger)


def test_keys_are_told_apart_whatever_signs_base64_writes_them_in() -> None:
    """Base64 has a plus sign of its own, so what follows the last one is not the key."""
    first, second = (key_of(f"witness.example.org/{name}", bytes([name]) * 31 + b"\xfe") for name in (1, 2))
    assert [first[-1], second[-1]] == ["+", "+"]
    ledger = declared(witnesses=[{"key": first, "url": URL}, {"key": second, "url": URL}]).ledger
    assert ledger is not None
    assert [each.key for each in ledger.witnesses] == [first, second]
    with pytest.raises(DeclarationErrors, match="listed twice"):
        declared(witnesses=[{"key": key_of(f"{name}.example.org", b"\xfe" * 32), "url": URL} for name in "ab"])
