"""Tokens of deliveries: they stand in the envelope sender and the Message-ID, by which a report names its delivery."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable

from troth.protect import Keyring

_PK_BYTES, _MAC_BYTES = 6, 8
_ID = re.compile(r"<?d([a-z2-7]{23})@", re.IGNORECASE)


def delivery_token(pk: int, keyring: Keyring) -> str:
    """The token of a delivery, of letters and digits that survive any change of case."""
    body = pk.to_bytes(_PK_BYTES)
    return base64.b32encode(body + _mac(body, keyring)).decode("ascii").rstrip("=").lower()


def message_id_of(pk: int, keyring: Keyring) -> str:
    """The left part of the delivery's Message-ID."""
    return f"d{delivery_token(pk, keyring)}"


def delivery_of(token: str, keyring: Keyring) -> int | None:
    """The key of the delivery that *token* names; None if it is none of ours."""
    try:
        raw = base64.b32decode(f"{token.upper()}=")
    except (binascii.Error, ValueError):
        return None
    body, mac = raw[:_PK_BYTES], raw[_PK_BYTES:]
    return int.from_bytes(body) if hmac.compare_digest(mac, _mac(body, keyring)) else None


def deliveries_named(message_ids: Iterable[str], keyring: Keyring) -> list[int]:
    """The keys of deliveries whose Message-IDs these are."""
    named = (delivery_of(found[1], keyring) for text in message_ids if (found := _ID.match(text)))
    return [pk for pk in named if pk is not None]


def _mac(body: bytes, keyring: Keyring) -> bytes:
    return bytes.fromhex(keyring.digest("delivery", body).text.partition(":")[2])[:_MAC_BYTES]
