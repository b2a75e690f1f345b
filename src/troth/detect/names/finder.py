"""People, places and organisations in a text, by a small network that ships with the package."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from troth.detect.finding import Finding
from troth.detect.names.words import WORD
from troth.detect.text import Text

if TYPE_CHECKING:
    from troth.detect.names.network import Network

__all__ = ["Names"]

_KINDS: Final = ("", "PERSON", "LOCATION", "ORGANIZATION")
_AGAIN: Final = 32
"""How many words are looked at twice where a long text is cut, so that no word lacks its neighbours."""


class Names:
    """Finds names of people, places and organisations, in any case. The model is read when the first text comes."""

    TYPES: Final = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})

    def __init__(self) -> None:
        self._network: Network | None = None

    def find(self, text: Text) -> Iterator[Finding]:
        """Runs of words that the model takes for one name. They do not overlap."""
        network = self._ready()
        for places, words in _pieces(text.folded):
            shares = network.tag(words)
            kinds = shares.argmax(axis=1)
            for kind, run in itertools.groupby(range(len(words)), kinds.__getitem__):
                if kind:
                    within = list(run)
                    first, last = within[0], within[-1]
                    start, end = places[first], places[last] + len(words[last])
                    score = float(shares[first : last + 1, kind].mean())
                    yield Finding(text.unfolded(start), text.unfolded(end - 1) + 1, _KINDS[kind], score, "names")

    def _ready(self) -> Network:
        # numpy and the weights cost a tenth of a second, which nobody pays who looks for no names.
        if self._network is None:
            from troth.detect.names.model import shipped
            from troth.detect.names.network import Network

            self._network = Network(shipped())
        return self._network


def _pieces(folded: str) -> Iterator[tuple[list[int], list[str]]]:
    matches = WORD.finditer(folded)
    while piece := list(itertools.islice(matches, 4096)):
        yield [it.start() for it in piece], [it[0] for it in piece]
