"""Sealed values as bytes: AES-256-GCM under a key of their own field, tied to where they belong.

======  =======================================================================================================
bytes   what
======  =======================================================================================================
4       ``TRS`` and 1, the version of this layout
1       suite: 1 is HKDF-SHA256, AES-256-GCM with a random nonce, key commitment by HKDF
8       id of the root key
4       number of the field key (uint32); 0 is derived from the root key itself
12      nonce
16      commitment to the key, as GCM alone lets one ciphertext open under two keys
n + 16  ciphertext and tag; the header and the context are authenticated with it
======  =======================================================================================================
"""

from __future__ import annotations

import hmac
import os
import struct
from dataclasses import dataclass

from troth.protect.errors import OpenError
from troth.protect.hazmat import KEY_BYTES, NONCE_BYTES, TAG_BYTES, Aead, AeadFailed
from troth.protect.pack import texts

__all__ = ["COMMITMENT_BYTES", "OVERHEAD_BYTES", "Context", "FieldKey", "is_sealed", "number_of", "open_sealed", "seal"]

COMMITMENT_BYTES = 16
_HEADER = struct.Struct(f">4sB8sI{NONCE_BYTES}s{COMMITMENT_BYTES}s")
_MAGIC = b"TRS\x01"
_SUITE = 1
OVERHEAD_BYTES = _HEADER.size + TAG_BYTES
"""How much longer a sealed value is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a sealed value belongs. It opens in exactly this place, for exactly this subject, and nowhere else.

    *domain* says what part of Troth or which merchant it is for; *tenant* is for services that keep several companies.
    """

    domain: str
    table: str = ""
    field: str = ""
    subject: str = ""
    tenant: str = ""

    def __repr__(self) -> str:
        return f"Context({self.domain}, {self.table}, {self.field})"  # the subject stays out of logs


class FieldKey:
    """The key of one field, with its commitment. *secret* is `KEY_BYTES` and `COMMITMENT_BYTES` of derived bytes."""

    __slots__ = ("aead", "commitment", "number", "root_id")

    def __init__(self, secret: bytes, root_id: bytes, number: int) -> None:
        self.aead = Aead(secret[:KEY_BYTES])
        self.commitment = secret[KEY_BYTES : KEY_BYTES + COMMITMENT_BYTES]
        self.root_id = root_id
        self.number = number


def seal(plaintext: bytes, context: Context, key: FieldKey) -> bytes:
    """Seal under a fresh random nonce. One field's key is good for 2^32 values (SP 800-38D §8.3)."""
    nonce = os.urandom(NONCE_BYTES)
    header = _HEADER.pack(_MAGIC, _SUITE, key.root_id, key.number, nonce, key.commitment)
    return header + key.aead.encrypt(nonce, plaintext, _associated(header, context))


def open_sealed(sealed: bytes, context: Context, key: FieldKey) -> bytes:
    """The plaintext, or `OpenError` whatever is wrong."""
    if len(sealed) < OVERHEAD_BYTES:
        raise OpenError
    header, body = sealed[: _HEADER.size], sealed[_HEADER.size :]
    magic, suite, root_id, number, nonce, commitment = _HEADER.unpack(header)
    known = (magic, suite, root_id, number) == (_MAGIC, _SUITE, key.root_id, key.number)
    if not known or not hmac.compare_digest(commitment, key.commitment):
        raise OpenError
    try:
        return key.aead.decrypt(nonce, body, _associated(header, context))
    except AeadFailed:
        raise OpenError from None


def number_of(sealed: bytes) -> int:
    """The number of the field key that it was sealed under. Raises `OpenError` for what is no sealed value."""
    if not is_sealed(sealed):
        raise OpenError
    return int(_HEADER.unpack_from(sealed)[3])


def is_sealed(value: bytes) -> bool:
    """Whether *value* has the outer form of a sealed value. Only opening it shows that it is one."""
    return len(value) >= OVERHEAD_BYTES and value.startswith(_MAGIC + bytes([_SUITE]))


def _associated(header: bytes, context: Context) -> bytes:
    return header + texts(context.tenant, context.domain, context.table, context.field, context.subject)
