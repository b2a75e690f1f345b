"""Runs the Merkle proofs of transparency-dev's test data with the ledger's own verification.

Inclusion is also tested with the offline verifier for outsiders, which does not support consistency proofs.
"""

from __future__ import annotations

from troth.ledger import HASH_BYTES, verify_consistency, verify_inclusion
from troth.ledger import verify_troth_ledger as offline
from troth.testing.vectors.reading import JsonFields, VectorsUnreadable
from troth.testing.vectors.trials import Attempt, NotTried, Trial


def try_proof(case: JsonFields) -> Trial:
    """The trial of one proof. Raises `NotTried`, `VectorsUnreadable`."""
    if "start" in case:
        raise NotTried("the ledger has no proofs of subtrees")
    if "leafIdx" in case:
        return _inclusion(case)
    if "size1" in case:
        return _consistency(case)
    raise VectorsUnreadable(f"{case.where} has neither 'leafIdx' nor 'size1'")


def _inclusion(case: JsonFields) -> Trial:
    index, size = case.number("leafIdx"), case.number("treeSize")
    leaf, root, proof = case.base64("leafHash"), case.base64("root"), case.base64s("proof")
    attempts = [Attempt("verify", lambda: verify_inclusion(leaf, index, size, proof, root))]
    if all(len(value) == HASH_BYTES for value in (leaf, root, *proof)):  # the offline verifier accepts no other lengths
        signed = offline.Checkpoint("vectors", size, root)
        attempts.append(Attempt("verify offline", lambda: offline.require_inclusion(leaf, index, proof, signed)))
    return Trial(attempts)


def _consistency(case: JsonFields) -> Trial:
    old, new = case.number("size1"), case.number("size2")
    old_root, new_root, proof = case.base64("root1"), case.base64("root2"), case.base64s("proof")
    return Trial([Attempt("verify", lambda: verify_consistency(old, new, old_root, new_root, proof))])
