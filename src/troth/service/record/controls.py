"""What Troth's own records can show: that the erased stay erased, and that what was begun is finished."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping

from troth.counting import counted
from troth.declaration import Declaration, IdentityKind
from troth.promises import Answer, Evidence, Finding, Outcome, answers
from troth.service.record.tombstones import Tombstones
from troth.stores import Store
from troth.subjects import Journal

__all__ = ["erased_stays_erased", "runs_finished"]

_MINUTES_MAX = 60
"""A run takes seconds; one that is still open after an hour has lost its process."""


@answers("retention.erased_stays_erased")
def erased_stays_erased(
    declaration: Declaration, stores: Mapping[str, Store], tombstones: Tombstones, now: dt.datetime
) -> Answer:
    """Compare every declared identifier that is stored now with the tombstones, on our side and keyed.

    A tombstone is tested when its system was looked into and declares a column that could hold such an identifier.
    """
    buried = {name: counts for name in declaration.systems if (counts := tombstones.count(name, now=now))}
    if not buried:
        looked = Evidence(in_scope=frozenset({"tombstones"}), observed=frozenset({"tombstones"}))
        return Answer(Outcome.NOT_APPLICABLE, "Nobody has been erased yet.", looked)
    findings, read, asked = list[Finding](), 0, set[tuple[str, IdentityKind]]()
    for name in sorted(buried.keys() & stores.keys()):
        for table, column, kind in _identifiers(declaration, name, buried[name].keys()):
            values = [str(row[0]) for row in stores[name].read(table, [column], None) if row[0] is not None]
            read += len(values)
            asked.add((name, kind))
            if back := tombstones.reappeared(name, kind, values, now=now):
                findings.append(_back(f"{name}.{table}.{column}", back))
    erased = sum(sum(counts.values()) for counts in buried.values())
    tested = sum(buried[name][kind] for name, kind in asked)
    evidence = Evidence(
        in_scope=frozenset(buried), observed=frozenset(buried.keys() & stores.keys()), population=erased, tested=tested
    )
    figures = {"erased": erased, "looked for": tested, "compared": read}
    summary = f"{tested:,} of {erased:,} erased identifiers looked for among {read:,} stored ones, "
    summary += f"{counted(len(findings), 'place')} with some back."
    if tested < erased and evidence.in_scope == evidence.observed and not findings:
        summary += " No declared column could hold the others: declare their identity or mentions again."
        return Answer(Outcome.ERROR, summary, evidence, figures)
    return Answer.of(summary, evidence=evidence, findings=findings, figures=figures)


def _identifiers(
    declaration: Declaration, system: str, kinds: Collection[IdentityKind]
) -> Iterator[tuple[str, str, IdentityKind]]:
    for name, table in declaration.systems[system].tables.items():
        for kind, identity in (*table.identity.items(), *table.mentions.items()):
            if kind in kinds:
                yield name, identity.column, kind


def _back(place: str, count: int) -> Finding:
    told = "one erased identifier is back" if count == 1 else f"{count:,} erased identifiers are back"
    return Finding(place, told, "erase the rows again, and find the import or the backup that brought them back")


@answers("record.runs_finished")
def runs_finished(journal: Journal, now: dt.datetime) -> Answer:
    """No run may be left half done for longer than an hour."""
    begun = list(journal.unfinished())
    late = [run for run in begun if now - run.begun > dt.timedelta(minutes=_MINUTES_MAX)]
    looked = frozenset({"journal"})
    findings = [
        Finding(f"run {run.id}", f"{run.action}, begun {run.begun:%Y-%m-%d %H:%M} UTC, is not finished", "resume it")
        for run in late
    ]
    summary = f"{counted(len(begun), 'run')} under way, {len(late)} of them for longer than {_MINUTES_MAX} minutes."
    return Answer.of(
        summary,
        evidence=Evidence(in_scope=looked, observed=looked, population=len(begun), tested=len(begun)),
        findings=findings,
        figures={"under_way": len(begun), "left_half_done": len(late)},
    )
