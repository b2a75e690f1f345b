"""Proximity of passages: many rules ask whether something is mentioned near something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from troth.policy.lexicon import Mentions, Passage


def without(passages: Iterable[Passage], others: Iterable[Passage]) -> list[Passage]:
    """*passages* that are not in *others*."""
    silent = {id(passage) for passage in others}
    return [passage for passage in passages if id(passage) not in silent]


def following(spoken: Mentions) -> dict[int, Passage]:
    """The next passage in the same block, by the `id()` of a passage."""
    pairs = zip(spoken.passages, spoken.passages[1:], strict=False)
    return {id(passage): behind for passage, behind in pairs if passage.block is behind.block}


def said_near(places: Iterable[Passage], wanted: Iterable[Passage]) -> bool:
    """True if one of *wanted* is in the same block, table row or list as one of *places*."""
    spots = {_spot(passage) for passage in places}
    return any(_spot(passage) in spots for passage in wanted)


def said_around(spoken: Mentions, places: Iterable[Passage]) -> Iterator[str]:
    """The words of all passages that close to *places*, with the headings above."""
    spots = {_spot(passage) for passage in places}
    yield from dict.fromkeys(f"{one.under} {one.words}" for one in spoken.passages if _spot(one) in spots)


def _spot(passage: Passage) -> object:
    cell = passage.block.cell
    if cell is not None:
        return (cell.table, cell.row)
    return (passage.under, passage.words[: passage.own]) if passage.own else id(passage.block)
