"""``troth dpia``: reports which purposes need an impact assessment."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from troth.cli import deployment as cli
from troth.text import counted


@click.command()
@cli.declaration_option
@click.option(
    "--as-of",
    type=cli.DAY,
    metavar="DATE",
    help="Use the lists in force on that day.  [default: today]",
)
@cli.json_option
def dpia(declaration: Path, as_of: dt.datetime | None, as_json: bool) -> None:
    """Report which purposes need an impact assessment (GDPR Art. 35), and why.

    Compares the declaration with Art. 35(3), the nine criteria of WP 248 and the ICO's list. Facts that `risk` of a
    purpose does not state are asked for, and never assumed to be "no". Exits with 1 if an assessment is due but not
    declared, if too little is stated, or if no list was in force on that day.

    \b
    Example:  troth dpia
              troth dpia --as-of 2027-01-01 --json
    """
    from troth.declaration import load
    from troth.reports import RiskVerdict, in_force, lists, screen, screening_data, screening_markdown

    on, declared = (as_of or cli.now()).date(), load(declaration)
    if not in_force(on):
        first = min(each.applies_from for each in lists())
        raise click.ClickException(f"no list of criteria was in force on {on}; the first applies from {first}")
    screened = screen(declared, on=on)
    if as_json:
        cli.print_json(screening_data(screened))
    else:
        click.echo(cli.printable(screening_markdown(screened)), nl=False)
    due, unclear = sum(one.is_due for one in screened), sum(one.verdict is RiskVerdict.OPEN for one in screened)
    if due or unclear:
        said = f"{counted(due, 'assessment')} due, {counted(unclear, 'purpose')} not stated well enough to tell"
        click.echo(f"troth: {said}", err=True)
        raise click.exceptions.Exit(1)
