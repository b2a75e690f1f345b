"""``troth init``: drafts the first troth.yaml from the actual schemas."""

from __future__ import annotations

import os
from pathlib import Path

import click

from troth.cli import deployment as cli
from troth.cli import store_options
from troth.cli.audit import STATEMENT_S, progress
from troth.errors import TrothError
from troth.text import counted


@click.command()
@store_options.store_option
@click.option("--name", metavar="COMPANY", help="The company's name, as in the policy.")
@click.option(
    "--out",
    type=cli.FILE,
    help="Write the draft to this new file instead of printing it. An existing file is not overwritten.",
)
@cli.json_option
def init(stores: tuple[str, ...], name: str | None, out: Path | None, as_json: bool) -> None:
    """Draft a declaration from real schemas.

    Finds the tables whose rows are people, the tables that depend on them, and the data category of each column, and
    marks every guess with REVIEW. Facts that no schema contains are left as TODO; `troth check` shows what is missing.
    The draft contains no database URL, only the name of the variable that holds it.

    \b
    Example:  troth init --store '${SHOP_DATABASE_URL}' --name "Example Ltd" --out troth.yaml
              troth init --store shop=sqlite:///shop.sqlite > troth.yaml
    """
    from troth.audit import draft, look_at_store

    if out is not None and out.exists():
        raise click.UsageError(f"{out} exists already; give another file, or move it away first")
    asked = store_options.named(stores)
    with store_options.open_read_only(asked, statement_s=STATEMENT_S) as opened, progress("looking") as step:
        systems = [look_at_store(system, store, progress=step) for system, store in opened.items()]
    for system in systems:
        if system.unreached:
            raise TrothError(f"nothing was drafted, because {system.name} could not be read: {system.unreached}")
    text = draft(systems, name=name, references=store_options.references(asked))
    if out is not None:
        _write(out, text)
    guesses, open_ends = text.count("# REVIEW"), text.count("# TODO")
    if as_json:
        facts = {"review": guesses, "todo": open_ends, "declaration": text}
        cli.print_json(facts if out is None else {"file": str(out), **facts})
    elif out is None:
        click.echo(text, nl=False)
    else:
        todo = f"{counted(guesses, 'guess', 'guesses')} to review, {counted(open_ends, 'thing')} to fill in"
        click.echo(f"{out}: {todo}; then: troth check -d {out}")
        for variable in _unset(text):
            click.echo(f"Before that, set {variable}: the file does not contain the URL of the store.")


def _write(out: Path, text: str) -> None:
    with cli.file_errors(out, "written"), out.open("x", encoding="utf-8") as file:
        file.write(text)


def _unset(draft: str) -> tuple[str, ...]:
    """Variables that the draft refers to but that are not set in the environment."""
    from troth.declaration import SecretMissing, resolve

    try:
        resolve(draft, os.environ)
    except SecretMissing as missing:
        return missing.names
    return ()
