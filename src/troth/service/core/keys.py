"""Keys of this deployment, opened once: the keyring in TROTH_HOME, and the ledger's signing key."""

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
    """Create a root key in *home* if there is none. Idempotent, also from several processes at once."""
    try:
        Keyring.open(home)
    except KeysMissing:
        with contextlib.suppress(HomeRefused):  # another process was first; opening checks it
            create_home(home)
        Keyring.open(home)


def ledger_signer(keys: Keyring, organisation: Organisation) -> Signer:
    """Signing key for this ledger's checkpoints. A ledger keeps its first name."""
    host = urlsplit(organisation.site or "").hostname or "localhost"
    return keys.signer(tree().origin or f"{host}/troth")
