"""``age``: wrapped by a passphrase, in the format of age-encryption.org, so that the ``age`` command opens it as well.

The passphrase comes from TROTH_PASSPHRASE_FILE or TROTH_PASSPHRASE, or is typed. scrypt stretches it, which takes about
a second and up to a gigabyte of memory.
"""

from __future__ import annotations

import functools
import getpass
import sys
from dataclasses import dataclass, field
from typing import Any, ClassVar

from troth.errors import needs
from troth.ledger import KeyId
from troth.protect.errors import WrapRefused
from troth.protect.wraps.given import given
from troth.protect.wraps.text import decoded, encoded

_CHARACTERS_MIN = 12


@dataclass(slots=True)
class Age:
    name: ClassVar[str] = "age"
    _passphrase: str | None = field(default=None, init=False, repr=False)
    """The passphrase last used: possibly a new one, while the environment still has the old one."""

    def wrap(self, secret: bytes, key: KeyId) -> str:
        pyrage = _pyrage()
        self._passphrase = _new_passphrase()
        sealed: bytes = pyrage.passphrase.encrypt(secret, self._passphrase)
        return encoded(sealed)

    def unwrap(self, text: str, key: KeyId) -> bytes:
        pyrage = _pyrage()
        sealed, passphrase = decoded(text), self._passphrase or _passphrase(key)
        try:
            secret: bytes = pyrage.passphrase.decrypt(sealed, passphrase)
        except pyrage.DecryptError as fault:
            raise _refused(key, str(fault)) from None
        self._passphrase = passphrase
        return secret


def _refused(key: KeyId, fault: str) -> WrapRefused:
    if fault.startswith("Decryption failed"):
        _typed.cache_clear()
        return WrapRefused(f"the passphrase does not unwrap the root key {key}; give the one that it was wrapped with")
    if fault.startswith("Excessive work"):
        return WrapRefused(
            f"the root key {key} was wrapped on a much faster machine, and would take minutes to unwrap here; "
            "wrap it again on a machine like this one"
        )
    return WrapRefused(f"the root key {key} was not written by age with a passphrase; restore your copy of the file")


def _passphrase(key: KeyId) -> str:
    return given("TROTH_PASSPHRASE") or _typed(f"Passphrase of the root key {key}: ")


def _new_passphrase() -> str:
    passphrase = given("TROTH_NEW_PASSPHRASE") or given("TROTH_PASSPHRASE")
    if passphrase is None:
        passphrase = _prompt("New passphrase of the root key: ")
        if passphrase != _prompt("Repeat it: "):
            raise WrapRefused("the two passphrases differ; nothing was written")
    if len(passphrase) < _CHARACTERS_MIN:
        raise WrapRefused(f"the passphrase is shorter than {_CHARACTERS_MIN} characters; use six random words")
    return passphrase


@functools.cache
def _typed(prompt: str) -> str:
    """Prompts once per process, however often it opens the key."""
    return _prompt(prompt)


def _prompt(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise WrapRefused(
            "the root key needs a passphrase, but there is no terminal to type it; put it into a file that only you "
            "can read, and give its path in TROTH_PASSPHRASE_FILE"
        )
    return getpass.getpass(prompt)


def _pyrage() -> Any:
    with needs("age", WrapRefused, "the root key is wrapped with age, which is not installed"):
        import pyrage
    return pyrage
