"""``troth keep``: one pass over everything that is due."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from troth.cli import deployment as cli
from troth.text import counted


@click.command()
@cli.declaration_option
@click.option("--all", "hasten", is_flag=True, help="Run every bound control now, due or not.")
@cli.json_option
def keep(declaration: Path, hasten: bool, as_json: bool) -> None:
    """Run the checks that are due, and finish interrupted runs.

    Suitable for cron, also on several machines at once: each control is claimed by one of them. Exits with 1 while a
    promise is broken, or if an interrupted run could not be finished. `troth work` does the same continuously.

    \b
    Example:  troth keep
              */5 * * * *  troth keep -d /etc/troth/troth.yaml
    """
    from troth.declaration import load

    resumed = cli.OpenDeclaration(load(declaration), {}).resume()
    from troth.controls import Status
    from troth.service.assurance.jobs import run_due
    from troth.service.assurance.models import PromiseRow

    log = logging.getLogger("troth.keep")
    log.setLevel(logging.ERROR)  # its messages are printed instead
    report = run_due(hasten=hasten)
    log.setLevel(logging.NOTSET)
    broken = PromiseRow.objects.filter(status=Status.BROKEN.value).count()
    if as_json:
        cli.print_json(
            {
                "resumed": [{"run": run, "outcome": outcome} for run, outcome in resumed],
                "checks": [
                    {"control": c.control, "outcome": str(c.outcome), "summary": c.summary} for c in report.checks
                ],
                "promises_changed": [
                    {"promise": quote, "status": str(status)} for quote, status in report.promises_changed
                ],
                "broken": broken,
                "unsigned": list(report.unsigned),
            }
        )
    else:
        for run, outcome in resumed:
            click.echo(f"run {run}: {outcome}")
        for check in report.checks:
            click.echo(f"{check.outcome:15} {check.control}: {cli.printable(check.summary)}")
        for quote, status in report.promises_changed:
            click.echo(f"{status:15} “{cli.printable(quote)}”")
        for why in report.unsigned:
            click.echo(f"ledger: {cli.printable(why)}")
        changed = counted(len(report.promises_changed), "promise")
        click.echo(f"{counted(len(report.checks), 'control')} checked, {changed} changed")
    if broken or any(outcome != "finished" for _, outcome in resumed):
        raise click.exceptions.Exit(1)
