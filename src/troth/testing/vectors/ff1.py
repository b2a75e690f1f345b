"""FF1 tests of Wycheproof: numerals as a list, or text over an alphabet; each value is run alone and in a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from troth.errors import needs
from troth.protect.hazmat.ff1 import DOMAIN_MIN, Ff1
from troth.testing.vectors.reading import JsonFields, VectorsUnreadable
from troth.testing.vectors.trials import AES_KEYS, AES_KEYS_TOLD, Attempt, NotTried, Trial, first_of

_NUMERALS_MAX = 10_000


def try_ff1(group: JsonFields, test: JsonFields) -> Trial:
    """The trial of one test.

    A direction is skipped if its input has a letter that stands for two numerals: aes_ff1_base85_test.json was
    published with an alphabet that contains two letters twice.
    """
    notation = _notation(group)
    key, tweak, is_valid = test.hexadecimal("key"), test.hexadecimal("tweak"), test.text("result") == "valid"
    plain, sealed = notation.read(test, "msg"), notation.read(test, "ct")
    attempts: list[Attempt] = []
    for name, start, end, numerals in (("encrypt", "msg", "ct", plain), ("decrypt", "ct", "msg", sealed)):
        if is_valid and notation.is_ambiguous(test, start):
            continue
        wanted, is_encryption = test.values[end], name == "encrypt"
        one = partial(_one, notation, key, tweak, is_encryption, numerals)
        attempts.append(Attempt(name, one, wanted, refused=is_encryption))
        if is_valid:  # batches rely on their callers to pass numerals below the radix
            batch = partial(_in_a_batch, notation, key, tweak, is_encryption, numerals)
            attempts.append(Attempt(f"{name} in a batch", batch, wanted))
    if not attempts:
        raise NotTried("the alphabet has a letter twice, and the text holds it")
    is_small = notation.radix ** min(len(plain), 20) < DOMAIN_MIN
    return Trial(
        attempts,
        first_of(
            (len(key) not in AES_KEYS, AES_KEYS_TOLD),
            (is_small, f"only domains of {DOMAIN_MIN:,} values or more are taken"),
        ),
    )


def _one(notation: _Notation, key: bytes, tweak: bytes, is_encryption: bool, numerals: list[int]) -> object:
    ff1 = Ff1(key, notation.radix)
    return notation.write((ff1.encrypt if is_encryption else ff1.decrypt)(numerals, tweak))


def _in_a_batch(notation: _Notation, key: bytes, tweak: bytes, is_encryption: bool, numerals: list[int]) -> object:
    """Run in a batch with the reversed numerals; half the tweak is shared by the batch, the rest belongs to the row."""
    with needs("tokens", NotTried, "batches need numpy"):
        import numpy as np
    from troth.protect.hazmat.ff1_batch import decrypt_batch, encrypt_batch

    run: Callable[..., Any] = encrypt_batch if is_encryption else decrypt_batch
    rows = np.array([numerals, numerals[::-1]], np.uint32)
    shared = len(tweak) // 2
    own = np.frombuffer(tweak[shared:] * 2, np.uint8).reshape(2, len(tweak) - shared)
    return notation.write(run(Ff1(key, notation.radix), rows, tweak[:shared], own)[0].tolist())


class _Notation:
    """Notation for numerals in the tests of a group."""

    def __init__(self, radix: int, letters: str | None) -> None:
        self.radix = radix
        self._letters = letters
        self._numerals = {letter: at for at, letter in enumerate(letters or "")}
        self._twice = {letter for letter, count in Counter(letters or "").items() if count > 1}

    def read(self, test: JsonFields, name: str) -> list[int]:
        """The numerals under *name*; -1 for a letter outside the alphabet. Raises `NotTried`, `VectorsUnreadable`."""
        written = test.get(name, list, "a list") if self._letters is None else test.text(name)
        if len(written) > _NUMERALS_MAX:
            raise NotTried(f"only values of up to {_NUMERALS_MAX:,} numerals are tried")
        numerals = [self._numerals.get(letter, -1) for letter in written] if self._letters is not None else written
        if not all(type(numeral) is int for numeral in numerals):
            raise VectorsUnreadable(f"{test.where}: '{name}' is not a list of whole numbers")
        return list(numerals)

    def write(self, numerals: list[int]) -> object:
        """*numerals* in the notation of the tests."""
        return numerals if self._letters is None else "".join(self._letters[numeral] for numeral in numerals)

    def is_ambiguous(self, test: JsonFields, name: str) -> bool:
        """True if the text under *name* contains a letter that stands for two numerals."""
        return bool(self._twice) and not self._twice.isdisjoint(test.text(name))


def _notation(group: JsonFields) -> _Notation:
    radix, letters = group.number("radix"), group.text("alphabet") if "alphabet" in group else None
    if letters is not None and len(letters) != radix:
        raise VectorsUnreadable(f"{group.where}: 'alphabet' does not have as many letters as 'radix' says")
    return _read_once(radix, letters)


_read_once = lru_cache(8)(_Notation)
