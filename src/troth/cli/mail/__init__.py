"""``troth mail``: reads, checks and prepares e-mails. The module of each command is imported when called."""

from __future__ import annotations

from collections.abc import Mapping

import click

from troth.cli.lazy_group import LazyGroup

__all__ = ["mail"]

_SHORT: Mapping[str, str] = {
    "read": "Show what bounces and complaints say.",
    "check": "Check an e-mail, yours or anybody's.",
    "dns": "Print the DNS records to publish; make and use signing keys.",
}


class _Commands(LazyGroup):
    package = __name__
    shorts = _SHORT


@click.group(cls=_Commands)
def mail() -> None:
    """Read reports about e-mails, check e-mails before they are sent, and print the DNS records that they need.

    \b
    Example:  troth mail read bounce.eml
              troth mail check newsletter.eml
              troth mail dns
    """
