"""The detection control: whether samples of stored data contain personal data that is not declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration, FieldUse, System, Table, covers
from troth.detect.entities import entities
from troth.detect.finding import Unscanned
from troth.detect.schema.columns import ColumnFinding, classify, seen_in_values
from troth.stores import Noted, Scalar, Store, StoreError, TableKind, TableSchema, noting
from troth.text import counted

SAMPLED_ROWS: Final = 300
_GRAVE: Final = frozenset({"pci", "gov_id", "secret"})
"""Groups of entity types that are harmful if stored without anyone knowing."""


@answers("detect.no_undeclared_personal_data")
def no_undeclared_personal_data(declaration: Declaration, stores: Mapping[str, Store]) -> ControlResult:
    """GDPR Art. 5(1)(c), 30(1)(c): samples of all tables contain only categories that the declaration names.

    An undeclared column is judged by its name and its values; one that was reviewed and ignored, by its values alone; a
    declared one, by values of a category that its own does not cover, unless it is free text or sealed. Card, account
    and identity-document numbers, and secrets, must be declared precisely: a broader category does not cover them.
    Published columns and external systems are left out.
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
    columns, asked = 0, Noted()
    for name, system in sorted(systems.items()):
        try:
            with noting(asked):
                found, size = _scanned(name, system, stores[name])
        except KeyError:
            why_not[name] = "no store was given"
        except (StoreError, Unscanned) as error:
            why_not[name] = str(error)
        else:
            seen.add(name)
            findings += found
            columns += size
    notes = "".join(f" {name} was not observed: {why}." for name, why in why_not.items())
    evidence = Evidence(frozenset(systems), frozenset(seen), population=columns, tested=columns, query=asked.hash)
    if not columns and not why_not:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No system has a column yet.", evidence)
    return ControlResult.of(
        f"{counted(columns, 'column')} of {counted(len(seen), 'system')} sampled, "
        f"{counted(len(findings), 'undeclared kind')} of personal data.{notes}",
        evidence=evidence,
        figures={"columns": columns, "undeclared": len(findings), "rows a table": SAMPLED_ROWS},
        findings=findings,
    )


def _scanned(name: str, system: System, store: Store) -> tuple[list[ControlFinding], int]:
    """What a system holds beyond its declaration, and the number of columns sampled."""
    findings: list[ControlFinding] = []
    columns = 0
    for table, schema in store.describe().tables.items():
        names = [column.name for column in schema.columns if column.native != "locator"]
        if schema.kind is TableKind.VIEW or not names:
            continue
        rows = store.sample(table, names, rows=SAMPLED_ROWS)
        samples: dict[str, list[Scalar]] = {column: [row[at] for row in rows] for at, column in enumerate(names)}
        columns += len(names)
        declared = system.tables.get(table, Table())
        findings += [
            ControlFinding(
                f"{name}.{table}.{it.column}",
                f"it seems to hold {it.category}, which is not declared: {'; '.join(it.reasons)}",
                "declare the category, mark the column as free text, or clean it",
            )
            for it in _beyond(declared, schema, samples)
        ]
    return findings, columns


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
        for found in seen_in_values(column, samples.get(column.name, ())):
            if use is None or not _is_declared(use, found):
                yield found


def _is_declared(use: FieldUse, finding: ColumnFinding) -> bool:
    """True if the declared category of the column covers the finding."""
    if covers(finding.category, use.category):
        return True
    return covers(use.category, finding.category) and (use.token is not None or not _is_grave(finding))


def _is_grave(finding: ColumnFinding) -> bool:
    kind = entities().get(finding.entity)
    return kind is not None and kind.group in _GRAVE
