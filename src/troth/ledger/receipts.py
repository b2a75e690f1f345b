"""Receipts (C2SP tlog-proof): texts that prove offline that one entry is in the ledger."""

from __future__ import annotations

import base64
import binascii
import re

from troth.ledger.checkpoint import Checkpoint
from troth.ledger.entry import Entry
from troth.ledger.errors import LedgerError, ReceiptRefused
from troth.ledger.log import LogReader
from troth.ledger.merkle import leaf_hash, verify_inclusion
from troth.ledger.note import Verifier
from troth.ledger.witness import Quorum

_HEAD = "c2sp.org/tlog-proof@v1"
_RECEIPT = re.compile(
    rf"{re.escape(_HEAD)}\n(?:extra (?P<extra>[A-Za-z0-9+/=]*)\n)?index (?P<index>0|[1-9][0-9]{{0,18}})\n"
    r"(?P<proof>(?:[A-Za-z0-9+/]{43}=\n){0,63})\n(?P<checkpoint>.+)",
    re.DOTALL,
)


def receipt(log: LogReader, index: int, *, extra: bytes = b"") -> str:
    """Prove that leaf *index* is in *log*, under the last checkpoint that witnesses cosigned if that contains the leaf,
    else under a current one.

    *extra* is included unauthenticated, for example the opening that the reader holds. Raises ``IndexError`` if there
    is no such leaf, and `ProofRefused` if the ledger is not the one that was cosigned: a returned receipt is valid.
    Store it as ``.tlog-proof``.
    """
    leaf = leaf_hash(log.entry_bytes(index))
    note = log.cosigned()
    if note is None or signed_in(note, log.verifier).size <= index:
        note = log.checkpoint()
    signed = signed_in(note, log.verifier)
    proof = log.inclusion(index, signed.size)
    verify_inclusion(leaf, index, signed.size, proof, signed.root)
    lines = [_HEAD, *([f"extra {_base64(extra)}"] if extra else []), f"index {index}"]
    return "\n".join([*lines, *map(_base64, proof), "", note])


def verify_receipt(
    text: str, *, key: str, entry_bytes: bytes, origin: str | None = None, quorum: Quorum | None = None
) -> Entry:
    """The entry, after checking that *text* proves that exactly these bytes are a leaf of the ledger whose verifier key
    is *key*, and that a *quorum* of witnesses cosigned its checkpoint.

    *origin* is the ledger's name if it differs from the key's. Raises `ReceiptRefused` on any fault.
    """
    found = _match(text)
    try:
        if quorum is not None:
            quorum.require(found["checkpoint"])
        checkpoint = Checkpoint.open(found["checkpoint"], Verifier.parse(key), origin=origin)
        proof = [base64.b64decode(line) for line in found["proof"].split()]
        verify_inclusion(leaf_hash(entry_bytes), int(found["index"]), checkpoint.size, proof, checkpoint.root)
        return Entry.decode(entry_bytes)
    except LedgerError as fault:
        raise ReceiptRefused(f"the receipt is not valid: {fault}") from None


def signed_in(text: str, verifier: Verifier) -> Checkpoint:
    """The checkpoint in *text*, a checkpoint or a receipt, signed by *verifier*'s key. Raises `NoteRefused`."""
    note = text.partition("\n\n")[2] if text.startswith(_HEAD) else text
    return Checkpoint.open(note, verifier, origin=note.partition("\n")[0])


def receipt_extra(text: str) -> bytes:
    """The extra data of a receipt, empty if there is none. It is unauthenticated.

    Raises `ReceiptRefused`.
    """
    try:
        return base64.b64decode(_match(text)["extra"] or "", validate=True)
    except binascii.Error:
        raise ReceiptRefused("the receipt's extra line is not base64") from None


def _match(text: str) -> re.Match[str]:
    found = _RECEIPT.fullmatch(text)
    if found is None:
        raise ReceiptRefused(f"this is not a receipt: it does not read as {_HEAD} says")
    return found


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
