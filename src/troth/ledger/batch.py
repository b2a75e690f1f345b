"""Batches: one entry for many acts, and for each of them a proof that it was one of these.

The entry holds how many there were and a root over their commitments, so it says nothing about any of them. Whoever
holds a member shows its text, and that it stands under that root; about the others it shows nothing either.
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
    """The acts that *openings* show, in their order. `root` and `count` go into the entry, each `member` to whom it is
    about, or sealed to where it can be found again. Raises `EntryRefused` where there is none."""

    def __init__(self, openings: Sequence[Opening]) -> None:
        if not openings:
            raise EntryRefused("a batch has at least one member")
        self._openings = tuple(openings)
        level = [leaf_hash(opening.commitment.text.encode()) for opening in openings]
        self._levels = [level]  # of the complete subtrees alone: every root and proof is made of these
        while len(level) > 1:
            level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
            self._levels.append(level)

    @property
    def count(self) -> int:
        """How many members it has."""
        return len(self._openings)

    @property
    def root(self) -> Commitment:
        """What stands for all of them: the RFC 9162 root over their commitments, as ``cm2:``."""
        return _commitment(root_hash(self._hash, self.count))

    def member(self, index: int) -> BatchMember:
        """What shows that the act number *index* was one of these. Raises ``IndexError``."""
        opening = self._openings[index]
        return BatchMember(opening, index, self.count, tuple(inclusion_proof(self._hash, index, self.count)))

    def _hash(self, level: int, index: int) -> bytes:
        return self._levels[level][index]


@dataclass(frozen=True, slots=True)
class BatchMember:
    """One act of a batch, and the way from its commitment to the batch's root. Its ``repr`` does not show the act."""

    opening: Opening = field(repr=False)
    index: int
    count: int
    proof: tuple[bytes, ...] = field(repr=False)

    def require(self, *, root: Commitment, count: int) -> None:
        """Return when this is a member of the batch that an entry tells by *root* and *count*, else `EntryRefused`."""
        leaf = leaf_hash(self.opening.commitment.text.encode())
        kind, _, digits = root.text.partition(":")
        try:
            if kind != "cm2" or count != self.count:
                raise ProofRefused("the entry is of another batch")
            verify_inclusion(leaf, self.index, count, self.proof, bytes.fromhex(digits))
        except ProofRefused:
            raise EntryRefused("this is no member of the batch in that entry") from None

    def dump(self) -> bytes:
        """The member as bytes, to be sealed, or handed out beside the entry's receipt. `load` reads it."""
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
