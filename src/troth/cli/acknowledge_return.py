"""``troth acknowledge-return``: records that an erased person came back of their own accord, so that it is no longer
reported as a fault."""

from __future__ import annotations

from pathlib import Path

import click

from troth.cli import deployment as cli
from troth.cli import formatting
from troth.json_values import json_fields
from troth.text import counted

_LINES_MAX = 200
"""Maximum number of rows printed on a terminal; ``--json`` prints all."""


_reason = cli.ledger_word("a reason is one word, such as signed_up_again")


@click.command()
@cli.declaration_option
@click.option(
    "--id", "ids", multiple=True, metavar="SYSTEM.TABLE=KEY", help="A row that the person created after the erasure."
)
@click.option("--reason", metavar="WORD", callback=_reason, help="How you know, in one word; the ledger records it.")
@cli.json_option
def acknowledge_return(declaration: Path, ids: tuple[str, ...], reason: str | None, as_json: bool) -> None:
    """Record that a person who was erased came back of their own accord.

    Without --id, lists the rows that contain an erased identifier again, and when it was erased. Check whether an
    import or a restore brought it back, which troth replay or troth erase fixes, or whether the person did. With --id
    and --reason, records that the owner of that row came back. From then on retention.erased_stays_erased does not
    count them, and troth replay does not erase them again, until they are erased anew. Changes no row of your stores.

    Exits with 1 if rows are left to check.

    \b
    Example:  troth acknowledge-return
              troth acknowledge-return --id shop.customer=99 --reason signed_up_again
    """
    if bool(ids) != bool(reason):
        raise click.UsageError("give --id and --reason together: whose row it is, and how you know that they came back")
    with cli.opened(declaration, read_only=True) as company:
        company.use_record()
        from troth.service.core import reappearance as core
        from troth.service.core.keys import ledger_signer
        from troth.service.core.ledger import sequence_if_sound

        now = cli.now()
        with formatting.progress("reading"):
            found = core.who_is_back(company.map, company.stores, company.keyring, now=now)
        acknowledged = 0
        if reason is not None:
            systems = company.declaration.systems
            acknowledged = core.acknowledge_return(found, ids, systems, reason=reason, keyring=company.keyring, now=now)
            sequence_if_sound(ledger_signer(company.keyring, company.declaration.organisation), now=now)
            found = core.who_is_back(company.map, company.stores, company.keyring, now=now)
    if as_json:
        rows = [json_fields(one, "row", "kind", "erased_at") for one in found]
        cli.print_json({"acknowledged": acknowledged, "rows": rows})
    else:
        if reason is not None:
            click.echo(f"{counted(acknowledged, 'identifier')} acknowledged, and recorded in the ledger.")
        for one in found[:_LINES_MAX]:
            click.echo(cli.printable(f"  --id {one.row}  {one.kind}, erased {one.erased_at:%Y-%m-%d}"))
        click.echo(f"{counted(len(found), 'row')} with an erased identifier that nobody has checked.")
    cli.fail_if(found)
