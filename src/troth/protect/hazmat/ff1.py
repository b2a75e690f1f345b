"""FF1 format-preserving encryption (NIST SP 800-38G, algorithms 7 and 8) over AES, one value at a time.

It is unauthenticated: under another key or tweak everything decrypts to something. Callers must know that the key is
the right one, or add redundancy of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from troth.protect.errors import DomainTooSmall

BLOCK_BYTES = 16
ROUNDS = 10
DOMAIN_MIN = 1_000_000
"""Smaller domains can be searched; required by the second draft of SP 800-38G revision 1 (2025-02-03)."""
_RADIX_MAX = 65_536
_LENGTH_MAX = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Ff1Parameters:
    """Parameters derived from radix, length and tweak length: *u*, *v*, *b*, *d* and *p* as in the standard. *moduli*
    are those of the even and the odd rounds."""

    u: int
    v: int
    b: int
    d: int
    p: bytes
    moduli: tuple[int, int]

    @classmethod
    def of(cls, radix: int, length: int, tweak_bytes: int) -> Ff1Parameters:
        """Raises `DomainTooSmall` if there are fewer than `DOMAIN_MIN` values of that length."""
        if radix ** min(length, 20) < DOMAIN_MIN:
            raise DomainTooSmall(radix=radix, length=length, needed=DOMAIN_MIN)
        assert max(length, tweak_bytes) <= _LENGTH_MAX, "FF1 counts numerals and bytes of the tweak in 32 bits"
        u = length // 2
        v = length - u
        b = ((radix**v - 1).bit_length() + 7) // 8
        p = bytes((1, 2, 1)) + radix.to_bytes(3, "big") + bytes((ROUNDS, u % 256))
        p += length.to_bytes(4, "big") + tweak_bytes.to_bytes(4, "big")
        return cls(u, v, b, 4 * -(-b // 4) + 4, p, (radix**u, radix**v))

    def before_round(self, tweak: bytes) -> bytes:
        """P and Q up to the round number: the part that all rounds share."""
        return self.p + tweak + bytes((-len(tweak) - self.b - 1) % BLOCK_BYTES)


class Ff1:
    """FF1 under one AES key of 16, 24 or 32 bytes, on numerals 0 to *radix* - 1. Safe to use from several threads."""

    __slots__ = ("_cipher", "radix")

    def __init__(self, key: bytes, radix: int) -> None:
        assert 2 <= radix <= _RADIX_MAX, "FF1 takes a radix of 2 to 65,536"
        self._cipher = Cipher(AES(key), ECB())  # noqa: S305 - blocks of FF1's own construction, not messages
        self.radix = radix

    def encrypt(self, numerals: Sequence[int], tweak: bytes) -> list[int]:
        """Encrypt to as many numerals, the most significant first. Raises `DomainTooSmall`."""
        shape = Ff1Parameters.of(self.radix, len(numerals), len(tweak))
        work = _Rounds(self.blocks(), shape, tweak)
        a, b = self._number(numerals[: shape.u]), self._number(numerals[shape.u :])
        for at in range(ROUNDS):
            a, b = b, (a + work.y(at, b)) % shape.moduli[at % 2]
        return self._numerals(a, shape.u) + self._numerals(b, shape.v)

    def decrypt(self, numerals: Sequence[int], tweak: bytes) -> list[int]:
        """The input of `encrypt` under the same key and tweak; another value otherwise. Raises as `encrypt`."""
        shape = Ff1Parameters.of(self.radix, len(numerals), len(tweak))
        work = _Rounds(self.blocks(), shape, tweak)
        a, b = self._number(numerals[: shape.u]), self._number(numerals[shape.u :])
        for at in reversed(range(ROUNDS)):
            a, b = (b - work.y(at, a)) % shape.moduli[at % 2], a
        return self._numerals(a, shape.u) + self._numerals(b, shape.v)

    def blocks(self) -> CipherContext:
        """AES on single blocks (ECB); for one thread."""
        return self._cipher.encryptor()

    def _number(self, numerals: Sequence[int]) -> int:
        number = 0
        for numeral in numerals:
            if not 0 <= numeral < self.radix:
                raise ValueError("a numeral is less than the radix")
            number = number * self.radix + numeral
        return number

    def _numerals(self, number: int, length: int) -> list[int]:
        numerals = [0] * length
        for at in reversed(range(length)):
            number, numerals[at] = divmod(number, self.radix)
        return numerals


class _Rounds:
    """The round function for one value. The part before the round number is hashed once."""

    __slots__ = ("_aes", "_b", "_d", "_rest", "_state")

    def __init__(self, blocks: CipherContext, shape: Ff1Parameters, tweak: bytes) -> None:
        self._aes = blocks.update
        self._b, self._d = shape.b, shape.d
        fixed = shape.before_round(tweak)
        whole = len(fixed) - len(fixed) % BLOCK_BYTES
        self._state = self._chain(0, fixed[:whole])
        self._rest = fixed[whole:]

    def y(self, at: int, half: int) -> int:
        """The standard's y of round *at* for the other half."""
        r = self._chain(self._state, self._rest + bytes((at,)) + half.to_bytes(self._b, "big"))
        s = r.to_bytes(BLOCK_BYTES, "big")
        for block in range(1, -(-self._d // BLOCK_BYTES)):
            s += self._aes((r ^ block).to_bytes(BLOCK_BYTES, "big"))
        return int.from_bytes(s[: self._d], "big")

    def _chain(self, state: int, message: bytes) -> int:
        """CBC-MAC, the standard's PRF."""
        for at in range(0, len(message), BLOCK_BYTES):
            state ^= int.from_bytes(message[at : at + BLOCK_BYTES], "big")
            state = int.from_bytes(self._aes(state.to_bytes(BLOCK_BYTES, "big")), "big")
        return state
