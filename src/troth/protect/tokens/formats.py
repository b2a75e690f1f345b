"""The formats of tokens, by name. What each leaks is in ``docs/reference/tokens.md``."""

from __future__ import annotations

import enum
from collections.abc import Collection
from typing import Self

from troth.protect.errors import TokenRefused
from troth.text import did_you_mean

_NAME_SHOWN = 40
_KNOWN_SHOWN = 10


class TokenFormat(enum.StrEnum):
    """The format of a token. `named` finds one by its name, as written in a policy."""

    PAN_BIN6_LAST4 = "pan.bin6.last4"
    PAN_LAST4 = "pan.last4"
    NUMERIC = "numeric"
    ALPHANUMERIC = "alphanumeric"
    EMAIL = "email"
    EMAIL_DOMAIN = "email.domain"
    OPAQUE = "opaque"
    ONE_WAY = "one_way"

    @classmethod
    def named(cls, name: str) -> Self:
        """The format called *name*. Raises `TokenRefused` for an unknown one, with the nearest known name."""
        try:
            return cls(name)
        except ValueError:
            raise TokenRefused(
                f"there is no token format {name[:_NAME_SHOWN]!r}{suggestion(name, list(cls))}"
            ) from None

    @property
    def is_stored(self) -> bool:
        """Whether tokens are drawn at random and read back from a store, not computed."""
        return self in (TokenFormat.PAN_BIN6_LAST4, TokenFormat.OPAQUE)

    @property
    def is_reversible(self) -> bool:
        """Whether the value can be read back from the token, from a store or with the key."""
        return self is not TokenFormat.ONE_WAY


def suggestion(name: str, known: Collection[str]) -> str:
    """``; did you mean 'x'?``, or a list of the known names."""
    return did_you_mean(name, known) or f"; there are {', '.join(sorted(known)[:_KNOWN_SHOWN])}"
