"""Sealed values as bytes: encrypted under a key of their own field, bound to their place.

======  =======================================================================================================
bytes   what
======  =======================================================================================================
4       ``TRS`` and 1, the version of this layout
1       suite: 1 is HKDF-SHA256, AES-256-GCM with a random nonce, key commitment by HKDF;
        2 is HKDF-SHA256, AES-256-SIV (RFC 5297), key commitment by HKDF: equal plaintexts in one place look equal
8       id of the root key
4       number of the field key (uint32); 0 is derived from the root key itself
12      nonce; zeros in suite 2
16      commitment to the key, as neither cipher alone prevents one ciphertext from opening under two keys
n + 16  ciphertext and tag, in suite 2 the tag first; the header and the context are authenticated with it
======  =======================================================================================================
"""

from __future__ import annotations

import enum
import hmac
import os
import struct
from dataclasses import dataclass
from functools import lru_cache

from troth.ledger import KeyId
from troth.protect.errors import OpenError
from troth.protect.hazmat import KEY_BYTES, NONCE_BYTES, SIV_KEY_BYTES, TAG_BYTES, Aead, AeadFailed, Siv
from troth.protect.pack import text, texts

COMMITMENT_BYTES = 16
_HEADER = struct.Struct(f">4sB8sI{NONCE_BYTES}s{COMMITMENT_BYTES}s")
_MAGIC = b"TRS\x01"
OVERHEAD_BYTES = _HEADER.size + TAG_BYTES
"""Bytes that sealing adds."""
ROOT_AT = slice(5, 13)
NUMBER_AT = slice(13, 17)
"""Where the id of its root key and the number of its field key are in a sealed value, for searching without opening."""


class Suite(enum.IntEnum):
    """The cipher suite of a sealed value."""

    RANDOM = 1
    DETERMINISTIC = 2

    @property
    def secret_bytes(self) -> int:
        """The number of derived bytes for its key and the commitment to it."""
        return (KEY_BYTES if self is Suite.RANDOM else SIV_KEY_BYTES) + COMMITMENT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingContext:
    """The place of a sealed value. It opens in exactly this place, for exactly this subject, and nowhere else.

    *domain* is the part of Troth or the merchant that it is for; *tenant* is for services that host several companies.
    """

    domain: str
    table: str = ""
    field: str = ""
    subject: str = ""
    tenant: str = ""

    def __repr__(self) -> str:
        return f"Context({self.domain}, {self.table}, {self.field})"  # the subject stays out of logs


class FieldKey:
    """The key of one field for one suite, with its commitment. *secret* has the derived bytes that the suite needs."""

    __slots__ = ("_cipher", "commitment", "number", "root_id", "suite")

    def __init__(self, secret: bytes, root_id: bytes, number: int, suite: Suite = Suite.RANDOM) -> None:
        assert len(secret) == suite.secret_bytes, "each suite has keys of one length"
        key, self.commitment = secret[:-COMMITMENT_BYTES], secret[-COMMITMENT_BYTES:]
        self._cipher: Aead | Siv = Aead(key) if suite is Suite.RANDOM else Siv(key)
        self.root_id = root_id
        self.number = number
        self.suite = suite

    def encrypt(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """Ciphertext and tag. Only suite 1 uses the nonce."""
        if isinstance(self._cipher, Siv):
            return self._cipher.encrypt(plaintext, [associated])
        return self._cipher.encrypt(nonce, plaintext, associated)

    def decrypt(self, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        """The plaintext, or `AeadFailed`."""
        if isinstance(self._cipher, Siv):
            return self._cipher.decrypt(sealed, [associated])
        return self._cipher.decrypt(nonce, sealed, associated)


def seal(plaintext: bytes, context: SealingContext, key: FieldKey) -> bytes:
    """Seal with the suite of *key*; with random nonces one key is safe for 2^32 values (SP 800-38D §8.3)."""
    nonce = os.urandom(NONCE_BYTES) if key.suite is Suite.RANDOM else bytes(NONCE_BYTES)
    header = _HEADER.pack(_MAGIC, key.suite, key.root_id, key.number, nonce, key.commitment)
    return header + key.encrypt(nonce, plaintext, _associated(header, context))


def open_sealed(sealed: bytes, context: SealingContext, key: FieldKey) -> bytes:
    """The plaintext. Raises `OpenError` for any fault."""
    if len(sealed) < OVERHEAD_BYTES:
        raise OpenError
    header, body = sealed[: _HEADER.size], sealed[_HEADER.size :]
    magic, suite, root_id, number, nonce, commitment = _HEADER.unpack(header)
    known = (magic, suite, root_id, number) == (_MAGIC, key.suite, key.root_id, key.number)
    if not known or not hmac.compare_digest(commitment, key.commitment):
        raise OpenError
    try:
        return key.decrypt(nonce, body, _associated(header, context))
    except AeadFailed:
        raise OpenError from None


def key_of(sealed: bytes) -> tuple[int, Suite]:
    """The number of the field key that it was sealed under, and its suite. Raises `OpenError` if it is no sealed
    value."""
    if not is_sealed(sealed):
        raise OpenError
    _, suite, _, number, _, _ = _HEADER.unpack_from(sealed)
    return number, _SUITES[suite]


def sealed_under(value: bytes) -> tuple[KeyId, int] | None:
    """The root key and the number of the field key that the header of *value* names, None if it is not sealed. Does not
    open it."""
    if not is_sealed(value):
        return None
    _, _, root_id, number, _, _ = _HEADER.unpack_from(value)
    return KeyId("k1:" + root_id.hex()), number


def is_sealed(value: bytes) -> bool:
    """Whether *value* has the outer form of a sealed value. Only opening it shows that it is one."""
    return len(value) >= OVERHEAD_BYTES and value.startswith(_BEGINNINGS)


def is_begun(value: bytes) -> bool:
    """Whether *value* begins like a sealed value, though it may be truncated or of an unknown suite."""
    return value.startswith(_MAGIC)


def is_deterministic(value: bytes) -> bool:
    """Whether *value* has the outer form of a deterministically sealed value."""
    return is_sealed(value) and value[len(_MAGIC)] == Suite.DETERMINISTIC


_SUITES = {int(suite): suite for suite in Suite}
_BEGINNINGS = tuple(_MAGIC + bytes([suite]) for suite in Suite)


def _associated(header: bytes, context: SealingContext) -> bytes:
    return header + _place(context.tenant, context.domain, context.table, context.field) + text(context.subject)


@lru_cache(256)
def _place(tenant: str, domain: str, table: str, field: str) -> bytes:
    return texts(tenant, domain, table, field)
