"""``troth keys``: the root key and its protection, the lifecycle of the keys below it, and the approvals that
destroying, exporting and importing keys needs."""

from __future__ import annotations

import click

from troth.cli.keys.custody import approve, approvers, export, import_
from troth.cli.keys.life import destroy, drill, rotate, status
from troth.cli.keys.root import copy, init, wrap
from troth.cli.keys.states import compromised, resume, suspend

__all__ = ["keys"]


@click.group()
def keys() -> None:
    """Create, inspect, rotate and destroy the keys in TROTH_HOME.

    \b
    Example:  troth keys init
              troth keys status --json
              troth keys rotate field
    """


for _command in (init, wrap, copy, status, rotate, suspend, resume, compromised, destroy):
    keys.add_command(_command)
for _command in (approvers, approve, export, import_, drill):
    keys.add_command(_command)
