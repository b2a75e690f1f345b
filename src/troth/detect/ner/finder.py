"""Finds people, places and organisations in text, with a small neural network that ships with the package."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from troth.detect.finding import Finding
from troth.detect.keys import is_in_key
from troth.detect.ner.ordinary import without_ordinary_words
from troth.detect.ner.programs import is_of_program
from troth.detect.ner.words import WORD, plain
from troth.detect.text import FoldedText

if TYPE_CHECKING:
    from troth.detect.ner.network import NameSpan, NameTagger

WORDS_MAX: Final = 2048
"""Maximum number of words per batch."""

_BORDER: Final = ("", "", "")
"""Separator between two texts: the network's window does not extend beyond it."""

_POSTCODE_LENGTH: Final = 4
_KEY_LENGTH: Final = 12

_Part = Sequence[re.Match[str]]

_HESITATIONS: Final = frozenset(
    {"um", "uh", "er", "erm", "uhm", "umm", "uhh", "hmm", "Um", "Uh", "Er", "Erm", "Uhm", "Umm", "Uhh", "Hmm"}
)
"""Hesitations inside a name are not part of it and carry no information, so the network does not see them."""

_ENDS: Final = frozenset("\n.!?")
"""Preferred positions for splitting a long text."""


class Names:
    """Finds names of people, places and organisations, in any case. The model is loaded at the first text.

    *network* replaces the one that ships.
    """

    TYPES: Final = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})

    def __init__(self, network: NameTagger | None = None) -> None:
        self._network = network

    def find(self, text: FoldedText) -> list[Finding]:
        """The names according to the model, without overlaps."""
        return self.find_each([text])[0]

    def find_each(self, texts: Sequence[FoldedText]) -> list[list[Finding]]:
        """The same for many texts, twice as fast, because short ones are batched."""
        found: list[list[Finding]] = [[] for _ in texts]
        network = self._ready()
        for some in _packed(texts):
            words: list[str] = []
            starts = []
            for at, part in some:
                texts[at].check_clock()
                starts.append(len(words))
                words += [it[0] for it in part]
                words += _BORDER
            for told in network.names(words):
                name = None if _is_none(words, told) else without_ordinary_words(words, told)
                if name is not None:
                    which = bisect.bisect_right(starts, name.first) - 1
                    at, part = some[which]
                    first, last = part[name.first - starts[which]], part[name.last - starts[which]]
                    found[at] += _told(texts[at], first.start(), last.end(), name)
        return found

    def _ready(self) -> NameTagger:
        # numpy and the weights take a tenth of a second to load, so this is done only when names are searched for.
        if self._network is None:
            from troth.detect.ner.model import shipped
            from troth.detect.ner.network import NameTagger

            self._network = NameTagger(shipped(), words_max=WORDS_MAX)
        return self._network


def _told(text: FoldedText, first: int, last: int, name: NameSpan) -> Iterator[Finding]:
    """The finding for this range of the folded text, unless its context shows that it is not a name."""
    start, end = text.unfolded(first), text.unfolded_end(last)
    if not is_of_program(text.folded, first, last) and not is_in_key(text.written, start, end):
        yield Finding(start, end, name.type, name.score, "names")


def _is_none(words: Sequence[str], name: NameSpan) -> bool:
    """True for a number, a key, a spelled word, or a word that spells a letter (“d for david”, “d as in”)."""
    said = words[name.first : name.last + 1]
    if not any(map(_may_name, said)):
        return True
    before = [it.lower() for it in words[max(0, name.first - 3) : name.first]]
    letter = said[0][0].lower()
    is_spelt = all(len(it) == 1 and it.islower() for it in said)
    return is_spelt or before[-2:] == [letter, "for"] or before == [letter, "as", "in"]


def _may_name(word: str) -> bool:
    """True for a word, or a number at least as long as a postcode; not for signs or long mixes of letters and
    digits."""
    if word.isdigit():
        return len(word) >= _POSTCODE_LENGTH
    return word.isalpha() or (word.isalnum() and len(word) < _KEY_LENGTH)


def _packed(texts: Sequence[FoldedText]) -> Iterator[list[tuple[int, _Part]]]:
    """Batches of parts of texts, each with the index of its text."""
    some: list[tuple[int, _Part]] = []
    room = WORDS_MAX
    for at, text in enumerate(texts):
        for part in _parts(plain(text.folded)):
            if not any(it[0].isalpha() for it in part):
                continue  # no letters, no names
            if len(part) > room and some:
                yield some
                some, room = [], WORDS_MAX
            some.append((at, part))
            room -= len(part) + len(_BORDER)
    if some:
        yield some


def _parts(folded: str) -> Iterator[_Part]:
    """The words of a text in batches that end at a sentence or line boundary, if there is one."""
    words = (it for it in WORD.finditer(folded) if it[0] not in _HESITATIONS)
    held = list(itertools.islice(words, WORDS_MAX))
    while held:
        ends = range(len(held) - 1, WORDS_MAX // 2, -1) if len(held) == WORDS_MAX else ()
        cut = next((at + 1 for at in ends if held[at][0] in _ENDS), len(held))
        yield held[:cut]
        held = [*held[cut:], *itertools.islice(words, cut)]
