"""Treatments: everything that a plan does to one row, and why the rest of it stays. Pure.

Several changes of a plan may affect one row: a reference is cleared, a field is masked, the others are kept. Use this
module to count rows, because it lists each row once, by its key.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.stores import Row
from troth.subjects.amend import AmendmentPlan
from troth.subjects.plan import ErasurePlan, KeptRows, Stage, Target

IN_ROWS_OF_OTHERS = "in rows of others that referred to these"
"""Suffix in the words of a treatment that only clears a reference in another person's row."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What happens to a row. *writes* are columns with their strategy; *stays* is the reason why the rest of the row
    stays, None if nothing does."""

    deletes: bool = False
    writes: tuple[tuple[str, str], ...] = ()
    stays: Stays | None = None
    of_others: bool = False
    """True if the row is another person's, and only its reference to a deleted row is cleared."""

    @property
    def strategies(self) -> tuple[str, ...]:
        """``delete``, or the strategy of each column; ``keep`` comes last if anything stays."""
        return ("delete",) * self.deletes + tuple(how for _, how in self.writes) + ("keep",) * (self.stays is not None)

    def change_words(self) -> str:
        """Description of the change; empty if there is none."""
        if self.deletes:
            return "delete"
        by_amending = [column for column, how in self.writes if how == "amend"]
        if by_amending:
            return f"amend {', '.join(by_amending)}"
        words = ", ".join(f"{how} {column}" for column, how in self.writes)
        return f"{words}, {IN_ROWS_OF_OTHERS}" if self.of_others else words

    def words(self) -> str:
        """Description of the change, and of what stays and why."""
        change = self.change_words()
        if self.stays is None:
            return change
        fields = ", ".join(self.stays.fields)
        if change:
            return f"{change}; keep {fields or 'the row'}: {self.stays.because}"
        return f"{fields}: {self.stays.because}" if fields else self.stays.because


@dataclass(frozen=True, slots=True)
class Stays:
    """The *fields* that stay (empty for the whole row), with the reason, the citation and the end of the period."""

    fields: tuple[str, ...]
    because: str
    cite: str
    until: dt.date | None


@dataclass(frozen=True, slots=True)
class _Part:
    """One item of a plan: its treatment and its rows."""

    place: str
    treatment: Treatment
    targets: Sequence[Target]


_Touched = list[tuple[str, Row, list[tuple[int, tuple[int, ...]]]]]
"""Place and key of each row, and the numbers of the parts that affect it, each with the subjects that cause it."""


def treatments(plan: ErasurePlan | AmendmentPlan) -> Iterator[tuple[str, Row, Treatment]]:
    """All rows that the plan changes or keeps, each once, including rows of others: place, key and treatment."""
    parts = list(_parts(plan))
    merged = _merging(parts)
    for place, key, touched in _touched(parts):
        yield place, key, merged(tuple(number for number, _ in touched))


def treatments_by_subject(plan: ErasurePlan | AmendmentPlan) -> list[Counter[tuple[str, Treatment]]]:
    """For each subject: the number of rows by place and treatment, in the plan's order."""
    parts = list(_parts(plan))
    merged = _merging(parts)
    counts: list[Counter[tuple[str, tuple[int, ...]]]] = [Counter() for _ in plan.located.identities]
    for place, _, touched in _touched(parts):
        for subject in dict.fromkeys([subject for _, owners in touched for subject in owners]):
            counts[subject][place, tuple([number for number, owners in touched if subject in owners])] += 1
    return [_by_treatment(of_subject, merged) for of_subject in counts]


def _by_treatment(
    counts: Mapping[tuple[str, tuple[int, ...]], int], merged: Callable[[tuple[int, ...]], Treatment]
) -> Counter[tuple[str, Treatment]]:
    rows: Counter[tuple[str, Treatment]] = Counter()
    for (place, numbers), count in counts.items():
        rows[place, merged(numbers)] += count
    return rows


def _parts(plan: ErasurePlan | AmendmentPlan) -> Iterator[_Part]:
    if isinstance(plan, AmendmentPlan):
        for rewrite in plan.rewrites:
            how = Treatment(writes=tuple((column, "amend") for column in rewrite.columns))
            yield _Part(rewrite.place, how, [target for target, _, _ in rewrite.rows])
    else:
        yield from _changes(plan)
    for kept in plan.kept:
        yield _Part(kept.place, Treatment(stays=_stays([kept])), kept.targets)


def _changes(plan: ErasurePlan) -> Iterator[_Part]:
    """Changes of an erasure. A reference cleared in a row that is then deleted does not count as a change."""
    going = {
        (change.place, key) for change in plan.changes if change.stage is Stage.DELETE for key, _ in change.targets
    }
    for change in plan.changes:
        if change.stage is Stage.DELETE:
            yield _Part(change.place, Treatment(deletes=True), change.targets)
            continue
        detaches = change.stage is Stage.DETACH
        targets = [it for it in change.targets if not (detaches and (change.place, it[0]) in going)]
        writes = tuple((column, str(how)) for column, how in change.strategies)
        yield _Part(change.place, Treatment(writes=writes, of_others=detaches), targets)


def _touched(parts: Sequence[_Part]) -> _Touched:
    touched: _Touched = []
    places: dict[str, dict[Row, list[tuple[int, tuple[int, ...]]]]] = defaultdict(dict)
    for number, part in enumerate(parts):
        rows = places[part.place]
        for key, owners in part.targets:
            if (row := rows.get(key)) is None:
                row = rows[key] = []
                touched.append((part.place, key, row))
            row.append((number, owners))
    return touched


def _merging(parts: Sequence[_Part]) -> functools._lru_cache_wrapper[Treatment]:
    """Return a function that combines the treatments of parts by number. Cached, because few combinations occur."""

    @functools.cache
    def merged(numbers: tuple[int, ...]) -> Treatment:
        together = [parts[number].treatment for number in numbers]
        if len(together) == 1:
            return together[0]
        together.sort(key=lambda one: one.of_others)  # real writes come before cleared references
        stays = [one.stays for one in together if one.stays is not None]
        return Treatment(
            deletes=any(one.deletes for one in together),
            writes=tuple({column: how for one in together for column, how in one.writes}.items()),
            stays=_stays(stays) if stays else None,
            of_others=all(one.of_others for one in together),
        )

    return merged


def _stays(kept: Sequence[KeptRows | Stays]) -> Stays:
    """Combine the reasons of a row with several kept parts; the end is that of the longest period."""
    untils = [one.until for one in kept]
    return Stays(
        fields=tuple(dict.fromkeys(field for one in kept for field in one.fields)),
        because=_each(one.reason if isinstance(one, KeptRows) else one.because for one in kept),
        cite=_each(one.cite for one in kept),
        until=None if None in untils else max(until for until in untils if until is not None),
    )


def _each(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(words))
