"""What protect refuses, named for what the caller can do about it. No message holds a key or a value."""

from __future__ import annotations

from troth.errors import TrothError

__all__ = ["HomeRefused", "KeyRefused", "KeysMissing", "MaskRefused", "MaskTooNarrow", "OpenError", "ProtectError"]


class ProtectError(TrothError):
    """Protect refused or failed."""


class HomeRefused(ProtectError):
    """The root key's file or folder is not safe, or not readable; the message says how to mend it."""


class KeysMissing(HomeRefused):
    """There is no root key yet."""


class KeyRefused(ProtectError):
    """A key may not be treated like that: it does not exist, or its state does not allow it. Nothing was changed."""


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
