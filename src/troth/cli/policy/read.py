"""``troth policy read``: what a policy says, and where."""

from __future__ import annotations

from pathlib import Path

import click

from troth.cli import company as cli

__all__ = ["read"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@cli.json_option
def read(file: Path, as_json: bool) -> None:
    """Show what a policy says, sentence by sentence, and where.

    \b
    Example:  troth policy read policy.html
              troth policy read policy.md --json
    """
    from troth.policy import kind_of
    from troth.policy import read as read_text

    text = read_text(file.read_text(encoding="utf-8"), kind=kind_of(file.name))
    if as_json:
        cli.print_json([{"id": one.id, "line": one.span.line, "text": one.text} for one in text.sentences])
        return
    for sentence in text.sentences:
        click.echo(cli.printable(f"{sentence.span.line:>5}  {sentence.id}  {sentence.text}"))
