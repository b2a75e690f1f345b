"""``troth work``: a worker that runs background jobs."""

from __future__ import annotations

import os
import signal
import sys
import threading

import click

from troth.cli import deployment as cli
from troth.json_values import json_fields
from troth.text import counted


@click.command()
@cli.service_declaration_option
@click.option("--once", is_flag=True, help="Exit when no job can make progress now. For cron.")
@click.option("--jobs", default=6, show_default=True, type=click.IntRange(1, 64), help="Number of jobs to run at once.")
@click.option("--only", multiple=True, metavar="KIND", help="Run jobs of this kind only, such as mail or mail.send.")
@cli.json_option
def work(once: bool, jobs: int, only: tuple[str, ...], as_json: bool) -> None:
    """Run background jobs: checks, requests, e-mails, webhooks. A worker beside `troth serve --no-work`.

    Any number of workers run in parallel, on PostgreSQL on any number of machines, and take over the jobs of dead ones.
    `troth serve` starts its own.

    \b
    Example:  troth work -d /etc/troth/troth.yaml
              troth work --once
              troth work --only mail
    """
    from troth.service.server import set_up

    set_up()
    from troth.service.core.jobs.queue import health
    from troth.service.core.jobs.worker import Pace, run_jobs

    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    run_jobs(stop, pace=Pace(threads=jobs), only=only, until_idle=once)
    left = health()
    states = ("queued", "scheduled", "running", "waiting", "stopped", "failed", "workers")
    later = counted(left.queued + left.scheduled + left.waiting, "job")
    message = f"{later} for later, {left.stopped} stopped, {left.failed} failed"
    cli.answer(json_fields(left, *states), message, as_json=as_json)
    sys.stdout.flush()
    if stop.is_set():
        os._exit(bool(left.stopped or left.failed))  # a job that did not stop in time would delay the exit
    cli.fail_if(left.stopped or left.failed)
