"""``troth keys``: the root key in TROTH_HOME."""

from __future__ import annotations

import click

from troth.cli import company as cli

__all__ = ["keys"]


@click.group()
def keys() -> None:
    """Make and look at the keys in TROTH_HOME.

    \b
    Example:  troth keys init
              troth keys status --json
    """


@keys.command()
@cli.json_option
def init(as_json: bool) -> None:
    """Make the root key: a file that only you can read. An existing key is never touched.

    \b
    Example:  TROTH_HOME=/var/lib/troth troth keys init
    """
    from troth.protect import KEY_FILE, create_home

    key = create_home(cli.home())
    path = cli.home() / KEY_FILE
    if as_json:
        cli.print_json({"key": str(key), "file": str(path)})
    else:
        click.echo(f"Made the root key {key} in {path}.")
        click.echo("Without it nothing that Troth seals can be opened, and no subject recognised: back it up, apart.")


@keys.command()
@cli.json_option
def status(as_json: bool) -> None:
    """Say which root key is in use, and whether its file is safe.

    \b
    Example:  troth keys status
    """
    from troth.protect import KEY_FILE, Keyring

    keyring = Keyring.open(cli.home())
    facts = {"key": str(keyring.id), "file": str(cli.home() / KEY_FILE), "state": "active"}
    if as_json:
        cli.print_json(facts)
    else:
        click.echo(f"Root key {facts['key']}: active, in {facts['file']}, readable by its owner only.")
