"""How views, plans and receipts look: on a terminal for people, as JSON for machines."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from troth.cli.company import printable

if TYPE_CHECKING:
    from troth.subjects import AmendmentPlan, ErasurePlan, Receipt, Review, View

__all__ = [
    "plan_json",
    "progress",
    "receipt_json",
    "show_plan",
    "show_receipts",
    "show_view",
    "view_json",
]

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """A spinner with the steps that are done, on a terminal; silent elsewhere."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task(what)
        done = 0

        def step(name: str) -> None:
            nonlocal done
            done += 1
            bar.update(task, description=f"{what}: {done} steps done, last {name.partition('/')[2]}")

        yield step


# --- views ---------------------------------------------------------------------------------------------------------


def show_view(view: View) -> None:
    """One table for each place, the category under each column's name."""
    for table in view.tables:
        grid = Table(title=f"{table.place} · {len(table.rows)} rows", title_justify="left", title_style="bold")
        for column, category in zip(table.columns, table.categories, strict=True):
            grid.add_column(escape(column) + (f"\n[dim]{escape(category)}[/dim]" if category else ""), overflow="fold")
        for row in table.rows:
            grid.add_row(*(_cell(value) for value in row))
        _out.print(grid)
        if table.withheld:
            _out.print(
                f"  {table.withheld} values withheld: they are about someone else (GDPR Art. 15(4))", style="dim"
            )
    if not view.tables:
        _out.print("Nothing is held about this person in the declared systems.")


def view_json(view: View) -> dict[str, Any]:
    """The same as data: place → rows as mappings."""
    return {
        "declaration": view.declaration_hash,
        "tables": {
            table.place: {
                "categories": {c: k for c, k in zip(table.columns, table.categories, strict=True) if k},
                "rows": [dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows],
                "withheld": table.withheld,
            }
            for table in view.tables
        },
    }


def _cell(value: object) -> str:
    return "[dim]–[/dim]" if value is None else escape(printable(str(_plain(value))))


def _shown(value: object) -> str:
    return "–" if value is None else str(_plain(value))


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return "base64:" + base64.b64encode(value).decode()
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


# --- plans ---------------------------------------------------------------------------------------------------------


def show_plan(plan: ErasurePlan | AmendmentPlan, known: str) -> None:
    """What would happen, what stays and why, and how to say yes."""
    from troth.subjects import AmendmentPlan

    grid = Table(title="What would change", title_justify="left", title_style="bold")
    amends = isinstance(plan, AmendmentPlan)
    for heading in ("place", "change", "before → after") if amends else ("place", "change"):
        grid.add_column(heading, overflow="fold")
    grid.add_column("rows", justify="right")
    for line in _changes(plan):
        grid.add_row(*(escape(printable(text)) for text in line[:-1]), str(line[-1]))
    _out.print(grid if grid.row_count else "Nothing would change.")
    if plan.kept:
        stays = Table(title="What stays, and why", title_justify="left", title_style="bold")
        for heading in ("place", "fields", "reason", "citation", "until"):
            stays.add_column(heading, overflow="fold")
        stays.add_column("rows", justify="right")
        for kept in _kept(plan):
            stays.add_row(*map(escape, kept[:-1]), str(kept[-1]))
        _out.print(stays)
    if grid.row_count and not plan.reviews:
        _out.print(f"\nTo carry out exactly this plan, repeat the command with:\n  --apply {known}", soft_wrap=True)


def _changes(plan: ErasurePlan | AmendmentPlan) -> Iterator[tuple[Any, ...]]:
    from troth.subjects import AmendmentPlan

    if not isinstance(plan, AmendmentPlan):
        for change in plan.changes:
            yield change.place, change.words(), len(change.targets)
        return
    for rewrite in plan.rewrites:
        counted: Counter[tuple[str, str]] = Counter()
        for _, before, after in rewrite.rows:
            for column, old, new in zip(rewrite.columns, before, after, strict=True):
                counted[column, f"{_shown(old)} → {_shown(new)}"] += 1
        for (column, words), rows in counted.items():
            yield rewrite.place, f"amend {column}", words, rows


def _kept(plan: ErasurePlan | AmendmentPlan) -> Iterator[tuple[Any, ...]]:
    """Rows that stay for the same reason, in one line: the earliest and the latest end of their periods."""
    rows: Counter[tuple[str, str, str, str]] = Counter()
    ends: dict[tuple[str, str, str, str], list[str]] = {}
    for kept in plan.kept:
        line = (kept.place, ", ".join(kept.fields) or "the row", kept.reason, kept.cite)
        rows[line] += len(kept.targets)
        if kept.until is not None:
            ends.setdefault(line, []).append(kept.until.isoformat())
    for line, count in rows.items():
        days = sorted(set(ends.get(line, [])))
        yield *line, " … ".join(dict.fromkeys([days[0], days[-1]])) if days else "", count


def plan_json(plan: ErasurePlan | AmendmentPlan, known: str) -> dict[str, Any]:
    """The plan as data: what `show_plan` says."""
    keys = ("place", "change", "values", "rows")
    lines = [line if len(line) == 4 else (*line[:2], None, line[2]) for line in _changes(plan)]
    return {
        "plan": known,
        "declaration": plan.declaration_hash,
        "subjects": len(plan.located.identities),
        "changes": [{k: v for k, v in zip(keys, line, strict=True) if v is not None} for line in lines],
        "kept": [
            dict(zip(("place", "fields", "reason", "cite", "until", "rows"), line, strict=True)) for line in _kept(plan)
        ],
        "reviews": [_review_json(review) for review in plan.reviews],
    }


def _review_json(review: Review) -> dict[str, Any]:
    return {"place": review.place, "subject": review.subject, "message": review.message, "mend": review.mend}


# --- receipts ------------------------------------------------------------------------------------------------------


def show_receipts(receipts: Sequence[Receipt]) -> None:
    """What happened: one receipt in full, many in one line each."""
    for receipt in receipts:
        found = "rescan clean" if receipt.is_clean else f"RESCAN FOUND {sum(receipt.residue.values())} ROWS"
        changed = sum(line.rows for line in receipt.lines if line.strategies != ("keep",))
        kept = sum(line.rows for line in receipt.lines if line.strategies == ("keep",))
        _out.print(f"[bold]{receipt.action}[/bold] {receipt.subject}: {changed} rows changed, {kept} kept, {found}")
        if len(receipts) == 1:
            for line in receipt.lines:
                until = f" until {line.until}" if line.until else ""
                cite = f" ({line.cite}{until})" if line.cite else ""
                _out.print(escape(f"  {line.place}: {line.words}, {line.rows} rows{cite}"))
        for place, rows in receipt.residue.items():
            _out.print(escape(f"  left in {place}: {rows} rows; plan again to see which"), style="red")


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """The receipt as data, with its ledger entry as it is hashed."""
    return {
        "subject": str(receipt.subject),
        "action": receipt.action,
        "plan": receipt.plan_hash,
        "at": receipt.at.isoformat(),
        "lines": [
            {
                "place": line.place,
                "rows": line.rows,
                "strategies": list(line.strategies),
                "words": line.words,
                "cite": line.cite or None,
                "until": line.until.isoformat() if line.until else None,
            }
            for line in receipt.lines
        ],
        "rescan": "clean" if receipt.is_clean else "residue",
        "residue": dict(receipt.residue),
        "entry": receipt.entry.encoded.decode(),
    }
