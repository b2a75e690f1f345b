"""AES key wrap (RFC 3394, NIST SP 800-38F KW) and with padding (RFC 5649, KWP): keys sealed under a key, no nonce."""

from __future__ import annotations

from cryptography.hazmat.primitives import keywrap


class UnwrapFailed(Exception):
    """The integrity check does not fit."""


class KeyWrap:
    """The wrapping key, of 16, 24 or 32 bytes. `ValueError` for any other length, when it is used."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def wrap(self, secret: bytes) -> bytes:
        """*secret* and 8 bytes more. It is 16 bytes or longer, in whole eights; `ValueError` otherwise."""
        return keywrap.aes_key_wrap(self._key, secret)

    def unwrap(self, wrapped: bytes) -> bytes:
        """What `wrap` wrapped, or `UnwrapFailed`."""
        try:
            return keywrap.aes_key_unwrap(self._key, wrapped)
        except keywrap.InvalidUnwrap:
            raise UnwrapFailed from None

    def wrap_padded(self, secret: bytes) -> bytes:
        """The same for a *secret* of any length but nought."""
        return keywrap.aes_key_wrap_with_padding(self._key, secret)

    def unwrap_padded(self, wrapped: bytes) -> bytes:
        """What `wrap_padded` wrapped, or `UnwrapFailed`."""
        try:
            return keywrap.aes_key_unwrap_with_padding(self._key, wrapped)
        except keywrap.InvalidUnwrap:
            raise UnwrapFailed from None
