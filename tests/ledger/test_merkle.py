"""Hashes and proofs of RFC 9162: known answers, and no flipped bit goes unseen."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.ledger import (
    EMPTY_ROOT,
    ProofRefused,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)
from troth.ledger.merkle import fold

VECTORS = Path(__file__).parents[1] / "vectors/merkle"
LEAVES = [leaf_hash(bytes([number])) for number in range(64)]


def known(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["case"]) for case in json.loads((VECTORS / f"{kind}.json").read_text())]


def unbase64(*texts: str | None) -> list[bytes]:
    return [base64.b64decode(text or "") for text in texts]


def get(level: int, index: int) -> bytes:
    return fold(b"".join(LEAVES[index << level : (index + 1) << level]), level)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


@each_row("case", known("inclusion"))
def test_inclusion_agrees_with_the_known_answers(case: dict[str, Any]) -> None:
    leaf, root, *proof = unbase64(case["leafHash"], case["root"], *case["proof"])
    if case["wantErr"]:
        with pytest.raises(ProofRefused):
            verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)
    else:
        verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)


@each_row("case", known("consistency"))
def test_consistency_agrees_with_the_known_answers(case: dict[str, Any]) -> None:
    old_root, new_root, *proof = unbase64(case["root1"], case["root2"], *case["proof"])
    if case["wantErr"]:
        with pytest.raises(ProofRefused):
            verify_consistency(case["size1"], case["size2"], old_root, new_root, proof)
    else:
        verify_consistency(case["size1"], case["size2"], old_root, new_root, proof)


def test_leaves_and_nodes_are_hashed_apart() -> None:
    assert leaf_hash(b"") == sha256(b"\x00").digest()
    assert node_hash(b"a" * 32, b"b" * 32) == sha256(b"\x01" + b"a" * 32 + b"b" * 32).digest()
    assert root_hash(get, 0) == EMPTY_ROOT == sha256(b"").digest()


def test_every_proof_of_a_small_tree_holds() -> None:
    for size in range(1, len(LEAVES) + 1):
        root = root_hash(get, size)
        for index in range(size):
            verify_inclusion(LEAVES[index], index, size, inclusion_proof(get, index, size), root)
            old = index + 1
            verify_consistency(old, size, root_hash(get, old), root, consistency_proof(get, old, size))


@given(size=st.integers(2, 64), data=st.data())
def test_no_flipped_bit_passes_an_inclusion_proof(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    parts = [LEAVES[index], root_hash(get, size), *inclusion_proof(get, index, size)]
    spoiled = data.draw(st.integers(0, len(parts) - 1))
    parts[spoiled] = flipped(parts[spoiled], data.draw(st.integers(0, 255)))
    with pytest.raises(ProofRefused):
        verify_inclusion(parts[0], index, size, parts[2:], parts[1])


@given(new=st.integers(2, 64), data=st.data())
def test_no_flipped_bit_passes_a_consistency_proof(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    parts = [root_hash(get, old), root_hash(get, new), *consistency_proof(get, old, new)]
    spoiled = data.draw(st.integers(0, len(parts) - 1))
    parts[spoiled] = flipped(parts[spoiled], data.draw(st.integers(0, 255)))
    with pytest.raises(ProofRefused):
        verify_consistency(old, new, parts[0], parts[1], parts[2:])


@given(size=st.integers(1, 64), data=st.data())
def test_a_proof_proves_one_place_only(size: int, data: st.DataObject) -> None:
    index, other = data.draw(st.tuples(st.integers(0, size - 1), st.integers(0, size)))
    if other == index:
        other = size
    with pytest.raises(ProofRefused):
        verify_inclusion(LEAVES[index], other, size, inclusion_proof(get, index, size), root_hash(get, size))
