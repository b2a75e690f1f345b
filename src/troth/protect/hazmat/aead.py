"""AES-GCM (NIST SP 800-38D). Here it is used with keys of `KEY_BYTES`, AES-256, and nonces of `NONCE_BYTES`."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class AeadFailed(Exception):
    """The tag does not verify."""


class Aead:
    """One key of 16, 24 or 32 bytes, ready for use: setting it up costs more than sealing a short value.

    `ValueError` for a key of any other length, and for a nonce shorter than 8 bytes or longer than 128.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def encrypt(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """Ciphertext and tag. The caller must never reuse a nonce under one key."""
        return self._cipher.encrypt(nonce, plaintext, associated)

    def decrypt(self, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        """The plaintext, or `AeadFailed`."""
        if len(sealed) < TAG_BYTES:
            raise AeadFailed
        try:
            return self._cipher.decrypt(nonce, sealed, associated)
        except InvalidTag:
            raise AeadFailed from None
