"""``troth keep``: runs the keep loop once or continuously."""

from __future__ import annotations

import datetime as dt
import logging
import signal
import threading
from pathlib import Path

import click

from troth.cli import deployment as cli
from troth.text import counted


@click.command()
@cli.declaration_option
@click.option("--forever", is_flag=True, help="Run until stopped by a signal.")
@click.option("--all", "hasten", is_flag=True, help="Run every bound control now, due or not.")
@cli.json_option
def keep(declaration: Path, forever: bool, hasten: bool, as_json: bool) -> None:
    """Run the checks that are due, and finish interrupted runs.

    Suitable for cron, also on several machines at once: each control is claimed by one of them. Exits with 1 while a
    promise is broken, or if an interrupted run could not be finished. With --forever it exits with 0: see the log and
    the status page.

    \b
    Example:  troth keep
              */5 * * * *  troth keep -d /etc/troth/troth.yaml
    """
    from troth.declaration import load

    stop = threading.Event()
    if forever:
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, lambda *_: stop.set())
    resumed = cli.OpenDeclaration(load(declaration), {}).resume()
    from troth.service.assurance.models import PromiseRow
    from troth.service.assurance.scheduler import forever as loop
    from troth.service.assurance.scheduler import run_due

    log = logging.getLogger("troth.keep")
    log.setLevel(logging.ERROR)  # its messages are printed instead
    report = run_due(dt.datetime.now(dt.UTC), hasten=hasten)
    log.setLevel(logging.NOTSET)
    broken = PromiseRow.objects.filter(status=PromiseRow.Status.BROKEN).count()
    if as_json:
        cli.print_json(
            {
                "resumed": [{"run": run, "outcome": outcome} for run, outcome in resumed],
                "checks": [
                    {"control": c.control, "outcome": str(c.outcome), "summary": c.summary} for c in report.checks
                ],
                "lost": report.lost,
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
        lost = (
            f", {counted(report.lost, 'check')} discarded because another process had taken over" if report.lost else ""
        )
        changed = counted(len(report.promises_changed), "promise")
        click.echo(f"{counted(len(report.checks), 'control')} checked, {changed} changed{lost}")
    if forever:
        loop(stop)
    elif broken or any(outcome != "finished" for _, outcome in resumed):
        raise click.exceptions.Exit(1)
