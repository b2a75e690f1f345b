"""AES key wrap (RFC 3394, NIST SP 800-38F KW) and with padding (RFC 5649, KWP): wrapping keys without a nonce."""

from __future__ import annotations

from cryptography.hazmat.primitives import keywrap


class UnwrapFailed(Exception):
    """The integrity check fails."""


class KeyWrap:
    """The wrapping key, of 16, 24 or 32 bytes. `ValueError` on use for any other length."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def wrap(self, secret: bytes) -> bytes:
        """Wrap *secret*, adding 8 bytes. Its length is a multiple of 8 and at least 16; `ValueError` otherwise."""
        return keywrap.aes_key_wrap(self._key, secret)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The secret that `wrap` wrapped. Raises `UnwrapFailed`."""
        try:
            return keywrap.aes_key_unwrap(self._key, wrapped)
        except keywrap.InvalidUnwrap:
            raise UnwrapFailed from None

    def wrap_padded(self, secret: bytes) -> bytes:
        """Wrap a *secret* of any length except 0."""
        return keywrap.aes_key_wrap_with_padding(self._key, secret)

    def unwrap_padded(self, wrapped: bytes) -> bytes:
        """The secret that `wrap_padded` wrapped. Raises `UnwrapFailed`."""
        try:
            return keywrap.aes_key_unwrap_with_padding(self._key, wrapped)
        except keywrap.InvalidUnwrap:
            raise UnwrapFailed from None
