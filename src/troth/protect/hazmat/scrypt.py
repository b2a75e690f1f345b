"""scrypt (RFC 7914): a key out of a passphrase, slow and hungry enough that guessing many of them is dear."""

from __future__ import annotations

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_COST, _BLOCKS, _LANES = 2**17, 8, 1  # 128 MiB, and about half a second


def stretch(passphrase: bytes, salt: bytes, length: int) -> bytes:
    """*length* bytes that only the same passphrase with the same salt gives again."""
    return Scrypt(salt=salt, length=length, n=_COST, r=_BLOCKS, p=_LANES).derive(passphrase)
