"""Receipts of what a run did for each subject, and its ledger entries. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from troth.errors import TrothError
from troth.ledger import Entry, Hash, Pseudonym, Value
from troth.rows.resume_checks import HeldSince, RowsChanged
from troth.stores import StoreBusy, StoreConflict, StoreRefused, StoreUnreachable, UnknownName
from troth.subjects.operations import CompiledPlan, ReceiptLine


@dataclass(frozen=True, slots=True)
class Receipt:
    """Result for one subject: what was erased or amended, what was kept and why, and the residue (place → rows)."""

    subject: Pseudonym
    action: str
    plan_hash: str
    at: dt.datetime
    lines: tuple[ReceiptLine, ...]
    residue: Mapping[str, int]
    final_after: dt.date | None
    """Until when a backup of Troth's records could still decrypt data of the subject's key; None without a key."""
    entry: Entry

    @property
    def is_clean(self) -> bool:
        """True if the rescan found nothing except declared exceptions."""
        return not self.residue


def receipt(
    work: CompiledPlan, subject: int, residue: Mapping[str, int], at: dt.datetime, final_after: dt.date | None = None
) -> Receipt:
    """The receipt of the subject with that index; all its steps must be done."""
    lines = work.tallies[subject]
    return Receipt(
        subject=Pseudonym(work.subjects[subject]),
        action=work.action,
        plan_hash=work.plan_hash,
        at=at,
        lines=lines,
        residue=residue,
        final_after=final_after,
        entry=_entry(work, subject, lines, residue, at, final_after),
    )


def _entry(
    work: CompiledPlan,
    subject: int,
    lines: Sequence[ReceiptLine],
    residue: Mapping[str, int],
    at: dt.datetime,
    final_after: dt.date | None,
) -> Entry:
    changed = [line for line in lines if line.changes]
    touched = changed if work.action == "amend" else lines
    fields: dict[str, Value] = {
        "subject": Pseudonym(work.subjects[subject]),
        "plan": Hash(work.plan_hash),
        "rescan": "residue" if residue else "clean",
        "systems": len({line.place.partition(".")[0] for line in touched}),
        "tables": len({line.place for line in touched}),
    }
    values: Counter[str] = Counter()
    for line in changed:
        for strategy in line.strategies:
            values[strategy] += line.rows
    del values["keep"], values["delete"]
    if work.action == "amend":
        rows = sum(line.rows for line in changed)
        return Entry("subject.amended", at, {**fields, "rows": rows, "fields": values["amend"]})
    by_treatment: Counter[str] = Counter()
    for line in lines:
        by_treatment[min(line.strategies, key=_ONCE.index)] += line.rows
    untils = [line.until for line in lines if line.until is not None]
    fields |= {"rows": dict(by_treatment), "kept": by_treatment["keep"]}
    fields |= {"fields": dict(values)} if values else {}
    fields |= {"residue": sum(residue.values())} if residue else {}
    fields |= {"kept_until": max(untils)} if untils else {}
    fields |= {"final_after": final_after} if final_after else {}
    return Entry("subject.erased", at, fields)


_ONCE = ("delete", "keep", "mask", "pseudonymise", "null")
"""Precedence: an entry counts each row once, by the first of these that applies; a row of which something stays counts
as kept. Changes to its fields are counted under ``fields``."""

_WHY: Mapping[type[TrothError], str] = {
    StoreUnreachable: "unreachable",
    StoreRefused: "refused",
    StoreBusy: "busy",
    StoreConflict: "conflict",
    UnknownName: "unknown_name",
    RowsChanged: "changed",
    HeldSince: "held",
}


def failure(work: CompiledPlan, subject: int, done: Collection[str], cause: TrothError, at: dt.datetime) -> Entry:
    """Ledger entry for a subject whose run is closed before all its steps were done."""
    mine = work.steps_of(subject)
    fields: dict[str, Value] = {
        "subject": Pseudonym(work.subjects[subject]),
        "plan": Hash(work.plan_hash),
        "why": _WHY[type(cause)],
        "done": sum(step in done for step in mine),
        "left": sum(step not in done for step in mine),
    }
    return Entry("amendment.failed" if work.action == "amend" else "erasure.failed", at, fields)


def resumption(work: CompiledPlan, run: Pseudonym, done: Collection[str], at: dt.datetime) -> Entry:
    """Ledger entry for the resumption of an interrupted run."""
    fields: dict[str, Value] = {
        "run": run,
        "right": work.action,
        "plan": Hash(work.plan_hash),
        "done": len(done),
        "left": len(work.steps()) - len(done),
    }
    return Entry("run.resumed", at, fields)
