"""HKDF-SHA256 (RFC 5869)."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["derive"]


def derive(secret: bytes, info: bytes, length: int, *, salt: bytes | None = None) -> bytes:
    """*length* bytes from *secret*, different and independent for every *info*."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
