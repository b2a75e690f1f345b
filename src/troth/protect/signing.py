"""Signing keys: that of the ledger's checkpoints, and those of e-mails."""

from __future__ import annotations

import secrets
from typing import Any, Literal, NoReturn

from troth.ledger import Verifier
from troth.protect.hazmat import KEY_BYTES, RsaKey, SigningKey

MailAlgorithm = Literal["rsa-sha256", "ed25519-sha256"]
"""As DKIM names them: RFC 6376 with 2,048 bits (RFC 8301), and RFC 8463, which not every receiver verifies."""


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


class MailSigningKey:
    """A key that signs e-mails (DKIM) with *algorithm*. The public key is for DNS; the private one stays inside."""

    __slots__ = ("_key", "algorithm")

    def __init__(self, algorithm: MailAlgorithm, secret: bytes) -> None:
        self.algorithm = algorithm
        self._key = RsaKey(secret) if algorithm == "rsa-sha256" else SigningKey(secret)

    @staticmethod
    def generate(algorithm: MailAlgorithm) -> bytes:
        """The secret of a new key."""
        return RsaKey.generate() if algorithm == "rsa-sha256" else secrets.token_bytes(KEY_BYTES)

    @property
    def public_key(self) -> bytes:
        """The public key as its DNS record holds it."""
        return self._key.public_key

    def sign(self, digest: bytes) -> bytes:
        """The signature over the headers that have this SHA-256 *digest*."""
        return self._key.sign_digest(digest) if isinstance(self._key, RsaKey) else self._key.sign(digest)

    def __repr__(self) -> str:
        return f"MailSigningKey({self.algorithm})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a signing key cannot be pickled; create it from the keyring where it is needed")
