"""Errors of protect, named for what the caller can do about them. No message holds a key or a value."""

from __future__ import annotations

from troth.errors import TrothError


class ProtectError(TrothError):
    """Base of the errors of protect."""


class HomeRefused(ProtectError):
    """The root key's file or folder is not safe, or not readable; the message says how to fix it."""


class KeysMissing(HomeRefused):
    """There is no root key yet."""


class WrapRefused(HomeRefused):
    """The root key cannot be wrapped or unwrapped as configured; the message says what to fix."""


class WayRefused(WrapRefused):
    """The way to wrap a root key is unknown, or its options are invalid."""


class KeyRefused(ProtectError):
    """The operation is not allowed: the key does not exist, or its state forbids it. Nothing was changed."""


class ApprovalRefused(ProtectError):
    """An act lacks its two approvals, or an approval is invalid. Nothing was done."""


class OpenError(ProtectError):
    """A sealed value does not open. The reason is not given, because it would help an attacker."""

    def __init__(self) -> None:
        super().__init__("a sealed value cannot be decrypted: it belongs to another key or place, or was changed")


class MaskRefused(ProtectError):
    """No mask fits such a column; declare ``null`` or ``delete`` for it."""


class MaskTooNarrow(MaskRefused):
    """The column is too narrow for masks that must differ in every row; it takes *needed* characters, bytes or bits."""

    def __init__(self, message: str, *, needed: int) -> None:
        super().__init__(message)
        self.needed = needed


class TokenRefused(ProtectError):
    """A value cannot be tokenised, or a token cannot be read back. *row* is its place in a batch, counted from 0."""

    def __init__(self, message: str, *, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row

    def __str__(self) -> str:
        message = super().__str__()
        return message if self.row is None else f"row {self.row}: {message}"


class DomainTooSmall(TokenRefused):
    """An attacker can try every value of so small a domain, so format-preserving encryption would hide nothing; use a
    random, stored token."""

    def __init__(self, *, radix: int, length: int, needed: int) -> None:
        super().__init__(
            f"there are only {radix**length:,} values of {length} characters out of {radix}, and with fewer than "
            f"{needed:,} all can be tried; use the format 'opaque'"
        )
