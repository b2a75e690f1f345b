"""``none``: the secret is stored in plain, protected only by the file's mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from troth.ledger import KeyId
from troth.protect.wraps.text import decoded, encoded


@dataclass(frozen=True, slots=True)
class Plain:
    name: ClassVar[str] = "none"

    def wrap(self, secret: bytes, key: KeyId) -> str:
        return encoded(secret)

    def unwrap(self, text: str, key: KeyId) -> bytes:
        return decoded(text)
