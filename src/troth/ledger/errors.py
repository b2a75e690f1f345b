"""Errors of the ledger, named for what the caller can do about them."""

from __future__ import annotations

from troth.errors import TrothError


class LedgerError(TrothError):
    """Base of the errors of the ledger."""


class EntryRefused(LedgerError):
    """An entry does not fit the schema of its kind, or its bytes are damaged. The message names the field, never the
    value."""


class EntryUnknown(LedgerError):
    """An entry of a later version of Troth: its version or kind is unknown here."""


class ProofRefused(LedgerError):
    """An inclusion or consistency proof does not show what it claims."""


class NoteRefused(LedgerError):
    """A signed note or checkpoint is malformed, or carries no valid signature of the expected key."""


class ReceiptRefused(LedgerError):
    """A receipt does not prove that this entry is in that ledger."""


class LedgerBroken(LedgerError):
    """The stored ledger differs from what was signed. *leaf* is the first bad leaf: no leaf before it is affected."""

    def __init__(self, message: str, *, leaf: int) -> None:
        super().__init__(message)
        self.leaf = leaf


class WitnessRefused(LedgerError):
    """A witness did not cosign. *conflict*: it has seen a ledger under our name that differs from ours."""

    def __init__(self, message: str, *, conflict: bool = False) -> None:
        super().__init__(message)
        self.conflict = conflict


class TimestampRefused(LedgerError):
    """A timestamp could not be obtained, or does not prove that its authority saw this checkpoint."""
