"""The network remembers what it worked out for words, forgets when there is no room, and answers the same."""

from __future__ import annotations

import threading

import numpy as np

from troth.detect.ner.model import shipped
from troth.detect.ner.network import NameTagger

TEXT = ["my", "name", "is", "Ann", "and", "I", "live", "in", "Paris", "born", "00", "May", "0000"]


def test_forgetting_changes_no_answer() -> None:
    roomy, narrow = NameTagger(shipped(), words_max=2000), NameTagger(shipped(), words_max=20)
    for number in range(40):
        narrow.shares([f"word{'x' * number}{letter}" for letter in "abcdefghij"])
    assert np.allclose(narrow.shares(TEXT), roomy.shares(TEXT), atol=1e-5)


def test_threads_share_a_network() -> None:
    network, alone = NameTagger(shipped(), words_max=30), NameTagger(shipped(), words_max=30).shares(TEXT)
    wrong: list[int] = []

    def ask(number: int) -> None:
        for turn in range(30):
            network.shares([f"{'abcdefgh'[number]}{'z' * at}" for at in range(turn)] or ["a"])
            if not np.allclose(network.shares(TEXT), alone, atol=1e-5):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for it in threads:
        it.start()
    for it in threads:
        it.join()
    assert wrong == []


def test_every_word_has_four_shares_that_sum_to_one() -> None:
    shares = NameTagger(shipped(), words_max=100).shares(TEXT)
    assert shares.shape == (4, len(TEXT))
    assert np.allclose(shares.sum(axis=0), 1, atol=1e-5)
