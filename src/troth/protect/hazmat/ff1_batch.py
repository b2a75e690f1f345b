"""FF1 for many values of one length at once, bit for bit equal to `Ff1`.

The ten rounds run over whole columns with numpy, and AES over all their blocks in one call. Only batch code imports
this module, as numpy comes with the extra ``troth[tokens]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import CipherContext

from troth.protect.hazmat.ff1 import BLOCK_BYTES, ROUNDS, Ff1, Ff1Parameters

Numerals = npt.NDArray[np.unsignedinteger[Any]]
"""One value per row, one numeral per column."""
Column = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

_HALF_BITS_MAX = 56  # so that a half and its round number fit into the last eight bytes of a block
_ROWS_AT_ONCE = 16_384  # the working set of a round stays in the cache of one core


def encrypt_batch(ff1: Ff1, numerals: Numerals, tweak: bytes, row_tweaks: Bytes | None = None) -> Numerals:
    """`Ff1.encrypt` of every row. A row's tweak is *tweak* and then its row of *row_tweaks*."""
    return _in_pieces(ff1, numerals, tweak, row_tweaks, _encrypt, ff1.encrypt)


def decrypt_batch(ff1: Ff1, numerals: Numerals, tweak: bytes, row_tweaks: Bytes | None = None) -> Numerals:
    """`Ff1.decrypt` of every row. A row's tweak is *tweak* and then its row of *row_tweaks*."""
    return _in_pieces(ff1, numerals, tweak, row_tweaks, _decrypt, ff1.decrypt)


def _in_pieces(
    ff1: Ff1,
    numerals: Numerals,
    tweak: bytes,
    row_tweaks: Bytes | None,
    rounds: Callable[[_Rounds, Column, Column], tuple[Column, Column]],
    encrypt: Callable[[list[int], bytes], list[int]],
) -> Numerals:
    rows, length = numerals.shape
    if row_tweaks is None:
        row_tweaks = np.empty((rows, 0), np.uint8)
    shape = Ff1Parameters.of(ff1.radix, length, len(tweak) + row_tweaks.shape[1])
    result = np.empty_like(numerals)
    if (shape.moduli[1] - 1).bit_length() > _HALF_BITS_MAX:
        for row in range(rows):
            result[row] = encrypt(numerals[row].tolist(), tweak + row_tweaks[row].tobytes())
        return result
    for first in range(0, rows, _ROWS_AT_ONCE):
        piece = slice(first, first + _ROWS_AT_ONCE)
        work = _Rounds(ff1.blocks(), shape, tweak, row_tweaks[piece])
        a = _numbers(numerals[piece, : shape.u], ff1.radix)
        b = _numbers(numerals[piece, shape.u :], ff1.radix)
        a, b = rounds(work, a, b)
        _write_numerals(a, ff1.radix, result[piece, : shape.u])
        _write_numerals(b, ff1.radix, result[piece, shape.u :])
    return result


def _encrypt(work: _Rounds, a: Column, b: Column) -> tuple[Column, Column]:
    for at in range(ROUNDS):
        modulus = work.moduli[at % 2]
        sums = work.y(at, b)
        sums += a
        a, b = b, np.minimum(sums, sums - modulus)  # below the modulus, the difference wraps around to a huge number
    return a, b


def _decrypt(work: _Rounds, a: Column, b: Column) -> tuple[Column, Column]:
    for at in reversed(range(ROUNDS)):
        modulus = work.moduli[at % 2]
        difference = b - work.y(at, a)
        a, b = np.minimum(difference, difference + modulus), a  # a negative one wraps around, and back with the modulus
    return a, b


class _Rounds:
    """The round function for a piece of the batch."""

    def __init__(self, blocks: CipherContext, shape: Ff1Parameters, tweak: bytes, row_tweaks: Bytes) -> None:
        self.moduli = tuple(np.uint64(modulus) for modulus in shape.moduli)
        self._aes = blocks.update_into
        self._shape = shape
        rows = len(row_tweaks)
        self._blocks = np.empty((rows, 2), np.uint64)  # each row is a block, as two big-endian words
        self._out = bytearray(rows * BLOCK_BYTES + BLOCK_BYTES - 1)  # the size that update_into requires
        self._words = np.frombuffer(self._out, np.uint64, 2 * rows).reshape(rows, 2)
        self._last = self._start(shape.before_round(tweak + bytes(row_tweaks.shape[1])), row_tweaks, len(tweak))

    def _start(self, fixed: bytes, row_tweaks: Bytes, tweak_bytes: int) -> Column:
        """Hash the part before the round number; returns the last block's second word, without round and half.

        Its first word is already in the blocks, and stays there.
        """
        rows, width = row_tweaks.shape
        messages = np.zeros((rows, -(-len(fixed) // BLOCK_BYTES) * BLOCK_BYTES), np.uint8)
        messages[:, : len(fixed)] = np.frombuffer(fixed, np.uint8)
        first = BLOCK_BYTES + tweak_bytes
        messages[:, first : first + width] = row_tweaks
        words = messages.view(np.uint64)
        self._blocks[:] = words[:, :2]
        for at in range(2, words.shape[1], 2):
            self._encrypt()
            np.bitwise_xor(self._words, words[:, at : at + 2], out=self._blocks)
        return self._blocks[:, 1].byteswap()

    def y(self, at: int, half: Column) -> Column:
        """The standard's y of round *at*, reduced by that round's modulus."""
        last = half ^ self._last
        last ^= np.uint64(at << 8 * self._shape.b)
        last.byteswap(inplace=True)
        self._blocks[:, 1] = last
        self._encrypt()
        modulus = self.moduli[at % 2]
        rest = _modulo(self._words[:, 0].byteswap(), modulus)
        if self._shape.d == 8:
            return rest
        low = self._words[:, 1].byteswap() >> np.uint64(32)  # d is 12: four bytes more
        step = 64 - int(modulus).bit_length()
        for left in range(32, 0, -step):
            taken = min(step, left)
            rest <<= np.uint64(taken)
            rest |= (low >> np.uint64(left - taken)) & np.uint64((1 << taken) - 1)
            rest = _modulo(rest, modulus)
        return rest

    def _encrypt(self) -> None:
        self._aes(self._blocks.data.cast("B"), self._out)


def _modulo(numbers: Column, modulus: np.uint64) -> Column:
    """As ``%``, which numpy does not vectorise; division by one number is fast."""
    return numbers - numbers // modulus * modulus


def _numbers(numerals: Numerals, radix: int) -> Column:
    numbers = np.zeros(len(numerals), np.uint64)
    for column in numerals.T:
        numbers *= np.uint64(radix)
        numbers += column
    return numbers


def _write_numerals(numbers: Column, radix: int, into: Numerals) -> None:
    for column in into.T[::-1]:
        higher = numbers // np.uint64(radix)
        column[:] = numbers - higher * np.uint64(radix)
        numbers = higher
