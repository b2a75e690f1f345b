"""Which clause of one version became which clause of the other: by its words first, then by how like they are. Several
sentences of one version may be one of the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.policy.versions.clauses import ComparedClause, joined
from troth.policy.versions.likeness import Likeness

_ALIKE_HERE = 0.45
"""How much of their words two clauses of the same section share, at least, to be one clause that was changed."""
_ALIKE_ELSEWHERE = 0.65
_SAME_PLACE = 0.15
"""What it adds that what stands before them, or behind them, is the same clause."""
_SAME_NAME = 0.35
"""What it adds that two rows of tables have the same first cell."""
_PAIRS_MAX = 1_000_000
"""How many pairs are looked at: many more than two real policies have."""

_Match = tuple[tuple[int, ...], tuple[int, ...]]
"""The numbers of clauses before and after that say the same thing: one each, or several on one of the sides."""
_Left = Mapping[int, frozenset[str]]
"""The words of the clauses that are left over, by their numbers."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A clause before and after. One of them is None where it is new or gone; one of them is joined from several where
    a sentence was divided, or sentences became one."""

    old: ComparedClause | None
    new: ComparedClause | None
    is_moved: bool = False


def align(old: Sequence[ComparedClause], new: Sequence[ComparedClause]) -> list[Pair]:
    """Every clause of both versions once: pairs in the order of the new version, each clause that is gone behind the
    one that it followed. The same two versions always give the same pairs."""
    same = _same(old, new)
    sections = _counterparts(old, new, same)
    matches = [*(((before,), (after,)) for before, after in same.items()), *_alike(old, new, same, sections)]
    ending = {afters[-1]: (befores, afters) for befores, afters in matches}
    paired = {after for _, afters in matches for after in afters}
    gone = _gone(len(old), matches)
    pairs = [Pair(old[before], None) for before in gone[-1]]
    for after, clause in enumerate(new):
        if after in ending:
            befores, afters = ending[after]
            was = joined([old[before] for before in befores])
            pairs.append(Pair(was, joined([new[each] for each in afters]), sections.get(was.section) != clause.section))
        elif after not in paired:
            pairs.append(Pair(None, clause))
        pairs += [Pair(old[before], None) for before in gone[after]]
    return pairs


def _gone(many: int, matches: Iterable[_Match]) -> Mapping[int, list[int]]:
    """The old clauses that are gone, by the new one behind which they would stand; -1 for the beginning."""
    became = {before: afters[-1] for befores, afters in matches for before in befores}
    gone: dict[int, list[int]] = defaultdict(list)
    last = -1
    for before in range(many):
        last = became.get(before, last)
        if before not in became:
            gone[last].append(before)
    return gone


def _same(old: Sequence[ComparedClause], new: Sequence[ComparedClause]) -> dict[int, int]:
    """Clauses with the same words: those of the same section first, and in order."""
    matched: dict[int, int] = {}
    for key in (_here, _anywhere):
        places: dict[tuple[str, ...], list[int]] = defaultdict(list)
        taken = set(matched.values())
        for after, clause in enumerate(new):
            if after not in taken:
                places[key(clause)].append(after)
        for before, clause in enumerate(old):
            there = places[key(clause)]
            if before not in matched and there:
                matched[before] = there.pop(0)
    return matched


def _here(clause: ComparedClause) -> tuple[str, ...]:
    return clause.key, clause.section


def _anywhere(clause: ComparedClause) -> tuple[str, ...]:
    return (clause.key,)


def _counterparts(
    old: Sequence[ComparedClause], new: Sequence[ComparedClause], matched: Mapping[int, int]
) -> dict[str, str]:
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
    old: Sequence[ComparedClause],
    new: Sequence[ComparedClause],
    matched: Mapping[int, int],
    sections: Mapping[str, str],
) -> list[_Match]:
    """What is left over in pairs, the most alike first."""
    taken = set(matched.values())
    olds = {before: clause.words for before, clause in enumerate(old) if before not in matched}
    news = {after: clause.words for after, clause in enumerate(new) if after not in taken}
    scored = []
    likeness = Likeness([*old, *new])
    for shared, befores, afters in _candidates(old, new, olds, news, sections, likeness):
        before, after = old[befores[0]], new[afters[0]]
        is_here, bonus = sections.get(before.section) == after.section, 0.0
        if before.first and is_here and before.first.casefold() == after.first.casefold():
            bonus += _SAME_NAME
        if is_here and _neighbours(old, new, matched, (befores, afters)):
            bonus += _SAME_PLACE
        if (alike := shared + bonus) >= (_ALIKE_HERE if is_here else _ALIKE_ELSEWHERE):
            scored.append((-alike, befores, afters))
    matches: list[_Match] = []
    left, right = set(olds), set(news)
    for _, befores, afters in sorted(scored):
        if left.issuperset(befores) and right.issuperset(afters):
            matches.append((befores, afters))
            left.difference_update(befores)
            right.difference_update(afters)
    return matches


def _candidates(
    old: Sequence[ComparedClause],
    new: Sequence[ComparedClause],
    olds: _Left,
    news: _Left,
    sections: Mapping[str, str],
    like: Likeness,
) -> Iterator[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    """Every clause with every other, and with those of its section that may be its parts: how alike they are, and
    which they are."""
    for before, words, near in _near(olds, news):
        yield from ((like.of(words, said), (before,), (after,)) for after, said in near.items())
        section = sections.get(old[before].section)
        here = {at: said for at, said in near.items() if new[at].section == section and not new[at].first}
        yield from ((alike, (before,), parts) for alike, parts in like.parts(words, here))
    for after, words, near in _near(news, olds):
        section = new[after].section
        here = {at: said for at, said in near.items() if sections.get(old[at].section) == section and not old[at].first}
        yield from ((alike, parts, (after,)) for alike, parts in like.parts(words, here))


def _near(those: _Left, these: _Left) -> Iterator[tuple[int, frozenset[str], _Left]]:
    """Each of *those* with *these*: with all of them, as far as there is time, and else with those at about its
    place."""
    places = list(these.items())
    reach = _PAIRS_MAX // max(1, len(those))
    for rank, (at, words) in enumerate(those.items()):
        first = max(0, rank * len(places) // len(those) - reach // 2)
        yield at, words, these if reach >= 2 * len(places) else dict(places[first : first + reach])


def _neighbours(
    old: Sequence[ComparedClause], new: Sequence[ComparedClause], matched: Mapping[int, int], match: _Match
) -> bool:
    """Whether both stand at the same place: between the same clauses, or at the same end of a section."""
    befores, afters = match
    edges = ((-1, befores[0], afters[0]), (1, befores[-1], afters[-1]))
    return any(
        matched[there] == after + step
        if (there := before + step) in matched
        else _ends(old, before, step) and _ends(new, after, step)
        for step, before, after in edges
    )


def _ends(clauses: Sequence[ComparedClause], at: int, step: int) -> bool:
    """Whether a section begins, or ends, with this clause."""
    beside = at + step
    return not 0 <= beside < len(clauses) or clauses[beside].section != clauses[at].section
