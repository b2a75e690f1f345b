"""``troth connector``: tries a connector against the real service."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import click

from troth.cli import deployment as cli


@click.group()
def connector() -> None:
    """Try a connector against the real service.

    \b
    Example:  troth connector try mailchimp --canary canary+1@example.org
    """


@connector.command("try")
@cli.declaration_option
@click.argument("system")
@click.option("--canary", required=True, metavar="ADDRESS", help="An address of yours that is on no list yet.")
@cli.json_option
def try_(declaration: Path, system: str, canary: str, as_json: bool) -> None:
    """Try the mailing list that SYSTEM is with an address of nobody, and record that it works.

    Adds the address as unsubscribed, so that nothing is sent to it, changes a merge field, deletes it for good, and
    looks whether it is gone. Mailchimp lets nobody add it again, so each trial needs another address. Until a trial is
    recorded, in TROTH_HOME, `troth check` says that the connector has never run against the real service. A server on
    localhost is tried, too, and not recorded.

    \b
    Example:  troth connector try mailchimp --canary canary+1@example.org
              troth connector try mailchimp --canary canary+2@example.org --json
    """
    from troth.declaration import load
    from troth.stores import open_mailing_list
    from troth.stores.external.trials import record_trial, try_list

    declared = load(declaration).systems.get(system)
    if declared is None or declared.asked is None or declared.asked.sync is None:
        raise click.UsageError("SYSTEM is a mailing list of the declaration, a system with 'asked: {sync: …}'.")
    if "@" not in canary:
        raise click.UsageError("--canary is an e-mail address.")
    with closing(open_mailing_list(system, declared, os.environ)) as list_:
        try_list(list_, canary.strip(), sleep=time.sleep)
        is_recorded = not list_.is_fake
    if is_recorded:
        record_trial(cli.home(), system, now=cli.now())
    if as_json:
        cli.print_json({"system": system, "works": True, "recorded": is_recorded})
    else:
        click.echo(f"{system} does what we rely on; " + ("recorded" if is_recorded else "not recorded: a local server"))
