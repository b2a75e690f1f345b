"""Aligns the clauses of two versions: first by identical words, then by similarity. Several sentences of one version
may correspond to one of the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.policy.versions.clauses import ComparedClause, joined
from troth.policy.versions.likeness import Likeness

_ALIKE_HERE = 0.45
"""Minimum similarity of two clauses in the same section to count as one changed clause."""
_ALIKE_ELSEWHERE = 0.65
_SAME_PLACE = 0.15
"""Bonus if the clauses before or after them correspond to each other."""
_SAME_NAME = 0.35
"""Bonus if two table rows have the same first cell."""
_PAIRS_MAX = 1_000_000
"""Maximum number of pairs compared: far more than two real policies have."""

_Match = tuple[tuple[int, ...], tuple[int, ...]]
"""Indexes of corresponding clauses before and after: one each, or several on one side."""
_Left = Mapping[int, frozenset[str]]
"""The words of the unmatched clauses by index."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A clause before and after. One side is None if the clause is new or gone, and joined from several clauses if a
    sentence was split or sentences were merged."""

    old: ComparedClause | None
    new: ComparedClause | None
    is_moved: bool = False


def align(old: Sequence[ComparedClause], new: Sequence[ComparedClause]) -> list[Pair]:
    """Every clause of both versions once: pairs in the order of the new version, and each removed clause after the one
    that it followed. Deterministic."""
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
    """The removed clauses by the index of the new clause that they follow; -1 for the beginning."""
    became = {before: afters[-1] for befores, afters in matches for before in befores}
    gone: dict[int, list[int]] = defaultdict(list)
    last = -1
    for before in range(many):
        last = became.get(before, last)
        if before not in became:
            gone[last].append(before)
    return gone


def _same(old: Sequence[ComparedClause], new: Sequence[ComparedClause]) -> dict[int, int]:
    """Clauses with identical words: in order, those in the same section first."""
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
    """The new section for each old one: the one with the same title, else the one with most of its clauses."""
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
    """The remaining clauses in pairs, most similar first."""
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
    """All pairs of clauses, and each clause with consecutive clauses of its section that may be its parts; with their
    similarity."""
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
    """Each of *those* with the candidates among *these*: all of them if that is within the limit, else those at about
    the same relative position."""
    places = list(these.items())
    reach = _PAIRS_MAX // max(1, len(those))
    for rank, (at, words) in enumerate(those.items()):
        first = max(0, rank * len(places) // len(those) - reach // 2)
        yield at, words, these if reach >= 2 * len(places) else dict(places[first : first + reach])


def _neighbours(
    old: Sequence[ComparedClause], new: Sequence[ComparedClause], matched: Mapping[int, int], match: _Match
) -> bool:
    """True if both are at the same place: between the same clauses, or at the same end of a section."""
    befores, afters = match
    edges = ((-1, befores[0], afters[0]), (1, befores[-1], afters[-1]))
    return any(
        matched[there] == after + step
        if (there := before + step) in matched
        else _ends(old, before, step) and _ends(new, after, step)
        for step, before, after in edges
    )


def _ends(clauses: Sequence[ComparedClause], at: int, step: int) -> bool:
    """True if the clause is the first or last of a section."""
    beside = at + step
    return not 0 <= beside < len(clauses) or clauses[beside].section != clauses[at].section
