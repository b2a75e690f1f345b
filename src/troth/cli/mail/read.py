"""``troth mail read``: shows what bounces and complaints say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from troth.cli import deployment as cli

if TYPE_CHECKING:
    from troth.service.mail.bounces import Outcome, Report


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=cli.EXISTING_FILE)
@cli.json_option
def read(files: tuple[Path, ...], as_json: bool) -> None:
    """Show what delivery reports, complaints and automatic replies say: whether an address is gone, takes mail later,
    or refused a message for a reason that lies with the sender.

    Each file is an e-mail as it arrived. A report about several recipients gives a line for each. What is unknown is
    empty, and an e-mail that reports nothing is "none". Needs no database, and changes nothing.

    \b
    Example:  troth mail read bounce.eml
              troth mail read *.eml --json
    """
    from troth.service.mail.bounces import Outcome, ReportKind, read_report

    rows: list[dict[str, str]] = []
    for file in files:
        try:
            report = read_report(file.read_bytes())
        except OSError as error:
            raise click.UsageError(f"{file} cannot be read: {error.strerror}") from None
        for outcome in report.outcomes or (Outcome(ReportKind.NONE),):
            rows.append(_row(file, outcome, report))
    titles = {name: name.replace("_", " ").capitalize() for name in rows[0]}
    widths = {name: max(len(cli.printable(row[name])) for row in (titles, *rows)) for name in titles}
    lines = (
        "  ".join(cli.printable(row[name]).ljust(widths[name]) for name in titles).rstrip() for row in (titles, *rows)
    )
    cli.answer(rows, *lines, as_json=as_json)


def _row(file: Path, outcome: Outcome, report: Report) -> dict[str, str]:
    return {"file": str(file), "class": str(outcome.kind), "address": outcome.address, "message_id": report.message_id}
