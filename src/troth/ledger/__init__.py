"""The ledger: an append-only, tamper-evident record of what was done, which outsiders verify without our software.

It promises that
- an entry holds only declared words, numbers, dates, keyed pseudonyms, salted commitments and hashes;
- an acknowledged entry is durable, and its stored bytes are the bytes that were hashed;
- any later change, omission or insertion is detected by comparing with any checkpoint that somebody else keeps.

The formats are open standards: RFC 9162 hashes, C2SP tlog-tiles, tlog-checkpoint, signed-note and tlog-proof, Ed25519.
Inside, the layers are the entry (`Entry`, `KINDS`), proofs (`TileTree`) and logs (`Log`, `TiledLog`); `receipt`,
`export` and `write_archive` produce what outsiders get. `verify_troth_ledger.py` checks all three and shares no code
with the rest.

All but the words of entries is imported on first access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.lazy_imports import lazy_imports
from troth.ledger.errors import (
    EntryRefused,
    EntryUnknown,
    LedgerBroken,
    LedgerError,
    NoteRefused,
    ProofRefused,
    ReceiptRefused,
    TimestampRefused,
    WitnessRefused,
)
from troth.ledger.fields import Value, instant_text
from troth.ledger.kinds import KINDS, EntryKind, add_kinds
from troth.ledger.values import Commitment, DeclaredName, Hash, KeyId, Pseudonym

if TYPE_CHECKING:
    from troth.ledger.archive import write_archive
    from troth.ledger.batch import Batch, BatchMember
    from troth.ledger.checkpoint import Checkpoint
    from troth.ledger.entry import ENTRY_BYTES_MAX, Entry
    from troth.ledger.log import (
        CLOCK_SLACK,
        Log,
        LogReader,
        Progress,
        TiledLog,
        latest_moment,
        require_begins_with,
        silently,
    )
    from troth.ledger.merkle import (
        EMPTY_ROOT,
        HASH_BYTES,
        consistency_proof,
        inclusion_proof,
        leaf_hash,
        node_hash,
        root_hash,
        verify_consistency,
        verify_inclusion,
    )
    from troth.ledger.note import Signer, Verifier, open_note, sign_note
    from troth.ledger.opening import Opening
    from troth.ledger.published import PublishedLog, export, origin_of
    from troth.ledger.receipts import receipt, receipt_extra, signed_in, verify_receipt
    from troth.ledger.tiles import TILE_WIDTH, TileTree, unpack_bundle
    from troth.ledger.timestamp import request_timestamp, verify_timestamp
    from troth.ledger.witness import Quorum, Witness, cosign, cosigned_message

__all__ = [
    "CLOCK_SLACK",
    "EMPTY_ROOT",
    "ENTRY_BYTES_MAX",
    "HASH_BYTES",
    "KINDS",
    "TILE_WIDTH",
    "Batch",
    "BatchMember",
    "Checkpoint",
    "Commitment",
    "DeclaredName",
    "Entry",
    "EntryKind",
    "EntryRefused",
    "EntryUnknown",
    "Hash",
    "KeyId",
    "LedgerBroken",
    "LedgerError",
    "Log",
    "LogReader",
    "NoteRefused",
    "Opening",
    "Progress",
    "ProofRefused",
    "Pseudonym",
    "PublishedLog",
    "Quorum",
    "ReceiptRefused",
    "Signer",
    "TileTree",
    "TiledLog",
    "TimestampRefused",
    "Value",
    "Verifier",
    "Witness",
    "WitnessRefused",
    "add_kinds",
    "consistency_proof",
    "cosign",
    "cosigned_message",
    "export",
    "inclusion_proof",
    "instant_text",
    "latest_moment",
    "leaf_hash",
    "node_hash",
    "open_note",
    "origin_of",
    "receipt",
    "receipt_extra",
    "request_timestamp",
    "require_begins_with",
    "root_hash",
    "sign_note",
    "signed_in",
    "silently",
    "unpack_bundle",
    "verify_consistency",
    "verify_inclusion",
    "verify_receipt",
    "verify_timestamp",
    "write_archive",
]

__getattr__ = lazy_imports(
    __name__,
    {
        "archive": "write_archive",
        "batch": "Batch BatchMember",
        "checkpoint": "Checkpoint",
        "entry": "ENTRY_BYTES_MAX Entry",
        "log": "CLOCK_SLACK Log LogReader Progress TiledLog latest_moment require_begins_with silently",
        "merkle": "EMPTY_ROOT HASH_BYTES consistency_proof inclusion_proof leaf_hash node_hash root_hash "
        "verify_consistency verify_inclusion",
        "note": "Signer Verifier open_note sign_note",
        "opening": "Opening",
        "published": "PublishedLog export origin_of",
        "receipts": "receipt receipt_extra signed_in verify_receipt",
        "tiles": "TILE_WIDTH TileTree unpack_bundle",
        "timestamp": "request_timestamp verify_timestamp",
        "witness": "Quorum Witness cosign cosigned_message",
    },
)
