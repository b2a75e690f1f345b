"""A ledger in a folder, and a signer that needs no keyring: this package knows no keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.rig.filelog import FileLog


class FixedSigner:
    """The same key in every run. *name* is the ledger's origin."""

    def __init__(self, name: str = "example.org/troth", seed: bytes = bytes(32)) -> None:
        self.name = name
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


@pytest.fixture
def signer() -> FixedSigner:
    return FixedSigner()


@pytest.fixture
def log(tmp_path: Path, signer: FixedSigner) -> Iterator[FileLog]:
    with FileLog(tmp_path / "ledger", signer) as log:
        yield log
