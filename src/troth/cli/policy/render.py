"""``troth policy render``: renders the notice from the declaration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from troth.cli import deployment as cli

if TYPE_CHECKING:
    from troth.policy.render import Rendered


@click.command()
@cli.declaration_option
@click.option("--lang", "language", default="en", show_default=True, help="The language.")
@click.option("--format", "form", type=click.Choice(["md", "html", "json-ld"]), default="md", show_default=True)
@click.option("--short", "point", metavar="POINT", help="The short notice of a collection point, as md or html.")
@click.option(
    "--out",
    type=cli.FOLDER,
    help="Write the full notice in every format, and the short notices, into this folder.",
)
@cli.json_option
def render(
    declaration: Path,
    language: str,
    form: Literal["md", "html", "json-ld"],
    point: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Render a complete notice from the declaration, for people and in machine-readable form.

    Its content consists only of facts of the declaration and duties of the applicable laws (GDPR, UK GDPR, PECR,
    CalOPPA, CCPA). If facts are missing, they are reported with their place, and nothing is rendered. Both forms are
    parsed again and compared first. With --out, files in the folder with other content are never overwritten, nor is
    policy.file.

    Exits with 1 if facts are missing, if the two forms differ, or if the prose is too hard to read.

    \b
    Example:  troth policy render -d troth.yaml > policy.md
              troth policy render --format json-ld
              troth policy render --short newsletter --format html
              troth policy render --out notice/
    """
    from troth.declaration import load
    from troth.policy import render as notice

    declared = load(declaration)
    if point is not None:
        if form == "json-ld" or out is not None:
            raise click.UsageError("a short notice is printed, as md or html; --out writes all of them")
        short = notice.render_short(declared, point, form, language=language)
        _print({"short": point, "text": short}, short, as_json=as_json)
        return
    rendered = notice.render(declared, language=language)
    if out is None:
        text = {"md": rendered.md, "html": rendered.page, "json-ld": rendered.json_ld}[form]
        _print({"format": form, "language": language, "ease": rendered.ease, "text": text}, text, as_json=as_json)
        return
    shorts = {
        f"short-{name}.{ending}": notice.render_short(declared, name, ending, language=language)
        for name in declared.collection_points
        for ending in _ENDINGS
    }
    files = _files(rendered) | shorts
    _write(out, files, policy=declared.folder / declared.policy.file)
    told = f"{out}: {len(files)} files, reading ease {rendered.ease:.0f}\n"
    _print({"folder": str(out), "files": sorted(files), "ease": rendered.ease}, told, as_json=as_json)


_ENDINGS: tuple[Literal["md", "html"], ...] = ("md", "html")


def _print(data: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        cli.print_json(data)
    else:
        click.echo(text, nl=False)


def _files(rendered: Rendered) -> dict[str, str]:
    return {
        "policy.md": rendered.md,
        "policy.html": rendered.page,
        "policy-fragment.html": rendered.html,
        "policy.jsonld": rendered.json_ld,
    }


def _write(folder: Path, files: dict[str, str], *, policy: Path) -> None:
    """Write all files, or none if one of them would overwrite other content."""
    try:
        for name, text in files.items():
            _require_free(folder / name, text, policy)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.UsageError(f"{folder} cannot be written: {error.strerror}; give another folder") from None


def _require_free(file: Path, text: str, policy: Path) -> None:
    if file.resolve() == policy.resolve():
        raise click.ClickException(f"{file} is the published policy (policy.file); give another folder")
    if file.exists() and file.read_bytes() != text.encode():
        raise click.ClickException(f"{file} exists with other content; give another folder")
