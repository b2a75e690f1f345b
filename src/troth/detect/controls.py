"""The detection control: whether samples of stored data contain personal data that is not declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration, FieldUse, System, Table, covers
from troth.detect.entities import entities
from troth.detect.finding import Unscanned
from troth.detect.schema.columns import ColumnFinding, classify, seen_in_values
from troth.detect.schema.grave import GRAVE, grave_in_text
from troth.stores import Noted, Scalar, Store, StoreError, TableKind, TableSchema, noting, rows_in
from troth.text import counted

_SIGNING_IN: Final = "user.authorization"
"""Above the categories of what people sign in with, which are secrets by their nature."""
_SECRETS_MIN: Final = 3
"""One in sixty tokens drawn by lot looks like a key with a prefix; in a column of so many values, most have to."""
SAMPLED_ROWS: Final = 500
"""Smaller tables are read as a whole."""


@answers("detect.no_undeclared_personal_data")
def no_undeclared_personal_data(declaration: Declaration, stores: Mapping[str, Store]) -> ControlResult:
    """GDPR Art. 5(1)(c), 30(1)(c): samples of all tables contain only categories that the declaration names.

    An undeclared column is judged by its name and its values; one that was reviewed and ignored, by its values alone; a
    declared one, by values of a category that its own does not cover, unless it is sealed. Card, account and
    identity-document numbers, and secrets, must be declared precisely: a broader category does not cover them. Free
    text may hold anything else; what it is known to hold of these, its ``may_hold`` names. Published columns and
    external systems are left out.
    """
    systems = {name: it for name, it in declaration.systems.items() if it.is_looked_into}
    if not systems:
        nothing = frozenset({"declaration"})
        return ControlResult(
            CheckOutcome.NOT_APPLICABLE, "No system is declared that Troth can read.", Evidence(nothing, nothing)
        )
    seen: set[str] = set()
    why_not: dict[str, str] = {}
    findings: list[ControlFinding] = []
    columns, sampled, rows, asked = 0, 0, 0, Noted()
    for name, system in sorted(systems.items()):
        try:
            with noting(asked):
                scan = _scanned(name, system, stores[name])
        except KeyError:
            why_not[name] = "no store was given"
        except (StoreError, Unscanned) as error:
            why_not[name] = str(error)
        else:
            seen.add(name)
            findings += scan.findings
            columns, sampled, rows = columns + scan.columns, sampled + scan.sampled, rows + scan.rows
    notes = "".join(f" {name} was not observed: {why}." for name, why in why_not.items())
    left_out = len(declaration.systems) - len(systems)
    evidence = Evidence(frozenset(systems), frozenset(seen), rows, sampled, left_out, query=asked.hash)
    if not columns and not why_not:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No system has a column yet.", evidence)
    return ControlResult.of(
        f"{counted(columns, 'column')} of {counted(len(seen), 'system')} sampled in {sampled:,} of {rows:,} rows, "
        f"{counted(len(findings), 'undeclared kind')} of personal data.{notes}",
        evidence=evidence,
        figures={
            "columns": columns,
            "undeclared": len(findings),
            "rows a table": SAMPLED_ROWS,
            "rows": rows,
            "sampled": sampled,
        },
        findings=findings,
    )


@dataclass(slots=True)
class _Scan:
    """What a system holds beyond its declaration; the number of columns, of rows, and of rows *sampled*."""

    findings: list[ControlFinding] = field(default_factory=list)
    columns: int = 0
    sampled: int = 0
    rows: int = 0


def _scanned(name: str, system: System, store: Store) -> _Scan:
    scan = _Scan()
    for table, schema in store.describe().tables.items():
        names = [column.name for column in schema.columns if column.native != "locator"]
        if schema.kind is TableKind.VIEW or not names:
            continue
        rows = store.sample(table, names, rows=SAMPLED_ROWS)
        samples: dict[str, list[Scalar]] = {column: [row[at] for row in rows] for at, column in enumerate(names)}
        scan.columns += len(names)
        scan.sampled += len(rows)
        scan.rows += rows_in(store, table, at_least=len(rows))
        declared = system.tables.get(table, Table())
        scan.findings += [
            ControlFinding(
                f"{name}.{table}.{it.column}",
                f"it seems to hold {it.category}, which is not declared: {'; '.join(it.reasons)}",
                "declare the category, mark the column as free text, or clean it",
            )
            for it in _beyond(declared, schema, samples)
        ]
        scan.findings += [
            ControlFinding(
                f"{name}.{table}.{column}",
                f"{it.values} of {len(samples[column])} sampled texts hold {it.category}, which nothing declares",
                f"clean the text; if people write that there and the policy says so, add may_hold: [{it.category}]",
            )
            for column, use in declared.fields.items()
            if use.free_text and not use.sealed and column not in declared.published and column in samples
            for it in grave_in_text(samples[column])
            if not covers(it.category, use.category) and not any(_allows(one, it.category) for one in use.may_hold)
        ]
    return scan


def _allows(known: str, category: str) -> bool:
    """Whether naming *known* allows *category*: as the same, or as a part of it, but not by naming everything."""
    return covers(category, known) or (known != "user" and covers(known, category))


def _beyond(declared: Table, schema: TableSchema, samples: Mapping[str, Sequence[Scalar]]) -> Iterator[ColumnFinding]:
    """Findings that the declaration of a table does not cover."""
    links = {column for it in (*declared.belongs_to.values(), *declared.refers_to.values()) for column in it.columns}
    naming = {it.column for it in (*declared.identity.values(), *declared.mentions.values())}
    marks = {it.column for it in declared.marks.values()}
    marks |= {declared.notice} if declared.notice else set()
    looked_at = {*declared.ignore, *declared.fields, *(declared.key or ()), *naming, *links, *marks}
    for found in classify(schema, samples):
        if found.column not in looked_at and found.entity != "FREE_TEXT":
            yield found
    for column in schema.columns:
        use = declared.fields.get(column.name)
        passed_over = naming | links | {*declared.published}
        if column.name not in looked_at or column.name in passed_over or (use and (use.free_text or use.sealed)):
            continue
        values = samples.get(column.name, ())
        for found in seen_in_values(column, values):
            if found.entity == "SECRET" and sum(value is not None for value in values) < _SECRETS_MIN:
                continue
            if use is None or not _is_declared(use, found):
                yield found


def _is_declared(use: FieldUse, finding: ColumnFinding) -> bool:
    """True if the declared category of the column covers the finding."""
    if covers(finding.category, use.category):
        return True
    if covers(_SIGNING_IN, use.category) and _group(finding) == "secret":
        return True  # a hash of a password, or what stands there in place of one, looks like any other key
    return covers(use.category, finding.category) and (use.token is not None or _group(finding) not in GRAVE)


def _group(finding: ColumnFinding) -> str:
    kind = entities().get(finding.entity)
    return kind.group if kind is not None else ""
