"""Control that data collected under an older version of the policy is handled as that version promised (clause C55).

A table with a ``notice`` column records the version under which each row was collected. The control checks that every
version named was published, that people were told before a weaker version took effect, and that rows are kept no longer
than their version promised. Rows that are older than the version they name leave the question open, because their mark
was written later; and without a row of an earlier version there is nothing to check.

If a version denied without exception that data is shared, sold, sent abroad, used for marketing or training, and a
later one withdrew that, today's declaration shows whether the older rows are excluded. Other promises cannot be
checked: clauses that were withdrawn are listed for the reader of the check.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration, Period, Retention, Table
from troth.policy import PolicyError
from troth.policy.versions import ClauseChange, Issue, VersionChange, chain, denied_by, steps
from troth.stores import AllOf, AnyOf, Before, ColumnKind, Match, Noted, Scalar, Store, StoreError, noting
from troth.subjects.policy_denials import Breach, breaches
from troth.text import counted

ROWS_READ_MAX = 100_000
"""Maximum number of rows past the period of a version that are read."""
_NAMED_MAX = 10
"""Maximum number of clauses listed in the summary."""


@dataclass(frozen=True, slots=True)
class _Told:
    """The policy versions: all published ones, changes to weaker ones without timely notice, and withdrawn denials."""

    issues: Sequence[Issue]
    untold: Sequence[VersionChange]
    denials: Sequence[_Denial]


@dataclass(frozen=True, slots=True)
class _Denial:
    """A denying sentence of version *said_by*, which a later version withdrew. It applies to rows under any of
    *versions*."""

    said_by: str
    id: str
    line: int
    denied: frozenset[str]
    versions: frozenset[str]

    @property
    def place(self) -> tuple[str, str]:
        return self.said_by, self.id


@dataclass(slots=True)
class _Seen:
    """Results from the tables: rows by version, and findings."""

    by_version: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    findings: list[ControlFinding] = field(default_factory=list)
    systems: set[str] = field(default_factory=set)
    why_not: dict[str, str] = field(default_factory=dict)
    remarked: int = 0
    """Number of rows that are older than the version that they name."""
    open: set[tuple[str, str]] = field(default_factory=set)
    """Denials for which it is uncertain whether they are kept."""


@answers("collection.version_honoured")
def version_honoured(declaration: Declaration, stores: Mapping[str, Store], now: dt.datetime) -> ControlResult:
    """Check that every row names a published version, and is handled as that version promised."""
    today = now.astimezone(dt.UTC).date()
    places = list(_places(declaration))
    if not places:
        nothing = frozenset({"declaration"})
        return ControlResult(
            CheckOutcome.NOT_APPLICABLE, "No table declares the policy version of its rows.", Evidence(nothing, nothing)
        )
    try:
        issues = chain(declaration)
    except PolicyError as error:
        return ControlResult(CheckOutcome.ERROR, f"A version of the policy cannot be read: {error}")
    taken = [step for step in steps(issues) if step.new.effective <= today]
    told = _Told(issues, [step for step in taken if step.refused], list(_denials(issues, taken)))
    seen, asked = _Seen(), Noted()
    with noting(asked):
        for system, name, table in places:
            _look(seen, declaration, stores.get(system), (system, name, table), told, today)
    decided = {denial.place for denial in told.denials} - seen.open
    answer = _answer(seen, {system for system, _, _ in places}, asked, _lost(seen.by_version, taken), decided)
    is_of_now = not any(count for name, count in seen.by_version.items() if taken and name < taken[-1].new.name)
    if answer.findings or seen.why_not or not (is_of_now or seen.remarked):
        return answer
    return replace(answer, outcome=CheckOutcome.NOT_APPLICABLE)


def _places(declaration: Declaration) -> Iterator[tuple[str, str, Table]]:
    for system_name, system in declaration.systems.items():
        for name, table in system.tables.items():
            if table.notice:
                yield system_name, name, table


def _look(
    seen: _Seen,
    declaration: Declaration,
    store: Store | None,
    place: tuple[str, str, Table],
    denials: _Told,
    today: dt.date,
) -> None:
    """Check one table and record findings. A store that does not answer counts as not observed."""
    system, name, table = place
    where = f"{system}.{name}"
    if store is None:
        seen.why_not[system] = "no store is given"
        return
    try:
        rows, found = store.count(name, None), _by_version(store, name, table, denials.issues)
        rules = [(key, rule) for key, rule in declaration.retention.items() if rule.table == where]
        late = list(_kept_too_long(store, name, table, rules, denials.issues, today))
        denied = list(_denied(store, name, table, declaration, denials))
        seen.remarked += _remarked(store, name, table, {rule.from_ for _, rule in rules}, denials.issues)
    except StoreError as error:
        seen.why_not[system] = str(error)
        seen.open |= {denial.place for denial in denials.denials}
        return
    seen.systems.add(system)
    seen.rows += rows
    for version, count in found.items():
        seen.by_version[version] = seen.by_version.get(version, 0) + count
    if astray := rows - sum(found.values()):
        seen.findings.append(
            ControlFinding(where, f"{counted(astray, 'row')} under a version that was never published", _ASTRAY)
        )
    seen.findings += [ControlFinding(where, message, _UNTOLD) for message in _untold(found, denials.untold)]
    seen.findings += [ControlFinding(where, message, _LATE) for message in late]
    for denial, breach, count in denied:
        if not breach.is_certain:
            seen.open.add(denial.place)
            continue
        message = f"{counted(count, 'row')} to whom line {denial.line} of {denial.said_by} denied it: {breach.says}"
        seen.findings.append(ControlFinding(where, message, _DENIED))


_ASTRAY = "list the version under 'policy.versions', or find out which policy those people were shown"
_UNTOLD = "inform them and record it under 'announce', or postpone the weaker version"
_LATE = "dispose of them as promised by their version"
_DENIED = "exclude these rows and declare the column for that under 'marks', or ask these people first"


def _by_version(store: Store, name: str, table: Table, issues: Sequence[Issue]) -> dict[str, int]:
    """Number of rows per version."""
    return {issue.name: store.count(name, _under(store, name, table, issue)) for issue in issues}


def _under(store: Store, name: str, table: Table, issue: Issue) -> AnyOf:
    """Condition that selects the rows of a version."""
    assert table.notice is not None, "only tables that declare a version are asked"
    schema = store.describe().tables.get(name)
    column = schema.column(table.notice) if schema else None
    as_date = column is not None and column.kind is ColumnKind.DATE
    value: Scalar = issue.effective if as_date else issue.name
    return AnyOf((Match((table.notice,), ((value,),)),))


def _denials(issues: Sequence[Issue], taken: Iterable[VersionChange]) -> Iterator[_Denial]:
    """Denials that a later version withdrew, even if the sentence was merged with others."""
    said = {issue.name: denied_by(issue.text) for issue in issues}
    for step in taken:
        lost = (change.old for change in step.comparison.weaker if change.old and not change.is_only_longer)
        for old in (sentence for clause in lost for sentence in clause.sentences):
            if denied := said[step.old.name].get(old.id):
                versions = (issue.name for issue in issues if old.id in said[issue.name])
                earlier = frozenset(name for name in versions if name <= step.old.name)
                yield _Denial(step.old.name, old.id, old.line, denied, earlier)


def _denied(
    store: Store, name: str, table: Table, declaration: Declaration, denials: _Told
) -> Iterator[tuple[_Denial, Breach, int]]:
    """Declared uses of this table's data that were denied to people with rows in it, with the number of rows that no
    mark excludes."""
    for denial in denials.denials:
        issues = [issue for issue in denials.issues if issue.name in denial.versions]
        for breach in breaches(declaration, denial.denied, table):
            count = sum(_concerned(store, name, table, issue, breach) for issue in issues)
            if count:
                yield denial, breach, count


def _concerned(store: Store, name: str, table: Table, issue: Issue, breach: Breach) -> int:
    """Number of rows of a version that no mark excludes from the use."""
    under = _under(store, name, table, issue).matches[0]
    kept = []
    for names in breach.unless:
        marks = [table.marks[each] for each in sorted(names) if each in table.marks]
        if len(marks) == len(names) and all(mark.value != "now" for mark in marks):
            columns = tuple(mark.column for mark in marks)
            kept.append(Match(under.columns + columns, ((*under.values[0], *(mark.value for mark in marks)),)))
    total = store.count(name, AnyOf((under,)))
    return total - (store.count(name, AnyOf(tuple(kept))) if total and kept else 0)


def _untold(counts: Mapping[str, int], weakened: Iterable[VersionChange]) -> Iterator[str]:
    """Rows older than a weaker version that took effect although people were not told in time."""
    for step in weakened:
        before = sum(count for name, count in counts.items() if name < step.new.name)
        if before:
            yield f"{counted(before, 'row')} of before the version of {step.new.name}: {step.refused}"


def _kept_too_long(
    store: Store,
    name: str,
    table: Table,
    rules: Iterable[tuple[str, Retention]],
    issues: Iterable[Issue],
    today: dt.date,
) -> Iterator[str]:
    """Rows past the period that the version they were collected under declares in ``keeps``. Rows past today's rule are
    reported by the retention control."""
    for key, rule in rules:
        for issue in issues:
            period = (issue.keeps or {}).get(key)
            if period is not None and (late := _late(store, name, table, rule, issue, period, today)):
                yield f"{counted(late, 'row')} of the version of {issue.name} past the {period} that it promised"


def _remarked(store: Store, name: str, table: Table, dates: Set[str], issues: Sequence[Issue]) -> int:
    """Rows dated before the version that they name took effect. A day more is allowed for time zones."""
    counts = Counter[str]()
    for issue in issues[1:]:
        begun = dt.datetime.combine(issue.effective - dt.timedelta(days=1), dt.time(), dt.UTC)
        for date in dates:
            counts[date] += store.count(name, AllOf((_under(store, name, table, issue), Before(date, begun))))
    return max(counts.values(), default=0)


def _late(store: Store, name: str, table: Table, rule: Retention, issue: Issue, period: Period, today: dt.date) -> int:
    end = dt.datetime.combine(period.before(today), dt.time(), dt.UTC)
    past = Before(rule.from_, end)
    if not store.count(name, past):
        return 0
    assert table.notice is not None, "only tables that declare a version are asked"
    rows = store.read(name, [table.notice], past, limit=ROWS_READ_MAX + 1)
    if len(rows) > ROWS_READ_MAX:
        message = f"{name} has more than {ROWS_READ_MAX:,} rows past an older period; dispose of some first"
        raise StoreError(message, store=store.name)
    return sum(_names(value, issue) for (value,) in rows)


def _names(value: Scalar, issue: Issue) -> bool:
    if isinstance(value, dt.datetime):
        value = value.date()
    return value == issue.effective if isinstance(value, dt.date) else value == issue.name


def _lost(by_version: Mapping[str, int], taken: Iterable[VersionChange]) -> list[tuple[str, ClauseChange]]:
    """Clauses that a later version weakened, with the version that contained them, if older rows still exist. If a
    clause only got a longer period and the version declares ``keeps``, that decides it, and the clause is left out."""
    return [
        (step.old.name, change)
        for step in taken
        if any(count for name, count in by_version.items() if name < step.new.name)
        for change in step.comparison.weaker
        if change.old is not None and not (change.is_only_longer and step.old.keeps)
    ]


def _answer(
    seen: _Seen, scope: set[str], asked: Noted, lost: Iterable[tuple[str, ClauseChange]], decided: set[tuple[str, str]]
) -> ControlResult:
    clauses = [(name, change.old) for name, change in lost if change.old]
    undecided = [
        (name, clause.line)
        for name, clause in clauses
        if not decided.issuperset((name, sentence.id) for sentence in clause.sentences)
    ]
    notes = "".join(f" {name} was not observed: {why}." for name, why in sorted(seen.why_not.items()))
    if undecided:
        lines = ", ".join(f"line {line} of {name}" for name, line in undecided[:_NAMED_MAX])
        notes += f" {counted(len(undecided), 'clause')} promised more and cannot be decided here: {lines}."
    if seen.remarked:
        notes += f" {counted(seen.remarked, 'row')} older than the version named there: the mark was written later."
    versions = {name: count for name, count in sorted(seen.by_version.items()) if count}
    told = ", ".join(f"{count:,} under {name}" for name, count in versions.items()) or "none under any version"
    evidence = Evidence(
        frozenset(scope),
        frozenset(seen.systems - seen.why_not.keys()),
        population=seen.rows,
        tested=seen.rows,
        query=asked.hash,
    )
    return ControlResult.of(
        f"{counted(seen.rows, 'row')} that name a version: {told}.{notes}",
        evidence=evidence,
        figures={
            "rows": seen.rows,
            "denials decided": len(clauses) - len(undecided),
            "clauses not decided": len(undecided),
            "older than their version": seen.remarked,
            **{f"under {name}": count for name, count in versions.items()},
        },
        findings=seen.findings,
    )
