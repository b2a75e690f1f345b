"""AES-SIV (RFC 5297): authenticated encryption without a nonce, the same ciphertext for the same plaintext."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from troth.protect.hazmat.aead import TAG_BYTES, AeadFailed

SIV_KEY_BYTES = 64
"""Two AES-256 keys in one."""


class Siv:
    """One key of 32, 48 or 64 bytes, half for each part, ready for use. `ValueError` for any other length."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def encrypt(self, plaintext: bytes, associated: Sequence[bytes]) -> bytes:
        """The synthetic IV, which is also the tag, and the ciphertext. All *associated* texts and their order are
        authenticated; with a nonce as the last one this is the nonce-based mode of §3."""
        return self._cipher.encrypt(plaintext, list(associated))

    def decrypt(self, sealed: bytes, associated: Sequence[bytes]) -> bytes:
        """The plaintext, or `AeadFailed`."""
        if len(sealed) < TAG_BYTES:
            raise AeadFailed
        try:
            return self._cipher.decrypt(sealed, list(associated))
        except InvalidTag:
            raise AeadFailed from None
