"""The detector: one text, or very many, and what personal data is in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from troth.detect.finding import Finding, Unscanned
from troth.detect.overlaps import resolved
from troth.detect.text import Text
from troth.detect.written import reading
from troth.detect.written.matching import Matcher

__all__ = ["Detector", "Finder"]


class Finder(Protocol):
    """One way to find personal data in a text: ours (written, spoken, named), or another's as a second opinion."""

    def find(self, text: Text) -> Iterable[Finding]:
        """Places, with offsets into ``text.written``; may overlap. Raises `Unscanned` rather than stop half way."""


class Detector:
    """Finds personal data in texts. One is made once, holds no text, and may be shared between threads.

    *types* names the entity types that are wanted (all where left out), *min_score* the lowest score, *names* whether
    people, places and organisations are looked for (the slower half), *others* finders that are asked as well.
    """

    def __init__(
        self,
        *,
        types: Collection[str] | None = None,
        min_score: float = 0.5,
        names: bool = True,
        others: Iterable[Finder] = (),
    ) -> None:
        self._types = None if types is None else frozenset(types)
        self._min_score = min_score
        self._finders: list[Finder] = [Matcher(reading.shipped()), *others]

    def find(self, text: str) -> list[Finding]:
        """What is in *text*, by place, none overlapping. Raises `Unscanned` where it could not be read to its end."""
        ready = Text(text)
        return resolved(it for finder in self._finders for it in finder.find(ready) if self._is_wanted(it))

    def find_many(self, texts: Iterable[str]) -> Iterator[list[Finding] | Unscanned]:
        """What is in each of *texts*, in their order; of one that could not be scanned, why."""
        for text in texts:
            try:
                yield self.find(text)
            except Unscanned as unscanned:
                yield unscanned

    def _is_wanted(self, it: Finding) -> bool:
        return it.score >= self._min_score and (self._types is None or it.type in self._types)
