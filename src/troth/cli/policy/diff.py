"""``troth policy diff``: compares the promises of two versions of a policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.json_values import json_fields

if TYPE_CHECKING:
    from troth.policy.versions import ClauseChange, Comparison
    from troth.policy.versions.clauses import ComparedClause


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also show clauses that are the same.")
@cli.json_option
def diff(old: Path, new: Path, everything: bool, as_json: bool) -> None:
    """Show which promises of OLD are stronger, weaker, new or gone in NEW, clause by clause, and why.

    The new version is weaker if a promise is gone, if a use of data, a recipient or a purpose is new, if a period is
    longer, or if an earlier "always" is now a "may". Words are compared, not meaning: changes that are not clearly
    harmless are in doubt, and a person must read them. Only English is compared.

    Exits with 1 if the new version promises less, may promise less, or cannot be compared.

    \b
    Example:  troth policy diff policy-2025.md policy.md
              troth policy diff old.html new.html --json
    """
    from troth.policy import read_file
    from troth.policy.versions import Verdict, compare

    before, after = read_file(old), read_file(new)
    compared = compare(before, after)
    shown = [change for change in compared.changes if everything or change.verdict is not Verdict.SAME]
    is_told = compared.is_read or compared.verdict is Verdict.SAME
    if as_json:
        cli.print_json({"is_compared": is_told, "than": before.hash, "text": after.hash, **_facts(compared, shown)})
    else:
        for change in shown:
            click.echo(cli.printable("\n".join(_lines(change))))
        click.echo(
            f"{new}: {_summary(compared) if is_told else 'cannot be compared, because only English is supported'}"
        )
        if not compared.weaker and (compared.doubtful or not is_told):
            word = f"{{by: …, on: …, text: {after.hash}, than: {before.hash}}}"
            click.echo(f"If somebody has read it and it promises no less, add under 'policy': reviewed: {word}")
    cli.fail_if(compared.weaker or compared.doubtful or not is_told)


def _summary(compared: Comparison) -> str:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in compared.counts.items()) or "no clauses"
    doubts = f"; {len(compared.doubtful)} in doubt" if compared.doubtful else ""
    return f"{_verdict(compared).replace('_', ' ')} ({counts}{doubts})"


def _verdict(compared: Comparison) -> str:
    """Overall verdict on the new version: in doubt while changes must be read, unless it is weaker anyway."""
    return "in_doubt" if compared.doubtful and not compared.weaker else str(compared.verdict)


def _lines(change: ClauseChange) -> list[str]:
    reasons = "; ".join(change.reasons)
    verdict = f"{change.verdict}, in doubt" if change.in_doubt else str(change.verdict)
    lines = [f"{verdict}: {reasons}" if reasons else verdict]
    if change.old is not None:
        lines.append(f"  - {change.old.line:>4}  {change.old.text}")
    if change.new is not None:
        lines.append(f"  + {change.new.line:>4}  {change.new.text}")
    return lines


def _facts(compared: Comparison, shown: list[ClauseChange]) -> dict[str, Any]:
    return {
        "verdict": _verdict(compared),
        "in_doubt": len(compared.doubtful),
        "counts": {str(verdict): count for verdict, count in compared.counts.items()},
        "changes": [
            {
                "verdict": change.verdict,
                "weaker": change.is_weaker,
                **json_fields(change, "in_doubt", "reasons"),
                "old": _clause(change.old),
                "new": _clause(change.new),
            }
            for change in shown
        ],
    }


def _clause(clause: ComparedClause | None) -> dict[str, Any] | None:
    return None if clause is None else json_fields(clause, "id", "section", "line", "text")
