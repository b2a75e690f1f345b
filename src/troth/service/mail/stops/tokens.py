"""Tokens of one person and one list: they stand in the links and addresses by which the person stops it.

A token names a fingerprint, so it works after the person's data is erased, and its check value is derived from the root
key, so it works after field keys are rotated. It holds letters and digits that survive any change of case, because some
servers change it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass

from troth.protect import Keyring

_VERSION = b"\x01"
_LIST_BYTES, _NAME_BYTES, _MAC_BYTES = 4, 16, 12
TOKEN = re.compile(r"(?i)(?<![a-z2-7])[a-z2-7]{53}(?![a-z2-7])")
"""What may be a token, wherever it stands."""


@dataclass(frozen=True, slots=True)
class StopToken:
    """What a token says: the *fingerprint* of the person, and which *list* it is of, by `list_mark`."""

    fingerprint: str
    list: bytes


def list_mark(name: str) -> bytes:
    """What stands for the list *name* in a token."""
    return hashlib.sha256(f"list {name}".encode()).digest()[:_LIST_BYTES]


def make(list_name: str, fingerprint: str, keyring: Keyring) -> str:
    """The token of the person with this fingerprint for one list."""
    prefix, _, digits = fingerprint.partition(":")
    assert prefix == "ps1", "the version of a token implies that of the fingerprint"
    body = _VERSION + list_mark(list_name) + bytes.fromhex(digits)
    return _written(body + _mac(body, keyring))


def stop_addresses(token: str, site: str, mailbox: str) -> tuple[str, str]:
    """The addresses that hold *token* and by which its person stops: for the web, and for mail."""
    return f"{site}/your-data/stop/{token}", f"mailto:{mailbox}?subject=stop%20{token}"


def stop_headers(link: str, mailto: str) -> dict[str, str]:
    """The headers that name both addresses (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{link}>, <{mailto}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def read(token: str, keyring: Keyring) -> StopToken | None:
    """What *token* says; None if it is none of ours."""
    try:
        raw = base64.b32decode(f"{token.upper()}===", casefold=False)
    except (binascii.Error, ValueError):
        return None
    if _written(raw) != token.lower():
        return None  # the last letter has bits to spare
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if (
        len(body) != 1 + _LIST_BYTES + _NAME_BYTES
        or body[:1] != _VERSION
        or not hmac.compare_digest(mac, _mac(body, keyring))
    ):
        return None
    return StopToken(f"ps1:{body[1 + _LIST_BYTES :].hex()}", body[1 : 1 + _LIST_BYTES])


def _written(raw: bytes) -> str:
    return base64.b32encode(raw).decode("ascii").rstrip("=").lower()


def _mac(body: bytes, keyring: Keyring) -> bytes:
    return bytes.fromhex(keyring.digest("stop", body).text.partition(":")[2])[:_MAC_BYTES]
