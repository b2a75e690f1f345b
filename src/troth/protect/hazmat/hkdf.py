"""HKDF (RFC 5869), over SHA-256 by default."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(secret: bytes, info: bytes, length: int, *, salt: bytes | None = None, hash_name: str = "sha256") -> bytes:
    """*length* bytes from *secret*, different and independent for every *info*. `ValueError` for more than 255 hashes.

    *hash_name* is hashlib's.
    """
    algorithm = getattr(hashes, hash_name.upper())()
    return HKDF(algorithm=algorithm, length=length, salt=salt, info=info).derive(secret)
