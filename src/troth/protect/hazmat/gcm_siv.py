"""AES-GCM-SIV (RFC 8452) with 96-bit nonces: a repeated nonce reveals equal plaintexts, and nothing else."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from troth.protect.hazmat.aead import TAG_BYTES, AeadFailed


class GcmSiv:
    """One key of 16, 24 or 32 bytes, ready for use; 24 are not in the RFC. `ValueError` for any other length."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCMSIV(key)

    def encrypt(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """Ciphertext and tag."""
        return self._cipher.encrypt(nonce, plaintext, associated)

    def decrypt(self, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        """The plaintext, or `AeadFailed`."""
        if len(sealed) < TAG_BYTES:
            raise AeadFailed
        try:
            return self._cipher.decrypt(nonce, sealed, associated)
        except InvalidTag:
            raise AeadFailed from None
