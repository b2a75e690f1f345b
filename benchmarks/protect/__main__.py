"""Tokens and pseudonyms a second, on one core, beside another implementation and the cipher alone.

    python -m benchmarks.protect [--rows 100000]

Rates are for CPU time, the best of several rounds, as a shared machine disturbs the others. Two of them are goals; the
exit code says whether they held. ``fastfpe`` (Rust, called for each value) encrypts the same eleven digits of each card
and does nothing else: no check digit, no last four put back. The floor is AES over the ten blocks that FF1 takes for a
token, in one call.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from fastfpe import ff1 as fastfpe

from troth.protect import Keyring, TokenFormat, Tokeniser
from troth.protect.tokens.cards import fitting_digit

ROUNDS = 5
TOKENS_GOAL = 2_000_000
PSEUDONYMS_GOAL = 500_000
PAN = TokenFormat.PAN_LAST4


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=100_000)
    rows = options.parse_args().rows
    keyring = Keyring(bytes(range(32)))
    shop = Tokeniser(keyring, {"shop": [1]}, domain="shop")
    cards = made_up_cards(rows)
    array = np.array(cards, "S16")
    digits = array.view(np.uint8).reshape(rows, 16) - ord("0")
    tokens = shop.tokenise_batch(PAN, cards)
    token_array = np.array(tokens, "S16")
    few = cards[: rows // 20]
    heads = [card[:11] for card in few]
    key, tweak = bytes(32).hex(), bytes(20).hex()
    aes = Cipher(AES(bytes(32)), ECB()).encryptor()
    blocks, out = bytes(160 * rows), bytearray(160 * rows + 15)
    references = [f"order-{number}" for number in range(rows)]

    floor = rate(rows, lambda: aes.update_into(blocks, out))
    peer = rate(len(few), lambda: [fastfpe.encrypt(key, tweak, "0123456789", head) for head in heads])
    print(f"{rows:,} cards of 16 digits, one core, best of {ROUNDS}")
    print(f"{'':42} {'a second':>12} {'x fastfpe':>10} {'x floor':>8}")

    def show(name: str, found: float) -> float:
        print(f"{name:42} {found:12,.0f} {found / peer:10.2f} {found / floor:8.2f}", flush=True)
        return found

    show("floor: AES, ten blocks a token", floor)
    show("fastfpe, called for each", peer)
    show("pan.last4, one at a time", rate(len(few), lambda: [shop.tokenise(PAN, card) for card in few]))
    show("  read back", rate(len(few), lambda: [shop.detokenise(PAN, token) for token in tokens[: len(few)]]))
    batch = show("pan.last4, list of str", rate(rows, lambda: shop.tokenise_batch(PAN, cards)))
    show("  read back, as Pan", rate(rows, lambda: shop.detokenise_batch(PAN, tokens)))
    show("pan.last4, array of bytes", rate(rows, lambda: shop.tokenise_array(PAN, array)))
    show("  read back", rate(rows, lambda: shop.detokenise_array(PAN, token_array)))
    show("pan.last4, table of digits", rate(rows, lambda: shop.tokenise_array(PAN, digits)))
    show("pan.last4, array, 1,000 at a time", rate(rows, lambda: in_thousands(shop, array)))

    pseudonyms = rate(rows, lambda: keyring.pseudonyms("subject", references))
    print(f"{'pseudonyms (HMAC-SHA256), batch':42} {pseudonyms:12,.0f}")
    held = batch >= TOKENS_GOAL and pseudonyms >= PSEUDONYMS_GOAL
    print(
        f"goals: {TOKENS_GOAL:,} tokens from a list and {PSEUDONYMS_GOAL:,} pseudonyms: {'met' if held else 'MISSED'}"
    )
    return 0 if held else 1


def rate(count: int, act: Callable[[], object]) -> float:
    """Values a second of CPU time, in the round that was least disturbed."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        act()
        times.append(time.process_time() - start)
    return count / min(times)


def in_thousands(tokeniser: Tokeniser, array: np.ndarray[tuple[int], np.dtype[np.bytes_]]) -> None:
    for first in range(0, len(array), 1_000):
        tokeniser.tokenise_array(PAN, array[first : first + 1_000])


def made_up_cards(count: int) -> list[str]:
    """Card numbers that pass Luhn, the same every time."""
    chance = random.Random(1)
    ends = [(f"4{chance.randrange(10**10):010d}", f"{chance.randrange(10_000):04d}") for _ in range(count)]
    return [head + fitting_digit(head, last4, 0) + last4 for head, last4 in ends]


if __name__ == "__main__":
    sys.exit(main())
