"""Secrets by reference: ``${SHOP_DATABASE_URL}`` in the file, the value only in the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from troth.errors import TrothError


class SecretMissing(TrothError):
    """A referenced variable is not set, or its file cannot be read. *names* holds every such variable."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        either = ", ".join(f"{name} or {name}_FILE" for name in names)
        super().__init__(f"not set, or not readable: {either}; set the variable, or give a file that holds the value")


class Secret:
    """A text that may hold a secret. Only `reveal` returns it: never ``str``, ``repr`` or a pickle."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text: Final = text

    def reveal(self) -> str:
        """The text itself. Use it at once; never log it, keep it or put it into a message."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be pickled; resolve it again where it is needed")


_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PASSWORD = re.compile(
    r"://[^:/?#\s]*:[^@]+@"  # a URL's user:password@
    r"|(?:^|[?&;\s])\w*(?:password|passwd|pwd|secret|token|api_?key|access_?key|account_?key|sig)\w*\s*=\s*[^\s&;]",
    re.IGNORECASE,
)


def holds_secret(text: str) -> bool:
    """Whether *text* itself seems to contain a password or key rather than a ``${NAME}``."""
    return _PASSWORD.search(_REFERENCE.sub("", text)) is not None


def has_broken_reference(text: str) -> bool:
    """Whether *text* contains a ``${…`` that is not a valid reference."""
    return "${" in _REFERENCE.sub("", text)


def resolve(text: str, environ: Mapping[str, str]) -> Secret:
    """*text* with each ``${NAME}`` replaced by the variable of that name or, if it is not set, by the contents of the
    file that ``NAME_FILE`` names, without the final line break.

    Raises `SecretMissing` with every name that has neither.
    """
    absent = missing(text, environ)
    if absent:
        raise SecretMissing(absent)
    return Secret(_REFERENCE.sub(lambda found: _value(found[1], environ) or "", text))


def missing(text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The names that *text* references and *environ* does not supply."""
    return tuple(name for name in dict.fromkeys(_names(text)) if _value(name, environ) is None)


def _names(text: str) -> Iterator[str]:
    return (found[1] for found in _REFERENCE.finditer(text))


def _value(name: str, environ: Mapping[str, str]) -> str | None:
    if name in environ:
        return environ[name]
    file = environ.get(f"{name}_FILE")
    if file is None:
        return None
    try:
        return Path(file).read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError):
        return None
