"""Write docs/reference/commands.md from the commands' own help: ``python tools/commands.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from troth.cli import main

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "commands.md"

_HEAD = """\
# Commands

What `troth COMMAND --help` says, written by `python tools/commands.py`. Every command ends with

- `0`: fine;
- `1`: something was found or refused. Refusals go to standard error, in lines that begin with `troth:`;
- `2`: asked wrongly.

With `--json`, standard output is one JSON document and nothing else; where a command is refused, it is empty. What
destroys shows its plan first and waits for `--apply` with the plan's hash: see
[Answer a request](../howto/answer-a-request.md).
"""


def reference() -> str:
    """The page as it should be."""
    whole = click.Context(main, info_name="troth", terminal_width=100, help_option_names=["-h", "--help"])
    return _HEAD + "".join(f"\n## `{name}`\n\n```text\n{text}\n```\n" for name, text in _helps(main, whole))


def _helps(group: click.Group, above: click.Context) -> Iterator[tuple[str, str]]:
    """Every command's full name and help, in the order of `troth --help`."""
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None
        context = click.Context(command, above, name)
        yield context.command_path, command.get_help(context)
        if isinstance(command, click.Group):
            yield from _helps(command, context)


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
