"""Ways to store the root key: the same 32 bytes, in plain or wrapped by an external key.

Each way is a module with one small class. Its options (which key, in which token) are its fields, plain texts that are
stored in the key file beside the wrapped secret; its credentials come from the environment or from a file that the
environment names, and are never stored. The unwrapped secret is in memory only.

Packages that a way needs are an extra of Troth, imported when the way is used.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, ClassVar, Protocol

from troth.ledger import KeyId
from troth.protect.errors import WayRefused, WrapRefused

__all__ = ["WAYS", "Wrap", "options", "way", "wrapped"]

WAYS: Mapping[str, str] = {
    "none": "plain.Plain",
    "age": "age.Age",
    "aws-kms": "aws.AwsKms",
    "transit": "transit.Transit",
    "pkcs11": "pkcs11.Pkcs11",
}
"""The name in the key file, and the class behind it."""

_OPTION_CHARACTERS_MAX = 2048  # the maximum length of an AWS ARN


class Wrap(Protocol):
    """One way with its options. Both methods raise `WrapRefused`; the message says what to fix."""

    name: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def wrap(self, secret: bytes, key: KeyId) -> str:
        """Wrap *secret* into a text that only this way unwraps."""

    def unwrap(self, text: str, key: KeyId) -> bytes:
        """The input of `wrap`. The caller checks that it matches *key*."""


def way(name: str, given: Mapping[str, str]) -> Wrap:
    """The way called *name* with its options. Raises `WayRefused` if it is unknown, or the options are invalid."""
    if name not in WAYS:
        raise WayRefused(f"there is no way {name[:40]!r} to wrap a root key; there are: {', '.join(WAYS)}")
    module, _, called = WAYS[name].partition(".")
    kind = getattr(importlib.import_module(f"troth.protect.wraps.{module}"), called)
    known = {field.name: field for field in fields(kind) if field.init}
    if unknown := [option for option in given if option not in known]:
        raise WayRefused(f"{name} has no option {unknown[0]}; its options: {', '.join(known) or 'nothing'}")
    if missing := [each for each, field in known.items() if each not in given and field.default is MISSING]:
        raise WayRefused(f"{name} needs the option {missing[0]}")
    for option, value in given.items():
        if not (value and value.isprintable() and len(value) <= _OPTION_CHARACTERS_MAX):
            raise WayRefused(f"the {option} of {name} is empty, too long, or has characters that cannot be printed")
    made: Wrap = kind(**given)
    return made


def options(wrap: Wrap) -> dict[str, str]:
    """The options of *wrap*, to be stored."""
    return {field.name: getattr(wrap, field.name) for field in fields(wrap) if field.init}


def wrapped(wrap: Wrap, secret: bytes, key: KeyId) -> str:
    """Wrap *secret* and verify that it unwraps, so that no key is lost to a permission for only one of the two."""
    text = wrap.wrap(secret, key)
    if wrap.unwrap(text, key) != secret:
        raise WrapRefused(f"{wrap.name} returned a different secret than it was given; nothing was written")
    return text
