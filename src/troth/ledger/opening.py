"""Commitments: proofs about texts that the ledger does not hold.

An opening is stored sealed with the subject it is about, or held only by the subject. Without it a commitment reveals
nothing; once every copy is destroyed, nobody can connect the entry to the text any more, and the proofs still hold.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
from dataclasses import dataclass, field
from hashlib import sha256

from troth.ledger.errors import EntryRefused
from troth.ledger.values import Commitment

_SALT_BYTES = 32
_TAG = b"troth/commitment/1"


@dataclass(frozen=True, slots=True)
class Opening:
    """The content of a commitment: the field it is for, the text, and the salt. Its ``repr`` shows nothing."""

    about: str = field(repr=False)
    """Kind and field of the entry, such as ``waiver.given/reason``: an opening for one field does not open another."""
    text: str = field(repr=False)
    salt: bytes = field(repr=False, default_factory=lambda: os.urandom(_SALT_BYTES))

    @property
    def commitment(self) -> Commitment:
        """The commitment for the entry."""
        parts = (_TAG, self.salt, self.about.encode(), self.text.encode("utf-8", "surrogatepass"))
        return Commitment("cm1:" + sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest())

    def require(self, commitment: Commitment) -> None:
        """Raises `EntryRefused` unless *commitment* was made from this opening."""
        if not hmac.compare_digest(self.commitment.text, commitment.text):
            raise EntryRefused("the opening does not match the commitment")

    def dump(self) -> bytes:
        """The opening as bytes, to be sealed, or given to the subject as a receipt's extra. `load` reads it."""
        parts = {"about": self.about, "salt": base64.b64encode(self.salt).decode(), "text": self.text}
        return b"op1 " + json.dumps(parts, sort_keys=True, separators=(",", ":")).encode("ascii")

    @classmethod
    def load(cls, dumped: bytes) -> Opening:
        """Read what `dump` wrote. Raises `EntryRefused`."""
        try:
            parts = json.loads(dumped.removeprefix(b"op1 "))
            opening = cls(parts["about"], parts["text"], base64.b64decode(parts["salt"], validate=True))
            if opening.dump() == dumped:
                return opening
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        raise EntryRefused("these bytes are not an opening of version 1")
