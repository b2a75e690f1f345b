"""Identifiers of people, and how they are compared with stored values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from troth.declaration import IdentityKind

if TYPE_CHECKING:
    import phonenumbers


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


def canonical(kind: IdentityKind, value: str) -> str:
    """One spelling of the identifier, the same for all of its `variants`."""
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
