"""Formats views, plans and receipts: for terminals, and as JSON."""

from __future__ import annotations

import base64
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from troth.cli.deployment import printable
from troth.json_values import json_fields, json_value
from troth.text import counted

if TYPE_CHECKING:
    from troth.stores import Row
    from troth.subjects import AmendmentPlan, DeepFinding, ErasurePlan, Receipt, View, ViewTable

_NOBODY = "No row in the declared systems belongs to this person."

_WIDE = 100_000
"""A width at which no table is folded, to measure the natural width of a table."""

_out = Console(highlight=False, emoji=False)
_err = Console(stderr=True, highlight=False, emoji=False)


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """Context manager: a spinner with status messages on a terminal; silent elsewhere."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task(what)
        yield lambda news: bar.update(task, description=escape(printable(f"{what}: {news}")))


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[..., None]]:
    """Context manager: a bar of what is done of *total* on a terminal; silent elsewhere. It is called with what is done
    so far, and with the total if that is another one by now."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task, step, shown = bar.add_task(what, total=total), max(1, total // 1_000), 0

        def tell(done: int, of: int | None = None) -> None:
            nonlocal shown
            if done >= shown + step:
                bar.update(task, completed=done, total=of)
                shown = done

        yield tell


# --- views ---------------------------------------------------------------------------------------------------------


def show_view(view: View, *, erased: dt.date | None = None) -> None:
    """Print each place: as a table with categories in its header if it fits, else with one line per field."""
    for number, table in enumerate(view.tables):
        above = "\n" if number else ""
        _out.print(f"{above}[bold]{_name(table.place)}[/bold] · {counted(len(table.rows), 'row')}")
        grid = Table()
        for column, category in zip(table.columns, table.categories, strict=True):
            grid.add_column(_name(column) + (f"\n[dim]{_name(category)}[/dim]" if category else ""), overflow="fold")
        for row in table.rows:
            grid.add_row(*(_cell(value) for value in row))
        fits = Measurement.get(_out, _out.options.update(width=_WIDE), grid).maximum <= _out.width
        _out.print(grid if fits else _lines(table), soft_wrap=not fits)
        if table.withheld:
            withheld = counted(table.withheld, "value")
            about = "it is" if table.withheld == 1 else "they are"
            line = f"  {withheld} withheld: {about} about someone else (GDPR Art. 15(4))"
            _out.print(line, style="dim", soft_wrap=True)
    if not view.tables:
        _out.print(_NOBODY)
        if erased is not None:
            line = (
                f"They were erased on {erased}; the receipt of the erasure lists what had to be kept, and until when."
            )
            _out.print(line, soft_wrap=True)


def _lines(table: ViewTable) -> str:
    """Lines ``field (category): value`` for the first row, ``field: value`` for the others."""
    blocks: list[str] = []
    for row in table.rows:
        categories = table.categories if not blocks else [None] * len(table.columns)
        names = [
            f"  {_name(column)}" + (f" [dim]({_name(category)})[/dim]" if category else "")
            for column, category in zip(table.columns, categories, strict=True)
        ]
        values = [_cell(value).replace("\n", "\n    ") for value in row]
        blocks.append("\n".join(map(": ".join, zip(names, values, strict=True))))
    return "\n\n".join(blocks)


def view_json(view: View) -> dict[str, Any]:
    """The view as data: place → rows as mappings."""
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


def _words(text: str) -> str:
    """Escape declared or stored text for the terminal."""
    return escape(printable(text))


def _name(text: str) -> str:
    """The same, on one line."""
    return _words(text).replace("\n", " ")


def _cell(value: object) -> str:
    return "[dim]–[/dim]" if value is None else _words(str(_plain(value)))


def _shown(value: object) -> str:
    return "–" if value is None else str(_plain(value))


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return "base64:" + base64.b64encode(value).decode()
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


# --- free text -----------------------------------------------------------------------------------------------------


def show_scan(findings: Sequence[DeepFinding], columns: Sequence[str], rows: int) -> None:
    """Print where the people are mentioned, and how much was read."""
    lines = [f"{it.place}.{it.column}: {counted(it.rows, 'row')}" for it in findings]
    read = f"{counted(len(columns), 'column')} of free text, {counted(rows, 'row')} read, {len(findings)} with mentions"
    nothing = "No column is declared to hold free text, so nothing was read. Declare it with free_text: true."
    _out.print(escape(printable("\n".join([*lines, read if columns else nothing]))), soft_wrap=True)


def scan_json(findings: Sequence[DeepFinding], columns: Sequence[str], rows: int) -> dict[str, Any]:
    """The result of the scan as data."""
    return {
        "columns": list(columns),
        "rows_read": rows,
        "found": json_value(findings),
    }


# --- plans ---------------------------------------------------------------------------------------------------------


def show_plan(plan: ErasurePlan | AmendmentPlan, known: str) -> None:
    """Print the effects of a plan, what stays and why, and how to approve it."""
    from troth.subjects import AmendmentPlan

    amends = isinstance(plan, AmendmentPlan)
    grid = Table(title="What would change", title_justify="left", title_style="bold")
    for heading in ("place", "change", "before → after" if amends else "ground"):
        grid.add_column(heading, overflow="fold")
    grid.add_column("rows", justify="right")
    is_in_part = False
    for *words, rows, in_part in _changes(plan):
        counts = [f"{rows:,}"] * (rows > 0) + [f"({in_part:,})"] * (in_part > 0)
        grid.add_row(*map(_words, words), " ".join(counts))
        is_in_part |= in_part > 0
    _out.print(grid if grid.row_count else "Nothing would change." if any(plan.located.rows.values()) else _NOBODY)
    if plan.kept:
        stays = Table(title="What stays, and why", title_justify="left", title_style="bold")
        for heading in ("place", "fields", "reason", "until"):
            stays.add_column(heading, overflow="fold")
        stays.add_column("rows", justify="right")
        for place, fields, reason, cite, until, rows in _kept(plan):
            stays.add_row(*map(_words, (place, fields, f"{reason} ({cite})", until)), str(rows))
        _out.print(stays)
    if is_in_part:
        _out.print(
            "In brackets: rows that change only in part. They also count among the rows that stay.", soft_wrap=True
        )
    if grid.row_count and not plan.reviews:
        _out.print(f"\nTo carry out exactly this plan, repeat the command with:\n  --apply {known}", soft_wrap=True)


def _changes(plan: ErasurePlan | AmendmentPlan) -> Iterator[tuple[str, str, str, int, int]]:
    """Lines of place, change, ground or values; number of rows changed as a whole, and number of rows of which the rest
    stays. The latter are also counted as kept."""
    from troth.subjects import AmendmentPlan

    return _amended(plan) if isinstance(plan, AmendmentPlan) else _erased(plan)


def _amended(plan: AmendmentPlan) -> Iterator[tuple[str, str, str, int, int]]:
    """Group equal changes of equal values; each row counts once."""
    from troth.subjects import treatments

    stay = {(place, key) for place, key, how in treatments(plan) if how.stays is not None}
    lines: dict[tuple[str, str, str], list[int]] = {}
    for rewrite in plan.rewrites:
        for (key, _), before, after in rewrite.rows:
            values = ", ".join(f"{_shown(old)} → {_shown(new)}" for old, new in zip(before, after, strict=True))
            counts = lines.setdefault((rewrite.place, f"amend {', '.join(rewrite.columns)}", values), [0, 0])
            counts[(rewrite.place, key) in stay] += 1
    return ((*line, rows, in_part) for line, (rows, in_part) in lines.items())


def _erased(plan: ErasurePlan) -> Iterator[tuple[str, str, str, int, int]]:
    """Group equal changes; each row counts once. A reference cleared in a row that is also written to is listed with
    that write."""
    from troth.subjects import ground, treatments

    grounds: dict[tuple[str, Row], str] = {}
    for change in plan.changes:  # cleared references come first, so that later grounds override theirs
        why = ground(plan, change)
        grounds.update({(change.place, key): why for key, _ in change.targets})
    lines: dict[tuple[str, str, str], list[int]] = {}
    for place, key, how in treatments(plan):
        if words := how.change_words():
            lines.setdefault((place, words, grounds[place, key]), [0, 0])[how.stays is not None] += 1
    return ((*line, rows, in_part) for line, (rows, in_part) in lines.items())


def _kept(plan: ErasurePlan | AmendmentPlan) -> Iterator[tuple[str, str, str, str, str, int]]:
    """Group rows that stay for the same reason, with the earliest and latest end of their periods; each row counts
    once."""
    from troth.subjects import treatments

    rows: Counter[tuple[str, str, str, str]] = Counter()
    ends: dict[tuple[str, str, str, str], set[str]] = {}
    for place, _, how in treatments(plan):
        if how.stays is None:
            continue
        line = (place, ", ".join(how.stays.fields) or "the row", how.stays.because, how.stays.cite)
        rows[line] += 1
        if how.stays.until is not None:
            ends.setdefault(line, set()).add(how.stays.until.isoformat())
    for line, count in rows.items():
        days = sorted(ends.get(line, ()))
        yield *line, " … ".join(dict.fromkeys([days[0], days[-1]])) if days else "", count


def plan_json(plan: ErasurePlan | AmendmentPlan, known: str) -> dict[str, Any]:
    """The plan as data, with the same content as `show_plan`."""
    from troth.subjects import AmendmentPlan

    keys = ("place", "change", "values" if isinstance(plan, AmendmentPlan) else "ground", "rows", "in_part")
    return {
        "plan": known,
        "declaration": plan.declaration_hash,
        "subjects": len(plan.located.identities),
        "changes": [dict(zip(keys, line, strict=True)) for line in _changes(plan)],
        "kept": [
            dict(zip(("place", "fields", "reason", "cite", "until", "rows"), line, strict=True)) for line in _kept(plan)
        ],
        "reviews": json_value(plan.reviews),
    }


# --- receipts ------------------------------------------------------------------------------------------------------


def show_receipts(receipts: Sequence[Receipt]) -> None:
    """Print receipts: a single one in full, several in one line each."""
    for receipt in receipts:
        left = sum(receipt.residue.values())
        found = "rescan clean" if receipt.is_clean else f"RESCAN FOUND {counted(left, 'ROW', 'ROWS')}"
        changed = counted(sum(line.rows for line in receipt.lines if not line.stays), "row")
        kept = sum(line.rows for line in receipt.lines if line.stays)
        in_part = sum(line.rows for line in receipt.lines if line.stays and line.changes)
        of_those = f" ({in_part:,} of them in part)" if in_part else ""
        _out.print(
            f"[bold]{receipt.action}[/bold] {receipt.subject}: {changed} changed, {kept:,} kept{of_those}, {found}",
            soft_wrap=True,
        )
        if len(receipts) == 1:
            for line in receipt.lines:
                until = f" until {line.until}" if line.until else ""
                cite = f" ({line.cite}{until})" if line.cite else ""
                _out.print(_words(f"  {line.place}: {line.words}, {counted(line.rows, 'row')}{cite}"), soft_wrap=True)
        if receipt.final_after is not None:
            day = f"from {receipt.final_after} on, no backup can decrypt the data sealed with it"
            _out.print(f"  their key is destroyed; {day}", soft_wrap=True)
        for place, rows in receipt.residue.items():
            _out.print(_words(f"  left in {place}: {counted(rows, 'row')}; plan again to see which"), style="red")


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """The receipt as data, with its ledger entry in the form that is hashed."""
    return {
        "subject": str(receipt.subject),
        "action": receipt.action,
        "plan": receipt.plan_hash,
        "at": receipt.at.isoformat(),
        "lines": [
            json_fields(line, "place", "rows", "strategies", "words", "cite", "until") | {"cite": line.cite or None}
            for line in receipt.lines
        ],
        "rescan": "clean" if receipt.is_clean else "residue",
        "residue": dict(receipt.residue),
        "final_after": json_value(receipt.final_after),
        "entry": receipt.entry.encoded.decode(),
    }
