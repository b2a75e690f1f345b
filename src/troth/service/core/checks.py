"""Checks as rows: stored when made, and read back as the values that determine statuses."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Max

from troth.controls import Check, CheckOutcome, ControlFinding, Evidence, Portion
from troth.service.core.commitment import entry_of
from troth.service.core.ledger import record
from troth.service.core.models import CheckRow, Retraction

_SALT_BYTES = 32
_SOUND = frozenset({CheckRow.Outcome.PASS.value, CheckRow.Outcome.NOT_APPLICABLE.value})
_FAILURES_MAX = 20
"""Consecutive failures to read back; more than any control needs before its promise is broken."""
_AT_ONCE = 100
"""Controls per statement: SQLite joins at most 500 parts."""
_Item = TypeVar("_Item")
_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def keep(check: Check) -> CheckRow:
    """Store the check as evidence and record it with all that it saw, in the open transaction."""
    row = CheckRow(
        control=check.control,
        control_version=check.control_version,
        outcome=check.outcome.value,
        summary=check.summary,
        at=check.at,
        valid_until=check.valid_until,
        declaration_hash=check.declaration_hash,
        evidence=_evidence_json(check.evidence),
        figures=dict(check.figures),
        findings=[{"place": f.place, "message": f.message, "fix": f.fix} for f in check.findings],
        collector=check.collector,
        salt=os.urandom(_SALT_BYTES),
    )
    with transaction.atomic():
        (row.entry,) = record(entry_of(row))
        row.save(force_insert=True)
    return row


def latest(control: str, *, retracted: bool = False) -> Check | None:
    """Latest check of *control* that was not retracted; with *retracted*, of all, as in the ledger."""
    rows = CheckRow.objects.filter(control=control)
    row = (rows if retracted else rows.filter(retraction=None)).order_by("-at", "-id").first()
    return None if row is None else value(row)


def history(controls: Iterable[str]) -> dict[str, list[Check]]:
    """Checks that determine each control's status, without retracted ones: its latest check, the last that passed, and
    the failures since. A control with a retraction since its last pass must pass again: nobody knows whether that pass
    was right.

    A few statements per hundred controls, however many checks there are: each outcome of each control is one index
    lookup.
    """
    found = deciding(controls)
    retracted = dict(Retraction.objects.filter(control__in=found).values_list("control").annotate(Max("at")))
    return {
        control: [value(row) for row in rows if row.outcome not in _SOUND or row.at > retracted.get(control, _EVER)]
        for control, rows in found.items()
    }


def deciding(controls: Iterable[str]) -> dict[str, list[CheckRow]]:
    """Rows that `history` reads."""
    found: dict[str, list[CheckRow]] = {control: [] for control in controls}
    for row in _latest_of_each_outcome(list(found)):
        found[row.control].append(row)
    for row in _failures([_since(control, rows) for control, rows in found.items() if _has_failed(rows)]):
        found[row.control].append(row)
    return {control: _deciding(rows) for control, rows in found.items()}


_Row = tuple[dt.datetime, int]


def _key(row: CheckRow) -> _Row:
    return row.at, row.pk


def _sound(rows: Sequence[CheckRow]) -> CheckRow | None:
    return max((row for row in rows if row.outcome in _SOUND), key=_key, default=None)


def _has_failed(rows: Sequence[CheckRow]) -> bool:
    """True if a failure is as recent as the last sound check."""
    sound = _sound(rows)
    return any(row.outcome == CheckRow.Outcome.FAIL and (sound is None or row.at >= sound.at) for row in rows)


def _since(control: str, rows: Sequence[CheckRow]) -> tuple[str, dt.datetime]:
    sound = _sound(rows)
    return control, sound.at if sound is not None else _EVER


def _deciding(rows: Sequence[CheckRow]) -> list[CheckRow]:
    newest, sound = max(rows, key=_key, default=None), _sound(rows)
    failures = [row for row in rows if row.outcome == CheckRow.Outcome.FAIL and (not sound or row.at >= sound.at)]
    kept = {row.pk: row for row in (newest, sound, *failures) if row is not None}
    return [row for _, row in sorted(kept.items())]


_LATEST = """
WITH wanted (control) AS (VALUES {controls}), outcomes (outcome) AS (VALUES {outcomes})
SELECT (SELECT c.id FROM core_check c WHERE c.control = wanted.control AND c.outcome = outcomes.outcome
        AND c.retraction_id IS NULL
        ORDER BY c.at DESC, c.id DESC LIMIT 1)
FROM wanted CROSS JOIN outcomes
"""


def _latest_of_each_outcome(controls: Sequence[str]) -> Iterator[CheckRow]:
    outcomes = list(CheckRow.Outcome.values)
    for some in _batched(controls, _AT_ONCE):
        marks = {"controls": ", ".join(["(%s)"] * len(some)), "outcomes": ", ".join(["(%s)"] * len(outcomes))}
        yield from _rows(_LATEST.format(**marks), [*some, *outcomes])


_FAILURES = """
SELECT id FROM (SELECT id FROM core_check WHERE control = %s AND outcome = %s AND at >= %s
                AND retraction_id IS NULL
                ORDER BY at DESC, id DESC LIMIT %s) AS failures
"""


def _failures(since: Sequence[tuple[str, dt.datetime]]) -> Iterator[CheckRow]:
    for some in _batched(since, _AT_ONCE):
        adapted = [connection.ops.adapt_datetimefield_value(at) for _, at in some]
        values = [
            value
            for (control, _), at in zip(some, adapted, strict=True)
            for value in (control, CheckRow.Outcome.FAIL.value, at, _FAILURES_MAX)
        ]
        yield from _rows(" UNION ALL ".join([_FAILURES] * len(some)), values)


def _batched(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _rows(select: str, values: Sequence[int | str | dt.datetime | None]) -> Iterator[CheckRow]:
    """Checks whose ids *select* returns."""
    with connection.cursor() as cursor:
        cursor.execute(select, values)
        ids = [id_ for (id_,) in cursor.fetchall() if id_ is not None]
    return CheckRow.objects.filter(pk__in=ids).iterator()


def value(row: CheckRow) -> Check:
    """*row* as a `Check`."""
    return Check(
        control=row.control,
        control_version=row.control_version,
        outcome=CheckOutcome(row.outcome),
        summary=row.summary,
        at=row.at,
        valid_until=row.valid_until,
        declaration_hash=row.declaration_hash,
        evidence=_evidence(row.evidence),
        figures=row.figures,
        findings=tuple(ControlFinding(**finding) for finding in row.findings),
        collector=row.collector,
    )


def _evidence_json(evidence: Evidence) -> dict[str, object]:
    return {
        "in_scope": sorted(evidence.in_scope),
        "observed": sorted(evidence.observed),
        "population": evidence.population,
        "tested": evidence.tested,
        "excluded": evidence.excluded,
        "period": [moment.isoformat() for moment in evidence.period] if evidence.period else None,
        "query": evidence.query,
        "places": sorted(evidence.places),
        **({"portions": [asdict(it) for it in evidence.portions]} if evidence.portions else {}),
    }


def _evidence(stored: dict[str, Any]) -> Evidence:
    period = stored["period"]
    return Evidence(
        in_scope=frozenset(stored["in_scope"]),
        observed=frozenset(stored["observed"]),
        population=stored["population"],
        tested=stored["tested"],
        excluded=stored["excluded"],
        period=(dt.datetime.fromisoformat(period[0]), dt.datetime.fromisoformat(period[1])) if period else None,
        query=stored["query"],
        places=frozenset(stored.get("places", ())),  # older checks have none
        portions=tuple(Portion(**it) for it in stored.get("portions", ())),
    )
