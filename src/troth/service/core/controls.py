"""Controls on Troth's own records: erased people stay erased, in backups too, and runs are finished."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration, IdentityKind
from troth.ledger import TILE_WIDTH, Entry, Log
from troth.rows import Journal
from troth.service.core.models import RunRow
from troth.service.core.tombstones import Grave, Tombstones
from troth.stores import AllOf, AnyOf, Match, NotBefore, Noted, Store, noting
from troth.text import counted, first_few

DRILL_DAYS = 92
"""Maximum age of the last restore drill: a quarter."""
_MINUTES_MAX = 60
"""Runs take seconds; one still open after an hour has lost its process."""
_RUNS_COUNT = dt.timedelta(days=92)
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")


@answers("retention.erased_stays_erased")
def erased_stays_erased(
    declaration: Declaration, stores: Mapping[str, Store], tombstones: Tombstones, now: dt.datetime
) -> ControlResult:
    """Compare every stored declared identifier with the tombstones, on our side and keyed.

    A tombstone is tested if its system was read and declares a column that could hold such an identifier. Rows that
    began after the erasure show no fault by themselves, as the person may have come back: that is an error until
    somebody decides.
    """
    read_here = [name for name, system in declaration.systems.items() if system.is_looked_into]
    buried = {name: counts for name in read_here if (counts := tombstones.count(name, now=now))}
    if not buried:
        looked = Evidence(in_scope=frozenset({"tombstones"}), observed=frozenset({"tombstones"}))
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "Nobody has been erased yet.", looked)
    findings, read, asked, noted = list[ControlFinding](), 0, set[tuple[str, IdentityKind]](), Noted()
    newer = list[str]()
    begins = {rule.table: rule.from_ for rule in declaration.retention.values()}
    for name in sorted(buried.keys() & stores.keys()):
        for table, column, kind in _identifiers(declaration, name, buried[name].keys()):
            with noting(noted):
                values = [str(row[0]) for row in stores[name].read(table, [column], None) if row[0] is not None]
            read += len(values)
            asked.add((name, kind))
            place = f"{name}.{table}.{column}"
            if back := tombstones.reappeared(name, kind, _written(kind, values), now=now):
                graves = tombstones.erased(name, kind, values, now=now)
                begin = begins.get(f"{name}.{table}")
                came = _newer(stores[name], table, column, kind, begin, graves) if begin else 0
                newer += [place] if came else []
                findings += [_back(place, back - came)] if back > came else []
    erased = sum(sum(counts.values()) for counts in buried.values())
    tested = sum(buried[name][kind] for name, kind in asked)
    evidence = Evidence(
        in_scope=frozenset(buried),
        observed=frozenset(buried.keys() & stores.keys()),
        population=erased,
        tested=tested,
        period=(tombstones.first(now=now), now),
        query=noted.hash,
    )
    figures = {"erased": erased, "looked for": tested, "compared": read}
    summary = f"{tested:,} of {erased:,} erased identifiers compared with {read:,} stored ones, "
    summary += f"{counted(len(findings), 'place')} with reappeared ones."
    if newer:
        summary += (
            f" In {first_few(newer)}, rows that began after the erasure hold erased identifiers: these people may "
        )
        summary += "have come back (troth acknowledge-return), or their data has (erase it again)."
        if not findings:
            return ControlResult(CheckOutcome.ERROR, summary, evidence, figures)
    if tested < erased and evidence.in_scope == evidence.observed and not findings:
        summary += " No declared column could hold the others: declare the identity or mentions of their tables again."
        return ControlResult(CheckOutcome.ERROR, summary, evidence, figures)
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)


def _identifiers(
    declaration: Declaration, system: str, kinds: Collection[IdentityKind]
) -> Iterator[tuple[str, str, IdentityKind]]:
    for name, table in declaration.systems[system].tables.items():
        for kind, identity in (*table.identity.items(), *table.mentions.items()):
            if kind in kinds:
                yield name, identity.column, kind


def _written(kind: IdentityKind, values: Sequence[str]) -> Iterator[str]:
    """The values, and the addresses in those that hold more than one word: ``Ann <ann@example.org>``."""
    for value in values:
        yield value
        if kind is IdentityKind.EMAIL:
            yield from (address for address in _ADDRESS.findall(value) if address != value)


def _newer(store: Store, table: str, column: str, kind: IdentityKind, begin: str, graves: Mapping[str, Grave]) -> int:
    """How many erased people are only in rows whose *begin* is not before their erasure."""
    people: dict[bytes, bool] = {}
    for value, grave in graves.items():
        if not grave.is_lifted:
            its = AnyOf((Match((column,), ((value,),), fold=kind is IdentityKind.EMAIL),))
            rows = store.count(table, its)
            later = store.count(table, AllOf((its, NotBefore(begin, grave.erased_at))))
            people[grave.mark] = people.get(grave.mark, True) and 0 < rows == later
    return sum(people.values())


def _back(place: str, count: int) -> ControlFinding:
    told = "one erased identifier has reappeared" if count == 1 else f"{count:,} erased identifiers have reappeared"
    return ControlFinding(
        place,
        told,
        "after a restore, run troth replay; if the person came back, run troth acknowledge-return; otherwise erase "
        "the rows again and find the import that brought them back",
    )


@answers("core.runs_finished")
def runs_finished(journal: Journal, now: dt.datetime) -> ControlResult:
    """No run may stay unfinished for more than an hour. Where no run was begun within a quarter, nothing is shown."""
    since, looked = now - _RUNS_COUNT, frozenset({"journal"})
    begun, most = list(journal.unfinished()), dt.timedelta(minutes=_MINUTES_MAX)
    late = [run for run in begun if abs(now - run.begun) > most]  # one that is dated ahead would never be late
    finished = RunRow.objects.filter(finished_at__gte=since).count()
    period = (min((since, *(run.begun for run in begun))), now)
    if not begun and not finished:
        none = f"No deletion or correction was begun within {_RUNS_COUNT.days} days."
        return ControlResult(CheckOutcome.NOT_APPLICABLE, none, Evidence(looked, looked, period=period))
    findings = [
        ControlFinding(
            f"run {run.id}", f"{run.action}, begun {run.begun:%Y-%m-%d %H:%M} UTC, is not finished", "resume it"
        )
        for run in late
    ]
    summary = (
        f"{counted(finished, 'run')} finished within {_RUNS_COUNT.days} days; {counted(len(begun), 'run')} under way, "
    )
    summary += f"{len(late)} of them for longer than {_MINUTES_MAX} minutes."
    return ControlResult.of(
        summary,
        evidence=Evidence(
            looked, looked, population=finished + len(begun), tested=finished + len(begun), period=period
        ),
        findings=findings,
        figures={"finished": finished, "under_way": len(begun), "left_half_done": len(late)},
    )


@answers("core.restores")
def restores(log: Log, now: dt.datetime) -> ControlResult:
    """The last recorded drill: its date, and whether the keys of erased people stayed closed and all others opened. A
    drill without keys of erased people shows nothing about them; neither does the first quarter of a ledger."""
    since = now - dt.timedelta(days=DRILL_DAYS)
    last, looked = _last(log, "backup.drilled", since=since), frozenset({"backups"})
    if last is None:
        finding = ControlFinding(
            "backups", f"none was tested within {DRILL_DAYS} days", "troth keys drill --backup FILE"
        )
        summary = f"No backup was tested within {DRILL_DAYS} days."
        if not log.size or log.entry(0).at > since:
            soon = f"{summary} The first test is due within {DRILL_DAYS} days of the ledger's first entry."
            return ControlResult(CheckOutcome.NOT_APPLICABLE, soon, Evidence(looked, looked, period=(since, now)))
        return ControlResult.of(summary, evidence=Evidence(looked, looked, period=(since, now)), findings=[finding])
    counts = {name: int(str(last.fields[name])) for name in ("tried", "erased", "erased_opened", "lost")}
    faults = {
        "erased_opened": ("for people who had been erased", "destroy the keys of older epochs: troth keep"),
        "lost": ("for nobody, although their people were not erased", "restore the newest copy of keys.toml"),
    }
    findings = [
        ControlFinding("backups", f"{counted(counts[name], 'key')} opened {told}", fix)
        for name, (told, fix) in faults.items()
        if counts[name]
    ]
    days = (now - last.at).days
    tried = counts["tried"]
    evidence = Evidence(looked, looked, population=tried, tested=tried, period=(since, now))
    figures = {"days": days, **counts}
    if not counts["tried"]:
        summary = f"Tried {counted(days, 'day')} ago: that backup contained no subject keys, so it shows nothing."
        return ControlResult(CheckOutcome.ERROR, summary, evidence, figures)
    summary = f"Tried {counted(days, 'day')} ago: {counted(counts['tried'], 'key')} of subjects, {counts['erased']} of "
    summary += f"them of the erased; {counts['erased_opened']} of these opened, and {counts['lost']} others were lost."
    if not counts["erased"] and not findings:
        summary += " Nobody in it was erased since, so it shows nothing about erasure: test an older backup."
        return ControlResult(CheckOutcome.NOT_APPLICABLE, summary, evidence, figures)
    return ControlResult.of(summary, evidence=evidence, figures=figures, findings=findings)


def _last(log: Log, kind: str, *, since: dt.datetime) -> Entry | None:
    """Last entry of *kind*, searched backwards to the day of *since*."""
    mark, stop = b'"kind":"%s"' % kind.encode(), log.size
    while stop:
        start = (stop - 1) // TILE_WIDTH * TILE_WIDTH
        stored = list(log.stored(start, stop))
        for leaf in range(stop - 1, start - 1, -1):
            if mark in stored[leaf - start]:
                entry = log.entry(leaf)
                return entry if entry.at >= since else None
        if _day(stored[0]) < since.date().isoformat():
            return None
        stop = start
    return None


def _day(stored: bytes) -> str:
    return stored.partition(b'"at":"')[2][:10].decode()
