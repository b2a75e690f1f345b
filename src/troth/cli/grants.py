"""``troth grants``: the least privileges that Troth needs in a store."""

from __future__ import annotations

from pathlib import Path

import click

from troth.cli import deployment as cli
from troth.cli import store_options
from troth.cli.audit import STATEMENT_S


@click.command()
@click.option(
    "--store", "url", metavar="URL", help="The URL of a store, or ${NAME} for an environment variable that holds it."
)
@click.option("-d", "--declaration", type=cli.EXISTING_FILE, help="The declaration.")
@click.option("--system", help="Which declared system to write the script for.")
@click.option("--role", help="The role's name.  [default: troth_audit, troth]")
@cli.json_option
def grants(url: str | None, declaration: Path | None, system: str | None, role: str | None, as_json: bool) -> None:
    """Print the least-privilege GRANT script for a store, for its administrator to read and run.

    With --store, prints the script for an audit, with read access only. With -d and --system, prints the script for
    fulfilling requests: to read the declared tables, including those under 'ignore', because checks sample them; to
    amend the declared columns; and to delete only where erasure deletes. Where the system has
    'canaries: allowed', also to insert the rows of an invented person, and to delete them.

    \b
    Example:  troth grants --store '${SHOP_DATABASE_URL}'
              troth grants -d troth.yaml --system shop | psql shop
    """
    if (url is None) == (declaration is None or system is None):
        raise click.UsageError(
            "give --store URL for an audit, or -d troth.yaml and --system NAME for fulfilling requests"
        )
    if url is not None:
        script = _for_audit(url, role or "troth_audit")
    else:
        assert declaration is not None
        assert system is not None
        script = _for_carrying_out(declaration, system, role or "troth")
    cli.answer({"script": script}, script, as_json=as_json)


def _for_audit(url: str, role: str) -> str:
    from troth.stores import grants as script

    with store_options.open_read_only(store_options.named([url]), statement_s=STATEMENT_S) as opened:
        (store,) = opened.values()
        return script(store, role)


def _for_carrying_out(declaration: Path, system: str, role: str) -> str:
    from troth.stores import grants as script
    from troth.subjects import access

    with cli.opened(declaration, read_only=True) as company:
        if system not in company.stores:
            known = ", ".join(company.stores)
            raise click.UsageError(f"{system} is not a declared system; these are: {known}")
        plants = company.declaration.systems[system].canaries is not None
        written = script(company.stores[system], role, access(company.map, system, canaries=plants))
        note = "-- INSERT, and some DELETE, is for the invented person of 'canaries: allowed'.\n"
        return note + written if plants else written
