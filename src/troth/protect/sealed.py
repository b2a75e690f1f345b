"""A wrapper for values that are passed on but must not be shown."""

from __future__ import annotations

import hmac
from typing import Any, Generic, NoReturn, TypeVar

from troth.protect.pack import Part, packed

T = TypeVar("T", bound=Part)


class Sealed(Generic[T]):
    """Holds a value that no log, traceback, template or dump shows by accident; only `reveal` returns it.

    ``repr`` and ``str`` show nothing; formatting, pickling and hashing raise ``TypeError``. Comparison takes constant
    time.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value."""
        return self._value

    def __repr__(self) -> str:
        return "Sealed(…)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sealed):
            return NotImplemented
        return hmac.compare_digest(packed([self._value]), packed([other._value]))

    __hash__ = None  # type: ignore[assignment]

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a sealed value cannot be formatted; reveal it where it may be seen")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a sealed value cannot be pickled; seal it with a keyring to store it")

    def __copy__(self) -> Sealed[T]:
        return self

    def __deepcopy__(self, memo: object) -> Sealed[T]:
        return self
