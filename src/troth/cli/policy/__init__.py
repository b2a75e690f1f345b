"""``troth policy``: reads and analyses the published policy. The module of each command is imported when called."""

from __future__ import annotations

import click

from troth.cli.lazy_group import LazyGroup

__all__ = ["policy"]

_SHORT = {
    "read": "Show what a policy says, sentence by sentence, and where.",
    "bind": "Propose how to verify that each promise is kept.",
    "lint": "Report conflicts of a policy with the law, itself or the declaration.",
    "render": "Render a complete notice from the declaration.",
    "diff": "Show which promises are stronger, weaker, new or gone.",
    "reviewed": "Record that the policy was compared with the law.",
}


class _Commands(LazyGroup):
    package = __name__
    shorts = _SHORT


@click.group(cls=_Commands)
def policy() -> None:
    """Read the published policy and work with its text. All but `reviewed` need no database and no service.

    \b
    Example:  troth policy read policy.html
              troth policy read policy.pdf --json
    """
