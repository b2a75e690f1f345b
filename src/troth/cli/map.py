"""``troth map``: draws the data flows as one picture."""

from __future__ import annotations

from pathlib import Path

import click

from troth.cli import deployment as cli


@click.command()
@cli.declaration_option
@click.option(
    "--format",
    "kind",
    type=click.Choice(["svg", "json", "text"]),
    default="svg",
    show_default=True,
    help="As a picture, as data, or as text.",
)
@cli.json_option
def map(declaration: Path, kind: str, as_json: bool) -> None:  # noqa: A001 - it is the command's name
    """Draw the data flows: people, collection points, systems, recipients by country.

    Derived from the declaration only; the same declaration always gives the same picture. The SVG is self-contained,
    supports light and dark mode, and includes a text description.

    \b
    Example:  troth map > map.svg
              troth map --format text
    """
    from troth.declaration import load
    from troth.reports import as_svg, picture_data, picture_of, picture_words

    picture = picture_of(load(declaration))
    if as_json or kind == "json":
        cli.print_json(picture_data(picture))
    elif kind == "text":
        click.echo(cli.printable("\n".join(picture_words(picture))))
    else:
        click.echo(as_svg(picture), nl=False)
