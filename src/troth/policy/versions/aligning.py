"""Which clause of one version became which clause of the other: by its words first, then by how like they are."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from troth.policy.versions.clauses import Clause

__all__ = ["Pair", "align"]

_ALIKE_HERE = 0.45
"""How much of their words two clauses of the same section share, at least, to be one clause that was changed."""
_ALIKE_ELSEWHERE = 0.65
_SAME_PLACE = 0.15
"""What it adds that what stands before them, or behind them, is the same clause."""
_SAME_NAME = 0.35
"""What it adds that two rows of tables have the same first cell."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A clause before and after. One of them is None where it is new or gone."""

    old: Clause | None
    new: Clause | None
    is_moved: bool = False


def align(old: Sequence[Clause], new: Sequence[Clause]) -> list[Pair]:
    """Every clause of both versions once: pairs in the order of the new version, each clause that is gone behind the
    one that it followed. The same two versions always give the same pairs."""
    matched = _same(old, new)
    sections = _counterparts(old, new, matched)
    matched |= _alike(old, new, matched, sections)
    back = {after: before for before, after in matched.items()}
    gone: dict[int, list[int]] = defaultdict(list)
    last = -1
    for before in range(len(old)):
        if before in matched:
            last = matched[before]
        else:
            gone[last].append(before)
    pairs = [Pair(old[before], None) for before in gone[-1]]
    for after, clause in enumerate(new):
        was = old[back[after]] if after in back else None
        moved = was is not None and sections.get(was.section) != clause.section
        pairs.append(Pair(was, clause, moved))
        pairs += [Pair(old[before], None) for before in gone[after]]
    return pairs


def _same(old: Sequence[Clause], new: Sequence[Clause]) -> dict[int, int]:
    """Clauses with the same words: those of the same section first, and in order."""
    matched: dict[int, int] = {}
    for part in ("section", ""):
        places: dict[tuple[str, str], list[int]] = defaultdict(list)
        taken = set(matched.values())
        for after, clause in enumerate(new):
            if after not in taken:
                places[clause.key, getattr(clause, part, "")].append(after)
        for before, clause in enumerate(old):
            there = places[clause.key, getattr(clause, part, "")]
            if before not in matched and there:
                matched[before] = there.pop(0)
    return matched


def _counterparts(old: Sequence[Clause], new: Sequence[Clause], matched: Mapping[int, int]) -> dict[str, str]:
    """The section that each section became: the one of the same title, else where most of its clauses went."""
    titles = {clause.section for clause in new}
    went: dict[str, Counter[str]] = defaultdict(Counter)
    for before, after in matched.items():
        went[old[before].section][new[after].section] += 1
    counterparts = {}
    for title in dict.fromkeys(clause.section for clause in old):
        if title in titles:
            counterparts[title] = title
        elif went[title]:
            counterparts[title] = min(went[title], key=lambda there: (-went[title][there], there))
    return counterparts


def _alike(
    old: Sequence[Clause], new: Sequence[Clause], matched: Mapping[int, int], sections: Mapping[str, str]
) -> dict[int, int]:
    """Pairs of what is left over, the most alike first."""
    left = [before for before in range(len(old)) if before not in matched]
    right = [after for after in range(len(new)) if after not in set(matched.values())]
    words = {("old", at): old[at].words for at in left} | {("new", at): new[at].words for at in right}
    weights = _weights(clause.words for clause in (*old, *new))
    sums = {place: sum(weights[word] for word in several) for place, several in words.items()}
    scored = []
    for before in left:
        for after in right:
            shared = sum(weights[word] for word in words["old", before] & words["new", after])
            total = sums["old", before] + sums["new", after]
            likeness = 2 * shared / total if total else 0.0
            is_here = sections.get(old[before].section) == new[after].section
            if old[before].first and is_here and old[before].first.casefold() == new[after].first.casefold():
                likeness += _SAME_NAME
            if is_here and _neighbours(old, new, matched, before, after):
                likeness += _SAME_PLACE
            if likeness >= (_ALIKE_HERE if is_here else _ALIKE_ELSEWHERE):
                scored.append((-likeness, before, after))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, before, after in sorted(scored):
        if before not in pairs and after not in taken:
            pairs[before] = after
            taken.add(after)
    return pairs


def _neighbours(
    old: Sequence[Clause], new: Sequence[Clause], matched: Mapping[int, int], before: int, after: int
) -> bool:
    """Whether both stand at the same place: between the same clauses, or at the same end of a section."""
    return any(
        matched[there] == after + step
        if (there := before + step) in matched
        else _ends(old, before, step) and _ends(new, after, step)
        for step in (-1, 1)
    )


def _ends(clauses: Sequence[Clause], at: int, step: int) -> bool:
    """Whether a section begins, or ends, with this clause."""
    beside = at + step
    return not 0 <= beside < len(clauses) or clauses[beside].section != clauses[at].section


def _weights(clauses: Iterable[frozenset[str]]) -> Mapping[str, float]:
    """How much a word tells of a clause: the rarer, the more."""
    several = list(clauses)
    counts = Counter(word for words in several for word in words)
    return {word: math.log(1 + len(several) / count) for word, count in counts.items()}
