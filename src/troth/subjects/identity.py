"""Who is asked about: verified identifiers, and how they are compared with what stores hold."""

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
    """What was given cannot name a person: empty, malformed, or not what its kind looks like."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Verified identifiers of one subject. Its `repr` says how many, never which.

    *keys* names rows outright: ``(("shop.customer", ("5",)), …)``.
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
        """Build one from what people type. *ids* are ``SYSTEM.TABLE=KEY``; a composite key is ``a,b``."""
        given = {IdentityKind.EMAIL: email, IdentityKind.PHONE: phone}
        return cls(
            identifiers=tuple((kind, value.strip()) for kind, value in given.items() if value is not None),
            keys=tuple(_row(text) for text in ids),
        )

    def canonical(self) -> str:
        """One spelling for the same identifiers, for keyed references. Personal: never print it."""
        named = sorted(spelled(kind, value) for kind, value in self.identifiers)
        return "\x1e".join([*named, *sorted(f"{place}\x1f{key!r}" for place, key in self.keys)])

    def __repr__(self) -> str:
        return f"Identity({len(self.identifiers)} identifiers, {len(self.keys)} keys)"


def spelled(kind: IdentityKind, value: str) -> str:
    """`Identity.canonical` of whoever is named by this identifier alone. Personal: never print it."""
    return f"{kind}\x1f{_canonical(kind, value)}"


def variants(kind: IdentityKind, value: str, *, region: str = "GB") -> frozenset[str]:
    """The spellings of one identifier that stores are asked for; those of a phone are `dialled`. Letter case and what
    stands between digits are the store's business (`Match.fold`, `Match.digits`)."""
    if kind is IdentityKind.PHONE:
        return _phone_numbers(value, region)
    if kind is IdentityKind.EMAIL:
        return frozenset({value.strip().lower()})
    return frozenset({value.strip()})


def dialled(value: str) -> str:
    """The digits of a phone number, with its plus: ``+20 79…`` is nobody's who is asked for as ``2079…``."""
    digits = re.sub(r"[^0-9]+", "", value)
    return f"+{digits}" if digits and "+" in value.partition(digits[0])[0] else digits


def _phone_numbers(value: str, region: str) -> frozenset[str]:
    """How the number is dialled: nationally, from abroad, and as ``+44 (0)…`` reads. What is no number stands for its
    own digits."""
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
    """The number without its extension, or None where there is none in *value*."""
    import phonenumbers  # heavy metadata: only when a phone is asked for

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
    """Whether an address is written with letters that become others when they are made small: the Kelvin sign in
    ``K@…`` would find whoever has a ``k`` there, and letters would go to another mailbox."""
    return kind is IdentityKind.EMAIL and any(not each.isascii() and each.lower().isascii() for each in value)


def _refuse_nonsense(kind: IdentityKind, value: str) -> None:
    shape = _SHAPES.get(kind)
    is_shaped = shape is None or shape.fullmatch(value)
    if not value or len(value) > _LENGTH_MAX or not is_shaped or _is_disguised(kind, value):
        raise IdentityRefused(f"that is not {'an' if kind[0] in 'aeiou' else 'a'} {kind}: give one whole {kind}")
