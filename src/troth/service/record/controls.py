"""What Troth's own records can show: that the erased stay erased, and that what was begun is finished."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

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
    """Compare every declared identifier that is stored now with the tombstones, on our side and keyed."""
    in_scope = {name for name in declaration.systems if tombstones.count(name, now=now)}
    if not in_scope:
        looked = Evidence(in_scope=frozenset({"tombstones"}), observed=frozenset({"tombstones"}))
        return Answer(Outcome.NOT_APPLICABLE, "Nobody has been erased yet.", looked)
    findings, read, buried = list[Finding](), 0, 0
    for name in sorted(in_scope & stores.keys()):
        buried += tombstones.count(name, now=now)
        for table, column, kind in _identifiers(declaration, name, tombstones.kinds(name, now=now)):
            values = [str(row[0]) for row in stores[name].read(table, [column], None) if row[0] is not None]
            read += len(values)
            if back := tombstones.reappeared(name, kind, values, now=now):
                findings.append(_back(f"{name}.{table}.{column}", back))
    evidence = Evidence(
        in_scope=frozenset(in_scope), observed=frozenset(in_scope & stores.keys()), population=buried, tested=read
    )
    summary = f"{buried:,} erased identifiers, {read:,} stored ones compared, {len(findings)} places with some back."
    return Answer.of(summary, evidence=evidence, findings=findings, figures={"erased": buried, "compared": read})


def _identifiers(
    declaration: Declaration, system: str, kinds: frozenset[IdentityKind]
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
    summary = f"{len(begun)} runs under way, {len(late)} of them for longer than {_MINUTES_MAX} minutes."
    return Answer.of(
        summary,
        evidence=Evidence(in_scope=looked, observed=looked, population=len(begun), tested=len(begun)),
        findings=findings,
        figures={"under_way": len(begun), "left_half_done": len(late)},
    )
