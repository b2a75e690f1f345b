"""scrypt (RFC 7914): a key from a passphrase, with enough time and memory to make guessing expensive."""

from __future__ import annotations

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_COST, _BLOCKS, _LANES = 2**17, 8, 1  # 128 MiB, and about half a second


def stretch(passphrase: bytes, salt: bytes, length: int) -> bytes:
    """Derive *length* bytes, reproducible only with the same passphrase and salt."""
    return Scrypt(salt=salt, length=length, n=_COST, r=_BLOCKS, p=_LANES).derive(passphrase)
