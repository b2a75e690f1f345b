"""Keys of subjects: generated at random, stored elsewhere in wrapped form, and used without ever being exposed.

A wrapped key is 68 bytes: ``TRW`` and 1, the number of the epoch key that wraps it (uint32), a nonce of 12 bytes, and
AES-256-GCM over the 32 bytes of the key and its tag of 16; the header and the owner are authenticated with it. It opens
only for its owner, and no longer once its epoch key is destroyed.
"""

from __future__ import annotations

import os
import struct

from troth.protect.errors import OpenError
from troth.protect.hazmat import KEY_BYTES, NONCE_BYTES, TAG_BYTES, Aead, AeadFailed
from troth.protect.pack import texts

_HEADER = struct.Struct(">4sI")
_MAGIC = b"TRW\x01"
WRAPPED_BYTES = _HEADER.size + NONCE_BYTES + KEY_BYTES + TAG_BYTES
"""The length of every wrapped key."""


def wrap(secret: bytes, owner: str, epoch: int, key: Aead) -> bytes:
    """Wrap the key of *owner* under the key of an epoch."""
    header, nonce = _HEADER.pack(_MAGIC, epoch), os.urandom(NONCE_BYTES)
    return header + nonce + key.encrypt(nonce, secret, header + texts(owner))


def unwrap(wrapped: bytes, owner: str, key: Aead) -> bytes:
    """The key of *owner*. Raises `OpenError` for any fault."""
    header, nonce, body = wrapped[: _HEADER.size], wrapped[_HEADER.size :][:NONCE_BYTES], wrapped[20:]
    try:
        secret = key.decrypt(nonce, body, header + texts(owner))
    except AeadFailed:
        raise OpenError from None
    if len(secret) != KEY_BYTES:
        raise OpenError
    return secret


def epoch_of(wrapped: bytes) -> int:
    """The number of the epoch key that wraps it. Raises `OpenError` if it is no wrapped key."""
    if len(wrapped) != WRAPPED_BYTES or not wrapped.startswith(_MAGIC):
        raise OpenError
    return int(_HEADER.unpack_from(wrapped)[1])
