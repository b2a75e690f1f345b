"""People, places and organisations in a text, by a small network that ships with the package."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from troth.detect.finding import Finding
from troth.detect.names.words import WORD
from troth.detect.text import Text

if TYPE_CHECKING:
    from troth.detect.names.network import Network

__all__ = ["WORDS_MAX", "Names", "peoples"]

WORDS_MAX: Final = 2048
"""How many words are looked at together at most."""

_ENDS: Final = frozenset("\n.!?")
"""After these a long text is cut."""


class Names:
    """Finds names of people, places and organisations, in any case. The model is read when the first text comes.

    *network* is another than the one that ships.
    """

    TYPES: Final = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})

    def __init__(self, network: Network | None = None) -> None:
        self._network = network

    def find(self, text: Text) -> Iterator[Finding]:
        """What the model takes for a name. Names do not overlap."""
        network = self._ready()
        for words in _parts(text.folded):
            text.check_clock()
            found = [it[0] for it in words]
            if not any(map(str.isalpha, found)):
                continue  # no letters, no names
            for first, last, type_, score in network.names(found):
                if type_ == "LOCATION" and all(it[0].lower() in peoples() for it in words[first : last + 1]):
                    continue
                start, end = words[first].start(), words[last].end()
                yield Finding(text.unfolded(start), text.unfolded(end - 1) + 1, type_, score, "names")

    def _ready(self) -> Network:
        # numpy and the weights cost a tenth of a second, which nobody pays who looks for no names.
        if self._network is None:
            from troth.detect.names.model import shipped
            from troth.detect.names.network import Network

            self._network = Network(shipped(), words_max=WORDS_MAX)
        return self._network


@cache
def peoples() -> frozenset[str]:
    """Words that the model takes for places at times, and that are none."""
    file = Path(__file__).with_name("peoples.toml")
    return frozenset(tomllib.loads(file.read_text("utf-8"))["words"].split())


def _parts(folded: str) -> Iterator[Sequence[re.Match[str]]]:
    """The words of a text, so many at a time that a part ends where a sentence or a line does, if any does."""
    words = WORD.finditer(folded)
    held = list(itertools.islice(words, WORDS_MAX))
    while held:
        ends = range(len(held) - 1, WORDS_MAX // 2, -1) if len(held) == WORDS_MAX else ()
        cut = next((at + 1 for at in ends if held[at][0] in _ENDS), len(held))
        yield held[:cut]
        held = [*held[cut:], *itertools.islice(words, cut)]
