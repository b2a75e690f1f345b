"""Whatever the text: an answer, offsets within it, none overlapping, and twice the time for twice the text."""

from __future__ import annotations

import itertools
import random

import pytest
from tests.tables import each_row

from troth.detect.addresses import AddressFinder
from troth.detect.addresses.extent import Walk, Walker
from troth.detect.text import FoldedText

_PIECES = (
    *("12", "7a", "Flat 3", "Street", "st", "Road", "rue de", "l'", "straße", "PO Box", "BS6 7SU", "75002", "1234 AB"),
    *("CA", "the", "Leeds", "Côte d'Ivoire", "corner of", "&", "#", "º", "(", ")", "\n", "\n\n", ",", ".", "-", ">"),
    *("\u200b", "\u0301", "\u202e", "🏠", "\ud800", "\x00", "ＲＯＡＤ", "٣", "Ω", "ß", "İ", "\t", "/", "1/2/3", "??? "),
)


@each_row("seed", range(20))
def test_every_text_has_an_answer_with_offsets_inside_it(seed: int) -> None:
    chance, places = random.Random(seed), AddressFinder()
    for _ in range(50):
        text = chance.choice(("", " ")).join(chance.choices(_PIECES, k=chance.randrange(60)))
        found = list(places.find(FoldedText(text)))
        assert all(0 <= it.start < it.end <= len(text) and 0 < it.score < 1 for it in found)
        assert all(one.end <= other.start for one, other in itertools.pairwise(found))


@pytest.mark.parametrize(
    "text",
    ["grew up in école", "CORNER OF A AND B STREET", "12345 \u2028", "12 \u2028 Street", "lives at é 1", "1 A ﬆ. St"],
)
def test_letters_that_only_look_like_names_stop_nothing(text: str) -> None:
    assert all(it.end <= len(text) for it in AddressFinder().find(FoldedText(text)))


@pytest.mark.parametrize("piece", ["1 ", "1 A ", "Street ", "12 High Street, ", "A, ", "LE5 3HD ", "\n", "rue de la "])
def test_twice_the_text_is_at_most_twice_the_work(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is counted in characters that are looked at beside a core, which is what costs; clocks disagree."""
    looked_at = list[int]()
    walk = Walker.right

    def counted(self: Walker, text: str, *, capitals: bool) -> Walk:
        looked_at.append(len(text))
        return walk(self, text, capitals=capitals)

    monkeypatch.setattr(Walker, "right", counted)
    work = []
    for size in (2_000, 4_000):
        looked_at.clear()
        list(AddressFinder().find(FoldedText(piece * (size // len(piece)))))
        work.append(sum(looked_at))
    assert work[1] <= 2.2 * work[0] + 1_000
