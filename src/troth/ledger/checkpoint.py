"""A checkpoint (C2SP tlog-checkpoint): the size and the root of a ledger, signed."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Self

from troth.ledger.errors import NoteRefused
from troth.ledger.note import Signer, Verifier, open_note, sign_note

_TEXT = re.compile(r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A statement that the tree of *size* leaves of the ledger *origin* has this *root*."""

    origin: str
    size: int
    root: bytes

    def sign(self, signer: Signer) -> str:
        """The checkpoint as a signed note."""
        return sign_note(f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n", signer)

    @classmethod
    def open(cls, note: str, verifier: Verifier, *, origin: str | None = None) -> Self:
        """Read a checkpoint signed by *verifier*'s key, of the ledger *origin* (by default the key's name).

        Raises `NoteRefused`.
        """
        found = _TEXT.fullmatch(open_note(note, verifier))
        if found is None:
            raise NoteRefused(
                "the signed note is not a checkpoint: it must have an origin, a size and a root, on one line each"
            )
        if found["origin"] != (origin or verifier.name):
            raise NoteRefused(f"the checkpoint belongs to another ledger than {origin or verifier.name}")
        return cls(found["origin"], int(found["size"]), base64.b64decode(found["root"]))
