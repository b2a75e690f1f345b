"""``troth mail check``: what is wrong with an e-mail, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import click

from troth.cli import deployment as cli
from troth.json_values import json_value
from troth.text import counted


@click.command()
@click.argument("file", type=cli.EXISTING_FILE)
@click.option(
    "--class",
    "mail_class",
    type=click.Choice(["commercial", "asked_for", "owed"]),
    default="commercial",
    show_default=True,
    help="Why it is sent: an owed e-mail, which the law demands, needs no opt-out.",
)
@click.option("--follow", is_flag=True, help="Also request linked pages; opt-outs and links with an id are left alone.")
@click.option("--offline", is_flag=True, help="Do not ask DNS.")
@cli.json_option
def check(file: Path, mail_class: str, follow: bool, offline: bool, as_json: bool) -> None:
    """Check the e-mail in FILE (.eml), yours or anybody's: headers, signature, opt-out, subject, texts, tracking.

    The DKIM signature and the records of SPF and DMARC are looked up in DNS. Prints each fault with its place, its fix
    and the law or contract, and what was not looked at. Exits with 1 if it found something.

    \b
    Example:  troth mail check newsletter.eml
              troth mail check reply.eml --class owed --json
    """
    from troth.service.mail.preflight import Expected, MailClass, MailUnreadable, status_of
    from troth.service.mail.preflight import check as check_mail
    from troth.service.mail.signatures.records import Dns

    with cli.file_errors(file, "read"):
        raw = file.read_bytes()
    dns, pages = None if offline else Dns(), status_of if follow else None
    with cli.usage_errors(MailUnreadable):
        seen = check_mail(raw, Expected(MailClass(mail_class)), dns, pages)
    lines = [f"{counted(len(seen.faults), 'fault')}; {sum(it.blocks for it in seen.faults)} to fix before it is sent."]
    for it in seen.faults:
        lines += [f"{'blocks' if it.blocks else 'warns'}: {it.id} ({it.place})", f"  {it.wrong}"]
        lines.append(f"  {it.fix} [{it.cite}]")
    lines += [f"not looked at: {it}" for it in seen.not_looked_at]
    facts = {"file": str(file), "class": mail_class, **json_value(seen)}
    cli.answer(facts, *map(cli.printable, lines), as_json=as_json)
    cli.fail_if(seen.faults)
