"""The keys of this deployment, opened once: the keyring in TROTH_HOME, and the key that signs the ledger."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from urllib.parse import urlsplit

from troth.declaration import Organisation
from troth.ledger import Signer
from troth.protect import HomeRefused, Keyring, KeysMissing, create_home
from troth.service.core.ledger import tree


@functools.cache
def keyring(home: Path) -> Keyring:
    """The keyring in *home*. Raises `KeysMissing` and `HomeRefused`."""
    return Keyring.open(home)


def make_keys(home: Path) -> None:
    """Make a root key in *home* where there is none. Harmless twice, also from several processes at once."""
    try:
        Keyring.open(home)
    except KeysMissing:
        with contextlib.suppress(HomeRefused):  # another process was first; opening it tells whether it is sound
            create_home(home)
        Keyring.open(home)


def ledger_signer(keys: Keyring, organisation: Organisation) -> Signer:
    """The key that signs this ledger's checkpoints. A ledger keeps the name that it began with."""
    host = urlsplit(organisation.site or "").hostname or "localhost"
    return keys.signer(tree().origin or f"{host}/troth")
