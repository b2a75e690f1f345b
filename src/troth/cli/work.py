"""``troth work``: a worker that runs background jobs (flows)."""

from __future__ import annotations

import signal
import threading

import click

from troth.cli import deployment as cli
from troth.text import counted


@click.command()
@cli.service_declaration_option
@click.option("--once", is_flag=True, help="Exit when no job can make progress now. For cron.")
@click.option(
    "--flows", default=4, show_default=True, type=click.IntRange(1, 64), help="Number of jobs to run at once."
)
@cli.json_option
def work(once: bool, flows: int, as_json: bool) -> None:
    """Run the background jobs of requests and batches: a worker beside `troth serve --no-work`.

    On PostgreSQL any number of workers run in parallel, on any number of machines, and take over the jobs of dead ones.
    On SQLite one worker is active and the others stand by. `troth serve` starts its own.

    \b
    Example:  troth work -d /etc/troth/troth.yaml
              troth work --once
    """
    from troth.service.server import set_up

    settings = set_up()
    from troth.service.work.run import health
    from troth.service.work.worker import Pace, worker

    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    worker(stop, settings=settings, pace=Pace(flows_max=flows), until_idle=once)
    left = health()
    if as_json:
        cli.print_json(
            {name: getattr(left, name) for name in ("wanted", "running", "waiting", "stopped", "failed", "workers")}
        )
    else:
        click.echo(f"{counted(left.waiting, 'job')} waiting, {left.stopped} stopped, {left.failed} failed")
    if left.stopped or left.failed:
        raise click.exceptions.Exit(1)
