"""Batches: one entry for many acts, and for each act a proof that it is a member.

The entry holds the number of members and a root over their commitments, so it reveals nothing about any of them. A
member reveals its own text and proves that it is under that root; it reveals nothing about the others.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from troth.ledger.errors import EntryRefused, ProofRefused
from troth.ledger.merkle import inclusion_proof, leaf_hash, node_hash, root_hash, verify_inclusion
from troth.ledger.opening import Opening
from troth.ledger.values import Commitment

_TAG = b"mb1 "


class Batch:
    """The acts of *openings*, in their order. `root` and `count` go into the entry, each `member` to the person it is
    about, or sealed into storage. Raises `EntryRefused` if there are none."""

    def __init__(self, openings: Sequence[Opening]) -> None:
        if not openings:
            raise EntryRefused("a batch has at least one member")
        self._openings = tuple(openings)
        level = [leaf_hash(opening.commitment.text.encode()) for opening in openings]
        self._levels = [level]  # of the complete subtrees only: every root and proof is made of these
        while len(level) > 1:
            level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
            self._levels.append(level)

    @property
    def count(self) -> int:
        """The number of members."""
        return len(self._openings)

    @property
    def root(self) -> Commitment:
        """The RFC 9162 root over the commitments of all members, as ``cm2:``."""
        return _commitment(root_hash(self._hash, self.count))

    def member(self, index: int) -> BatchMember:
        """The proof that act number *index* is a member. Raises ``IndexError``."""
        opening = self._openings[index]
        return BatchMember(opening, index, self.count, tuple(inclusion_proof(self._hash, index, self.count)))

    def _hash(self, level: int, index: int) -> bytes:
        return self._levels[level][index]


@dataclass(frozen=True, slots=True)
class BatchMember:
    """One act of a batch, and the proof from its commitment to the batch's root. Its ``repr`` does not show the act."""

    opening: Opening = field(repr=False)
    index: int
    count: int
    proof: tuple[bytes, ...] = field(repr=False)

    def require(self, *, root: Commitment, count: int) -> None:
        """Raises `EntryRefused` unless this is a member of the batch that an entry states by *root* and *count*."""
        leaf = leaf_hash(self.opening.commitment.text.encode())
        kind, _, digits = root.text.partition(":")
        try:
            if kind != "cm2" or count != self.count:
                raise ProofRefused("the entry belongs to another batch")
            verify_inclusion(leaf, self.index, count, self.proof, bytes.fromhex(digits))
        except ProofRefused:
            raise EntryRefused("this is not a member of the batch in that entry") from None

    def dump(self) -> bytes:
        """The member as bytes, to be sealed, or sent along with the entry's receipt. `load` reads it."""
        parts = {
            "count": self.count,
            "index": self.index,
            "opening": self.opening.dump().decode("ascii"),
            "proof": [base64.b64encode(value).decode() for value in self.proof],
        }
        return _TAG + json.dumps(parts, sort_keys=True, separators=(",", ":")).encode("ascii")

    @classmethod
    def load(cls, dumped: bytes) -> BatchMember:
        """Read what `dump` wrote. Raises `EntryRefused`."""
        try:
            parts = json.loads(dumped.removeprefix(_TAG))
            proof = tuple(base64.b64decode(value, validate=True) for value in parts["proof"])
            opening = Opening.load(parts["opening"].encode("ascii"))
            member = cls(opening, int(parts["index"]), int(parts["count"]), proof)
            if member.dump() == dumped:
                return member
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        raise EntryRefused("these bytes are not a member of a batch, version 1")


def _commitment(root: bytes) -> Commitment:
    return Commitment(f"cm2:{root.hex()}")
