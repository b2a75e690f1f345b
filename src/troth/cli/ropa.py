"""``troth ropa``: prints the record of processing, derived from the declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from troth.cli import deployment as cli
from troth.text import counted


@click.command()
@cli.declaration_option
@click.option(
    "--role",
    type=click.Choice(["controller", "processor"]),
    default="controller",
    show_default=True,
    help="As controller (Art. 30(1)), or as processor for others (Art. 30(2)).",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["md", "html", "csv", "json"]),
    help="As text, a page, a table, or data.  [default: text]",
)
@cli.json_option
def ropa(declaration: Path, role: Any, kind: str | None, as_json: bool) -> None:
    """Print the record of processing required by GDPR Art. 30.

    Derived from the declaration only. Missing facts are marked in their place, with the key to declare them under; the
    command then exits with 1.

    \b
    Example:  troth ropa > record.md
              troth ropa --role processor --format html > record.html
    """
    if as_json and kind not in {None, "json"}:
        raise click.UsageError(f"--json and --format {kind} exclude each other; use one of them")
    from troth.declaration import load
    from troth.reports import as_csv, as_data, as_html, as_markdown, record_of

    record = record_of(load(declaration), role)
    if as_json or kind == "json":
        cli.print_json(as_data(record))
    else:
        write = {"html": as_html, "csv": as_csv}.get(kind or "md", as_markdown)
        text = write(record)
        click.echo(cli.printable(text) if write is as_markdown else text, nl=False)
    if record.missing:
        click.echo(f"troth: {counted(len(record.missing), 'thing')} missing from the record", err=True)
        raise click.exceptions.Exit(1)
