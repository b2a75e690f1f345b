"""The key that signs the ledger's checkpoints."""

from __future__ import annotations

from typing import Any, NoReturn

from troth.ledger import Verifier
from troth.protect.hazmat import SigningKey


class Ed25519Signer:
    """A `troth.ledger.Signer`. ``str(signer.verifier)`` is given to outsiders; the key stays inside."""

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, key: SigningKey) -> None:
        self._key = key
        self.verifier = Verifier(name, key.public_key)

    @property
    def name(self) -> str:
        """The key's C2SP name."""
        return self.verifier.name

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.verifier.public_key

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over *message*."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.verifier})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a signer cannot be pickled; create it from the keyring where it is needed")
