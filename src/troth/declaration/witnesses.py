"""Outside witnesses of the company's ledger."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from troth.declaration.base import StrictModel

WebAddress = Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
_WITNESS_KEY = re.compile(r"(?P<name>[^+\s]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]{44})")


class LedgerWitness(StrictModel):
    """An outsider who cosigns the ledger's checkpoints, and refuses one that does not continue its last signed one
    (C2SP tlog-witness)."""

    key: str
    """Its public key, as its operator publishes it: ``name+id+base64``."""
    url: WebAddress
    """Its submission prefix: checkpoints are sent to ``add-checkpoint`` below it."""

    @field_validator("key")
    @classmethod
    def _whole_key(cls, value: str) -> str:
        found = _WITNESS_KEY.fullmatch(value.strip())
        key = base64.b64decode(found["key"]) if found else b""
        if found is None or key[:1] != b"\x04":
            raise ValueError("the key of a witness must be name+id+base64 of type 4, as its operator publishes it")
        if hashlib.sha256(found["name"].encode() + b"\n" + key).hexdigest()[:8] != found["id"]:
            raise ValueError("the witness's key is damaged: its id does not fit its name and key")
        return value.strip()


class TimestampAuthority(StrictModel):
    """A timestamp authority (RFC 3161), which timestamps the ledger's checkpoint once a day."""

    url: WebAddress
    certificate: Path
    """Its root certificate in PEM, below the folder of the declaration."""


class Ledger(StrictModel):
    """Outsiders who verify that the ledger only grows. Only hashes leave, never an entry."""

    witnesses: tuple[LedgerWitness, ...] = ()
    quorum: int | None = Field(default=None, ge=1)
    """How many of the witnesses must have cosigned; by default all."""
    timestamp: TimestampAuthority | None = None

    @model_validator(mode="after")
    def _quorum_can_be_met(self) -> Self:
        keys = {witness.key.split("+", 2)[2] for witness in self.witnesses}  # base64 contains plus signs, too
        if len(keys) < len(self.witnesses):
            raise ValueError("a witness is listed twice; each cosignature must come from a different one")
        if self.quorum is not None and self.quorum > len(self.witnesses):
            raise ValueError("the quorum is larger than the number of witnesses")
        return self
