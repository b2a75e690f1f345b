"""What protect refuses, named for what the caller can do about it. No message holds a key or a value."""

from __future__ import annotations

from troth.errors import TrothError


class ProtectError(TrothError):
    """Protect refused or failed."""


class HomeRefused(ProtectError):
    """The root key's file or folder is not safe, or not readable; the message says how to mend it."""


class KeysMissing(HomeRefused):
    """There is no root key yet."""


class WrapRefused(HomeRefused):
    """The root key cannot be wrapped or unwrapped the way it should be; the message says what to mend."""


class WayRefused(WrapRefused):
    """There is no such way to wrap a root key, or its options do not fit."""


class KeyRefused(ProtectError):
    """A key may not be treated like that: it does not exist, or its state does not allow it. Nothing was changed."""


class ApprovalRefused(ProtectError):
    """An act takes two approvers and does not have them, or one of them cannot be believed. Nothing was done."""


class OpenError(ProtectError):
    """A sealed value does not open. Why is not told, as that would help whoever tries."""

    def __init__(self) -> None:
        super().__init__("a sealed value does not open: another key, another place, or it was changed")


class MaskRefused(ProtectError):
    """No meaningless value fits such a column; declare ``null`` or ``delete`` for it."""


class MaskTooNarrow(MaskRefused):
    """The column is too narrow for masks that must differ in every row; *needed* characters, bytes or bits would do."""

    def __init__(self, message: str, *, needed: int) -> None:
        super().__init__(message)
        self.needed = needed


class TokenRefused(ProtectError):
    """No token is made of this, or nothing is read back from it. *row* is the place in a batch, counted from 0."""

    def __init__(self, message: str, *, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row

    def __str__(self) -> str:
        message = super().__str__()
        return message if self.row is None else f"row {self.row}: {message}"


class DomainTooSmall(TokenRefused):
    """Of so few values an attacker tries all, so format-preserving encryption would hide nothing; a random, stored
    token does."""

    def __init__(self, *, radix: int, length: int, needed: int) -> None:
        super().__init__(
            f"there are only {radix**length:,} values of {length} characters out of {radix}, and fewer than {needed:,} "
            "can all be tried; use the format 'opaque'"
        )
