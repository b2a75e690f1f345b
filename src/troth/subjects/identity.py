"""Verified identifiers of subjects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from troth.declaration import IdentityKind
from troth.errors import TrothError
from troth.rows.identifiers import canonical

CANARY_HOST = "canary.invalid"
"""Of the addresses of canaries, invented people in real systems. RFC 2606: no mail can ever be delivered there."""
_LENGTH_MAX = 320  # RFC 3696: the longest e-mail address; no other identifier is longer


class IdentityRefused(TrothError):
    """The input cannot identify a person: empty, malformed, or not valid for its kind."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Verified identifiers of one subject. Its `repr` shows only counts.

    *keys* identify rows directly: ``(("shop.customer", ("5",)), …)``.
    """

    identifiers: tuple[tuple[IdentityKind, str], ...] = ()
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        if not self.identifiers and not self.keys:
            raise IdentityRefused(
                "an identity needs at least one identifier: --email, --phone or --id SYSTEM.TABLE=KEY"
            )
        for kind, value in self.identifiers:
            _refuse_nonsense(kind, value)

    @classmethod
    def of(cls, *, email: str | None = None, phone: str | None = None, ids: Iterable[str] = ()) -> Identity:
        """Build an identity from user input. *ids* are ``SYSTEM.TABLE=KEY``; a composite key is ``a,b``."""
        given = {IdentityKind.EMAIL: email, IdentityKind.PHONE: phone}
        return cls(
            identifiers=tuple((kind, value.strip()) for kind, value in given.items() if value is not None),
            keys=tuple(_row(text) for text in ids),
        )

    def canonical(self) -> str:
        """Canonical form of the identifiers, for keyed references. Personal: never print it."""
        named = sorted(spelled(kind, value) for kind, value in self.identifiers)
        return "\x1e".join([*named, *sorted(f"{place}\x1f{key!r}" for place, key in self.keys)])

    def __repr__(self) -> str:
        return f"Identity({len(self.identifiers)} identifiers, {len(self.keys)} keys)"


def is_canary(value: object) -> bool:
    """True if an identifier is that of a canary, who is no person and never counts as one."""
    return isinstance(value, str) and value.strip().lower().endswith(f"@{CANARY_HOST}")


def spelled(kind: IdentityKind, value: str) -> str:
    """`Identity.canonical` of an identity with only this identifier. Personal: never print it."""
    return f"{kind}\x1f{canonical(kind, value)}"


def _row(text: str) -> tuple[str, tuple[str, ...]]:
    place, equals, key = text.partition("=")
    if not equals or "." not in place or not key:
        raise IdentityRefused("--id names one row as SYSTEM.TABLE=KEY, such as shop.customer=5")
    return place.strip(), tuple(part.strip() for part in key.split(","))


_SHAPES: Mapping[IdentityKind, re.Pattern[str]] = {
    IdentityKind.EMAIL: re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,255}"),
    IdentityKind.PHONE: re.compile(r"[+(\d][+\d\s().\-/x]{4,40}", re.IGNORECASE),
}


def _is_disguised(kind: IdentityKind, value: str) -> bool:
    """True if an address has letters that become ASCII letters in lower case. The Kelvin sign in
    ``K@…`` would match the address with ``k``, and e-mails would go to a different mailbox."""
    return kind is IdentityKind.EMAIL and any(not each.isascii() and each.lower().isascii() for each in value)


def _refuse_nonsense(kind: IdentityKind, value: str) -> None:
    shape = _SHAPES.get(kind)
    is_shaped = shape is None or shape.fullmatch(value)
    if not value or len(value) > _LENGTH_MAX or not is_shaped or _is_disguised(kind, value):
        raise IdentityRefused(f"that is not {'an' if kind[0] in 'aeiou' else 'a'} {kind}: give one whole {kind}")
