"""``troth mail dns``: the DNS records of e-mail, and the keys that sign it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli

if TYPE_CHECKING:
    from troth.protect import Keyring, MailAlgorithm
    from troth.service.mail.signatures.keys import DomainKey
    from troth.service.mail.signatures.records import Dns, WantedRecord

_USES = {
    "pre_activation": "waits: publish its record, then: troth mail dns --activate {0}",
    "active": "signs",
    "suspended": "signs nothing while it is suspended",
    "deactivated": "signs nothing more; its record may leave DNS after {1:%Y-%m-%d}",
    "compromised": "signs nothing more; take its record out of DNS now",
}


@click.command()
@cli.wanted_declaration_option
@click.option("--new-key", "new_key", metavar="DOMAIN", help="Make a key for the e-mails of a domain.")
@click.option(
    "--algorithm", type=click.Choice(["rsa", "ed25519"]), default="rsa", show_default=True, help="Of the new key."
)
@click.option("--activate", "selector", metavar="SELECTOR", help="Sign with this key, once DNS has its record.")
@click.option("--published", is_flag=True, help="With --activate: you know that DNS has the record; do not look.")
@click.option("--bounces", metavar="DOMAIN", help="Domain of the addresses that bounces go to, if it is another.")
@cli.json_option
def dns(
    declaration: Path,
    new_key: str | None,
    algorithm: str,
    selector: str | None,
    published: bool,
    bounces: str | None,
    as_json: bool,
) -> None:
    """Print the DNS records to publish for e-mail, and whether DNS has each of them now.

    E-mails are signed once their domain has a key in use: make one, publish its record, activate it. To replace a key,
    do the same again; the record of the old one stays in DNS for two weeks. Ed25519 is not verified by every receiver:
    use it beside RSA. Exits with 1 if a record of what is in use is missing.

    \b
    Example:  troth mail dns --new-key example.org
              troth mail dns --activate troth-2026-12a
              troth mail dns --json
    """
    from troth.service.mail.signatures.keys import SigningKeyRefused, activate, domain_keys, make_domain_key
    from troth.service.mail.signatures.records import Dns

    keyring, lookup = cli.keyring(), Dns()
    if new_key or selector:
        cli.use_database()
    if new_key:
        kind: MailAlgorithm = "rsa-sha256" if algorithm == "rsa" else "ed25519-sha256"
        with cli.usage_errors(SigningKeyRefused):
            make_domain_key(new_key, kind, keyring, now=cli.now())
    if selector:
        activate(selector, keyring, None if published else lookup, now=cli.now())
    records = _records(domain_keys(keyring), _domain(declaration), bounces, keyring)
    facts = [_facts(*it, lookup) for it in records]
    lines = [line for it in facts for line in _lines(it)] or ["No domain is known: name one with --new-key."]
    cli.answer({"records": facts}, *map(cli.printable, lines), as_json=as_json)
    cli.fail_if(any(it["needed"] and it["published"] is False for it in facts))


def _domain(path: Path) -> str:
    """Domain of the address from which Troth sends; empty if none is declared or set."""
    from troth.declaration import load
    from troth.service import Settings

    address = Settings.read().mail_from or (load(path).organisation.email if path.exists() else "")
    return address.rpartition("@")[2].rstrip("> ").lower()


def _records(
    keys: list[DomainKey], sender: str, bounces: str | None, keyring: Keyring
) -> list[tuple[WantedRecord, str, bool]]:
    """Records, the use of each key, and whether DNS must have it now."""
    from troth.service.mail.signatures.keys import record_of
    from troth.service.mail.signatures.records import policy_records

    uses = [_USES[it.info.state].format(it.selector, it.published_until) for it in keys]
    of_keys = [(record_of(it, keyring), use, it.needs_record(cli.now())) for it, use in zip(keys, uses, strict=True)]
    domains = dict.fromkeys([*(it.domain for it in keys), *([sender] if sender else [])])
    return of_keys + [(it, "", True) for domain in domains for it in policy_records(domain, bounces or domain)]


def _facts(record: WantedRecord, use: str, is_needed: bool, lookup: Dns) -> dict[str, Any]:
    from troth.service.mail.signatures.records import DnsUnavailable

    published: bool | None = None
    with contextlib.suppress(DnsUnavailable):
        published = record.published(lookup)
    facts = {"name": record.name, "type": record.type, "value": record.value, "for": record.purpose}
    return {**facts, "use": use, "needed": is_needed, "published": published}


def _lines(facts: dict[str, Any]) -> tuple[str, ...]:
    states = {True: "published", False: "NOT published", None: "not looked at: no name server answers"}
    use = f"; {facts['use']}" if facts["use"] else ""
    return f"{facts['for']}: {states[facts['published']]}{use}", f"  {facts['name']} {facts['type']} {facts['value']}"
