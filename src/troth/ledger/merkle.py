"""The Merkle tree of RFC 9162 §2.1 over SHA-256: hashes, proofs and their verification. Stores nothing.

The owner of a tree passes in `GetHash`, which returns the hash of any *complete* subtree: ``get(level, index)`` is the
hash of the ``2**level`` leaves from ``index * 2**level``. Roots and proofs for any size follow from these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from troth.ledger.errors import ProofRefused

GetHash = Callable[[int, int], bytes]

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one leaf. The prefix prevents a leaf from being taken for a node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above *left* and *right*."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: bytes, levels: int) -> bytes:
    """Hash concatenated hashes pairwise, *levels* times: ``2**levels`` times 32 bytes become 32."""
    for _ in range(levels):
        hashes = b"".join(
            [sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 2 * HASH_BYTES)]
        )
    return hashes


# --- making ---------------------------------------------------------------------------------------------------------


def root_hash(get: GetHash, size: int) -> bytes:
    """The root of the tree of the first *size* leaves."""
    return _subtree(get, 0, size) if size else EMPTY_ROOT


def inclusion_proof(get: GetHash, index: int, size: int) -> list[bytes]:
    """The hashes from leaf *index* to the root of size *size*, the leaf's sibling first (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < size:
        raise ProofRefused(f"leaf {index} is not in a tree of {size} leaves")
    proof, low, high = list[bytes](), 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_subtree(get, middle, high))
            high = middle
        else:
            proof.append(_subtree(get, low, middle))
            low = middle
    return proof[::-1]


def consistency_proof(get: GetHash, old: int, new: int) -> list[bytes]:
    """The hashes that prove that the tree of *new* leaves begins with the tree of *old* (RFC 9162 §2.1.4.1)."""
    if not 0 < old <= new:
        raise ProofRefused(
            f"a consistency proof goes from a size of at least 1 to a later one, not from {old} to {new}"
        )
    proof, low, high, known = list[bytes](), 0, new, True
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_subtree(get, middle, high))
            high = middle
        else:
            proof.append(_subtree(get, low, middle))
            low, known = middle, False
    if not known:
        proof.append(_subtree(get, low, high))
    return proof[::-1]


def _split(width: int) -> int:
    """The largest power of two smaller than *width*."""
    return 1 << ((width - 1).bit_length() - 1)


def _subtree(get: GetHash, low: int, high: int) -> bytes:
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return get(level, low >> level)
    middle = low + _split(width)
    return node_hash(_subtree(get, low, middle), _subtree(get, middle, high))


# --- verifying ------------------------------------------------------------------------------------------------------


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises `ProofRefused` unless *proof* leads from the hash *leaf* at *index* to *root* (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofRefused(f"leaf {index} is not in a tree of {size} leaves")
    _require_hashes([leaf, root, *proof])
    node, last, running = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofRefused("the inclusion proof is too long for the tree")
        if node & 1 or node == last:
            running = node_hash(sibling, running)
            node, last = _up_to_odd(node, last)
        else:
            running = node_hash(running, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofRefused("the inclusion proof is too short for the tree")
    if running != root:
        raise ProofRefused("the inclusion proof leads to another root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises `ProofRefused` unless *proof* shows that the tree under *new_root* begins with the tree under *old_root*
    (RFC 9162 §2.1.4.2).

    From size 0 nothing can be proved, so that is refused, even where the RFC's own steps would accept it.
    """
    if not 0 < old <= new:
        raise ProofRefused(
            f"a consistency proof goes from a size of at least 1 to a later one, not from {old} to {new}"
        )
    if old == new:
        if proof or old_root != new_root:
            raise ProofRefused("two trees of one size are consistent only when their roots are the same")
        return
    if not proof:
        raise ProofRefused("the consistency proof is empty")
    _require_hashes([old_root, new_root, *proof])
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_running = new_running = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofRefused("the consistency proof is too long for the tree")
        if node & 1 or node == last:
            old_running = node_hash(sibling, old_running)
            new_running = node_hash(sibling, new_running)
            node, last = _up_to_odd(node, last)
        else:
            new_running = node_hash(new_running, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofRefused("the consistency proof is too short for the tree")
    if old_running != old_root or new_running != new_root:
        raise ProofRefused("the consistency proof leads to other roots")


def _up_to_odd(node: int, last: int) -> tuple[int, int]:
    """Skip the levels at which a right-edge node has no sibling."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise ProofRefused("every hash of a proof is 32 bytes long")
