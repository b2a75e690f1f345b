"""Compares two versions of a policy clause by clause: what became stronger, weaker, new or gone, with reasons."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from troth.policy.text import PolicyText, TextLanguage
from troth.policy.versions.aligning import Pair, align
from troth.policy.versions.clauses import ComparedClause, clauses_of, heads_of, told_by
from troth.policy.versions.rewriting import rewritten
from troth.policy.versions.strength import (
    Limit,
    Side,
    Stance,
    Strength,
    StrengthPoint,
    denies,
    framed,
    is_whole,
    rest_of,
    states,
    strength_of,
    unweighed,
)
from troth.policy.versions.typos import differ_by_typos

_SAME_AMOUNT = 0.03
"""Numbers that differ by less are equal: a month and thirty days."""
_JOINTS = frozenset({"and", "we"})
"""Words that appear or disappear when a sentence is split."""


class Verdict(enum.StrEnum):
    """The verdict on a clause, or on a whole policy."""

    WEAKENED = "weakened"
    GONE = "gone"
    NEW = "new"
    STRENGTHENED = "strengthened"
    REWORDED = "reworded"
    MOVED = "moved"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class ClauseChange:
    """A clause before and after. *effect* is negative if people have less protection than before; *reasons* say why."""

    verdict: Verdict
    old: ComparedClause | None
    new: ComparedClause | None
    effect: int = 0
    reasons: tuple[str, ...] = ()
    is_longer: bool = False
    """True if a period or deadline became longer for which shorter is stronger."""
    is_only_longer: bool = False
    """True if that is the only reason why people have less protection."""
    in_doubt: bool = False
    """True if it may be weaker, as far as the words tell."""

    @property
    def is_weaker(self) -> bool:
        """True if people have less protection than before."""
        return self.effect < 0


@dataclass(frozen=True)
class Comparison:
    """Every clause of both versions: first the heads, then the clauses in the order of the new version."""

    changes: tuple[ClauseChange, ...]
    is_read: bool = True
    """True if both versions are in a supported language. Otherwise nothing is reported as weaker."""

    @cached_property
    def weaker(self) -> tuple[ClauseChange, ...]:
        """The changes that leave people with less protection."""
        return tuple(change for change in self.changes if change.is_weaker)

    @cached_property
    def doubtful(self) -> tuple[ClauseChange, ...]:
        """The changes that may leave people with less protection and need human review."""
        return tuple(change for change in self.changes if change.in_doubt)

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on the new version as a whole: a single weaker clause makes it weaker."""
        if self.weaker:
            return Verdict.WEAKENED
        if any(change.effect > 0 for change in self.changes):
            return Verdict.STRENGTHENED
        changed = any(change.verdict not in {Verdict.SAME, Verdict.MOVED} for change in self.changes)
        moved = any(change.verdict is Verdict.MOVED for change in self.changes)
        return Verdict.REWORDED if changed else Verdict.MOVED if moved else Verdict.SAME

    @cached_property
    def counts(self) -> Mapping[Verdict, int]:
        """The number of clauses per verdict."""
        found = Counter(change.verdict for change in self.changes)
        return {verdict: found[verdict] for verdict in Verdict if found[verdict]}


def compare(old: PolicyText, new: PolicyText) -> Comparison:
    """What changed between two versions. Deterministic.

    It compares words: a statement in entirely different words is a removed clause and a new one. A split sentence, or
    sentences merged into one, are one change. A clause that both gives and takes is *weakened*. Whatever is not certain
    to be harmless is in doubt.
    """
    heads = align(heads_of(old), heads_of(new))
    changes = [_change(pair) for pair in (*heads, *align(clauses_of(old), clauses_of(new)))]
    return Comparison(tuple(changes), TextLanguage.OTHER not in {old.language, new.language})


def _change(pair: Pair) -> ClauseChange:
    change = _judged(pair)
    return replace(change, in_doubt=not change.is_weaker and _may_be_weaker(change))


def _judged(pair: Pair) -> ClauseChange:
    old, new = pair.old, pair.new
    if old is not None and new is not None and old.key == new.key:
        return ClauseChange(Verdict.MOVED if pair.is_moved else Verdict.SAME, old, new)
    if not any(not clause.is_head or states(clause) for clause in (old, new) if clause):
        return ClauseChange(Verdict.NEW if old is None else Verdict.GONE if new is None else Verdict.REWORDED, old, new)
    if new is None:
        assert old is not None, "a pair has a clause"
        return _lone(Verdict.GONE, old, new, strength_of(old))
    if old is None:
        return _lone(Verdict.NEW, old, new, strength_of(new))
    if differ_by_typos(old, new):
        return ClauseChange(Verdict.REWORDED, old, new)
    before, after = strength_of(old), strength_of(new)
    if losses := tuple(_losses(before, after)):
        longer = sum(_longer(before, after))
        return ClauseChange(Verdict.WEAKENED, old, new, -1, losses, longer > 0, longer == len(losses))
    if rest_of(old) == rest_of(new) and (worse := tuple(_worse_in_place(before, after))):
        return ClauseChange(Verdict.WEAKENED, old, new, -1, worse)
    gains = tuple(_gains(before, after))
    if gains and not _is_replaced(old, new, before, after):
        return ClauseChange(Verdict.STRENGTHENED, old, new, 1, gains)
    return ClauseChange(Verdict.REWORDED, old, new, reasons=gains)


def _is_replaced(old: ComparedClause, new: ComparedClause, before: Strength, after: Strength) -> bool:
    """True if the gain may have replaced something better that no mark covers: new marks in place of unknown words, or
    removed marks where unknown words were added. For changed numbers both are needed."""
    gone, came = unweighed(old) - unweighed(new), unweighed(new) - unweighed(old)
    is_more = _only(after, before, Side.FOR) or len(after.limits) > len(before.limits)
    is_less = _only(before, after, Side.AGAINST)
    if not is_more and not is_less:
        return bool(gone and came)
    return bool((gone and is_more) or (came and is_less))


def _may_be_weaker(change: ClauseChange) -> bool:
    """True if a change that no mark shows to be weaker also contains words that no mark covers: a person decides in
    case of doubt. A clause that was moved is about something else there."""
    old, new = change.old, change.new
    if change.verdict is Verdict.SAME:
        return False
    if change.verdict is Verdict.MOVED or not all(is_whole(clause) for clause in (old, new) if clause):
        return True
    if old is not None and new is not None:
        if change.effect > 0:
            return rest_of(old) != rest_of(new) or _is_reordered(old, new)
        return not _tells_the_same(old, new)
    if new is None or change.effect == 0:
        return True
    return any(mark.side is Side.AGAINST for mark in strength_of(new).marks)


def _is_reordered(old: ComparedClause, new: ComparedClause) -> bool:
    """True if both have the same words in a different order: a *may* may now apply to what was firm."""
    told, tells = told_by(framed(old)), told_by(framed(new))
    return told != tells and sorted(told) == sorted(tells)


def _tells_the_same(old: ComparedClause, new: ComparedClause) -> bool:
    """True if they differ only in grammar. Conjunctions that join two sentences count as grammar too, unless something
    is negated: the scope of a negation may differ between one sentence and two."""
    told, tells = (told_by(rewritten(clause.whole.casefold())) for clause in (old, new))
    if len(old.sentences) == len(new.sentences) or denies(old) or denies(new):
        return told == tells
    return [word for word in told if word not in _JOINTS] == [word for word in tells if word not in _JOINTS]


def _lone(verdict: Verdict, old: ComparedClause | None, new: ComparedClause | None, strength: Strength) -> ClauseChange:
    """Removing a promise or adding a use leaves people with less protection; the reverse gives them more."""
    sign = -1 if verdict is Verdict.GONE else 1
    uses = sorted(
        mark.what for mark in strength.marks if mark.side is Side.AGAINST and mark.what.startswith(("to ", "about "))
    )
    guards = sorted(
        mark.what for mark in strength.marks if mark.side is Side.FOR and mark.what.startswith(("to ", "not to "))
    )
    if strength.stance is Stance.GUARD:
        word = "it promised" if sign < 0 else "it promises"
        return ClauseChange(verdict, old, new, sign, (f"{word} {', '.join(guards)}",))
    if uses:
        word = "it mentioned data that is used" if sign < 0 else "it adds a use of data"
        return ClauseChange(verdict, old, new, -sign, (f"{word}: {', '.join(uses)}",))
    return ClauseChange(verdict, old, new)


def _losses(before: Strength, after: Strength) -> Iterator[str]:
    """Why *after* leaves people with less protection than *before*."""
    yield from (f"it no longer says {mark.what}" for mark in _only(before, after, Side.FOR))
    yield from (f"it now says {mark.what}" for mark in _only(after, before, Side.AGAINST))
    yield from (said for sign, said in _limited(before, after) if sign < 0)


def _gains(before: Strength, after: Strength) -> Iterator[str]:
    """Why *after* gives people more protection: the losses of the reverse change."""
    yield from (f"it now says {mark.what}" for mark in _only(after, before, Side.FOR))
    yield from (f"it no longer says {mark.what}" for mark in _only(before, after, Side.AGAINST))
    yield from (said for sign, said in _limited(before, after) if sign > 0)


def _only(strength: Strength, other: Strength, side: Side) -> list[StrengthPoint]:
    return sorted(mark for mark in strength.marks - other.marks if mark.side is side)


def _limited(before: Strength, after: Strength) -> Iterator[tuple[int, str]]:
    """Changes of numbers, each with 1 if the new one is stronger and -1 if it is weaker."""
    for kind in sorted({(limit.unit, limit.more) for limit in (*before.limits, *after.limits)}):
        olds, news = _differing(_of_kind(before, kind), _of_kind(after, kind))
        for old, new in zip(olds, news, strict=False):  # weakest paired with weakest
            sign = 1 if (new.amount > old.amount) == old.more else -1
            yield sign, f"“{old.said}” became “{new.said}”"
        yield from ((-1, f"“{old.said}” is gone") for old in olds[len(news) :])
        yield from ((1, f"it now says “{new.said}”") for new in news[len(olds) :])


def _worse_in_place(before: Strength, after: Strength) -> Iterator[str]:
    """Numbers that are worse than those in the same position, although the worst of all is not: two may have been
    swapped."""
    for old, new in zip(before.limits, after.limits, strict=False):
        (rest, other) = _differing([old], [new])
        if rest and other and (old.unit, old.more) == (new.unit, new.more) and (new.amount > old.amount) != old.more:
            yield f"“{old.said}” became “{new.said}”"


def _longer(before: Strength, after: Strength) -> Iterator[bool]:
    """For each period for which shorter is stronger, whether it became longer."""
    olds, news = _differing(_of_kind(before, ("hours", False)), _of_kind(after, ("hours", False)))
    return (new.amount > old.amount for old, new in zip(olds, news, strict=False))


def _of_kind(strength: Strength, kind: tuple[str, bool]) -> list[Limit]:
    """The numbers of that kind, weakest first."""
    return sorted((limit for limit in strength.limits if (limit.unit, limit.more) == kind), reverse=not kind[1])


def _differing(olds: Sequence[Limit], news: Sequence[Limit]) -> tuple[list[Limit], list[Limit]]:
    """Both without numbers that are equal on the two sides."""
    left, right = list(olds), list(news)
    for old in olds:
        for new in right:
            if abs(old.amount - new.amount) <= _SAME_AMOUNT * max(old.amount, new.amount):
                left.remove(old)
                right.remove(new)
                break
    return left, right
