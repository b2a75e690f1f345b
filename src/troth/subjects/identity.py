"""Verified identifiers of subjects, and how they are compared with stored values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from troth.declaration import IdentityKind
from troth.errors import TrothError

if TYPE_CHECKING:
    import phonenumbers

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


def spelled(kind: IdentityKind, value: str) -> str:
    """`Identity.canonical` of an identity with only this identifier. Personal: never print it."""
    return f"{kind}\x1f{_canonical(kind, value)}"


def variants(kind: IdentityKind, value: str, *, region: str = "GB") -> frozenset[str]:
    """Spellings of one identifier to query stores for; those of a phone number are `dialled`. Letter case, and
    characters between digits, are handled by the store (`Match.fold`, `Match.digits`)."""
    if kind is IdentityKind.PHONE:
        return _phone_numbers(value, region)
    if kind is IdentityKind.EMAIL:
        return frozenset({value.strip().lower()})
    return frozenset({value.strip()})


def dialled(value: str) -> str:
    """The digits of a phone number, with a leading plus if there is one: ``+20 79…`` must not match ``2079…``."""
    digits = re.sub(r"[^0-9]+", "", value)
    return f"+{digits}" if digits and "+" in value.partition(digits[0])[0] else digits


def _phone_numbers(value: str, region: str) -> frozenset[str]:
    """Ways to dial the number: nationally, internationally, and the literal digits of ``+44 (0)…``. If it is not a
    valid number, only its own digits."""
    import phonenumbers

    given = {dialled(value)} - {""}
    number = _parsed(value, region)
    if number is None:
        return frozenset(given)
    national = dialled(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
    abroad = [f"{number.country_code}{rest}" for rest in (phonenumbers.national_significant_number(number), national)]
    return frozenset(given | {national, *(prefix + digits for prefix in ("", "+", "00") for digits in abroad)})


def _canonical(kind: IdentityKind, value: str) -> str:
    if kind is not IdentityKind.PHONE:
        return min(variants(kind, value))
    import phonenumbers

    number = _parsed(value, "GB")
    if number is None:
        return dialled(value)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def _parsed(value: str, region: str) -> phonenumbers.PhoneNumber | None:
    """The number without its extension, or None if *value* contains none."""
    import phonenumbers  # loads large metadata, so import only when needed

    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    number.extension = None
    return number


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
