"""``troth policy render``: the notice, from the declaration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from troth.cli import company as cli

if TYPE_CHECKING:
    from troth.policy.notice import Rendered

__all__ = ["render"]


@click.command()
@cli.declaration_option
@click.option("--lang", "language", default="en", show_default=True, help="The language.")
@click.option("--format", "form", type=click.Choice(["md", "html", "json-ld"]), default="md", show_default=True)
@click.option("--short", "point", metavar="POINT", help="The short notice of a collection point, as md or html.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the full notice in every form, and the short ones, into this folder.",
)
def render(
    declaration: Path, language: str, form: Literal["md", "html", "json-ld"], point: str | None, out: Path | None
) -> None:
    """Render a complete notice from the declaration: for people, and the same facts for machines.

    Everything in it is a fact of the declaration or a duty of the laws that apply (GDPR, UK GDPR, PECR, CalOPPA, CCPA).
    What is missing is told with its place, and nothing is rendered. Both forms are read again and compared first.

    Ends with 1 when something is missing, when people and machines would read different things, or when the prose
    reads too hard.

    \b
    Example:  troth policy render -d troth.yaml > policy.md
              troth policy render --format json-ld
              troth policy render --short newsletter --format html
              troth policy render --out notice/
    """
    from troth.declaration import load
    from troth.policy import notice

    declared = load(declaration)
    if point is not None:
        if form == "json-ld":
            raise click.UsageError("a short notice is md or html")
        click.echo(notice.render_short(declared, point, form, language=language), nl=False)
        return
    rendered = notice.render(declared, language=language)
    if out is None:
        click.echo({"md": rendered.md, "html": rendered.page, "json-ld": rendered.json_ld}[form], nl=False)
        return
    shorts = {
        f"short-{name}.{ending}": notice.render_short(declared, name, ending, language=language)
        for name in declared.collection_points
        for ending in _ENDINGS
    }
    _write(out, _files(rendered) | shorts)
    click.echo(f"{out}: {len(shorts) + 4} files, reading ease {rendered.ease:.0f}")


_ENDINGS: tuple[Literal["md", "html"], ...] = ("md", "html")


def _files(rendered: Rendered) -> dict[str, str]:
    return {
        "policy.md": rendered.md,
        "policy.html": rendered.page,
        "policy-fragment.html": rendered.html,
        "policy.jsonld": rendered.json_ld,
    }


def _write(folder: Path, files: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
