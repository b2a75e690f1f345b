"""``troth keys init``, ``wrap`` and ``copy``: how the root key and the keys below it are created and stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from troth.cli import deployment as cli
from troth.cli.keys.plans import has_database
from troth.json_values import json_fields

if TYPE_CHECKING:
    from troth.protect import RewrapPlan, Wrap


way_options = cli.options(
    click.option("--key", help="The key that wraps it. aws-kms: an ARN; transit: a name; pkcs11: a label."),
    click.option("--mount", help="transit: where the engine is mounted.  [default: transit]"),
    click.option("--token", help="pkcs11: the token's label."),
)
"""Options of the ways to wrap the root key."""


def way_named(name: str, options: dict[str, str | None]) -> Wrap:
    """The wrapping method of that name with the given options. Raises `click.UsageError`."""
    from troth.protect import WayRefused, way

    with cli.usage_errors(WayRefused):
        return way(name, {option: value for option, value in options.items() if value is not None})


@click.command()
@click.option("--wrap", "name", metavar="WAY", default="none", show_default=True, help="age, aws-kms, transit, pkcs11.")
@way_options
@click.option(
    "--keys-lost",
    is_flag=True,
    help="The root key still exists, but all copies of keys.toml are lost: start again without them.",
)
@cli.json_option
def init(name: str, keys_lost: bool, as_json: bool, **options: str | None) -> None:
    """Create the root key in a file that only you can read. An existing key is never touched.

    With --wrap the file is useless without a passphrase (age), a key in AWS KMS (aws-kms) or in Vault (transit), or a
    hardware token (pkcs11). Passphrases, tokens and PINs come from the environment or from files.

    \b
    Example:  TROTH_HOME=/var/lib/troth troth keys init
              TROTH_PASSPHRASE_FILE=/run/keys/troth troth keys init --wrap age
              troth keys init --wrap transit --key troth
    """
    from troth.protect import KEY_FILE, begin_keys, create_home

    if keys_lost:
        key = begin_keys(cli.home())
        lost = _note_lost()
        message = f"There is no key below the root key {key} now. Data sealed with the lost keys stays unreadable."
        cli.answer({"key": str(key), "keys_lost": True, "on_record": lost}, message, as_json=as_json)
        return
    one = way_named(name, options)
    key = create_home(cli.home(), wrap=one)
    path = cli.home() / KEY_FILE
    cli.answer(
        {"key": str(key), "file": str(path), "wrap": wrap_facts(one)},
        f"Created the root key {key} in {path}.",
        "Without it, sealed data cannot be decrypted and people not be recognised: back it up separately.",
        as_json=as_json,
    )


def _note_lost() -> int:
    """Record the lost keys, if there is a database that lists them. Returns their number."""
    if not has_database():
        return 0
    cli.use_database()
    from troth.service.core.key_registry import note_lost

    return note_lost(cli.keyring(), now=cli.now())


@click.command()
@click.argument("path", type=cli.FILE, required=False)
@click.option("--none", "none", is_flag=True, help="Stop keeping a copy. The existing copy stays: delete it yourself.")
@cli.json_option
def copy(path: Path | None, none: bool, as_json: bool) -> None:
    """Also write keys.toml, and every change of it, to a second path, on another disk.

    Subjects' keys depend on keys that live for a day, so yesterday's copy opens none of them. With this copy, the loss
    of a disk loses no key. It is as secret as keys.toml itself, and its folder must exist. Without a path, prints the
    current one.

    \b
    Example:  troth keys copy /mnt/second/troth-keys.toml
    """
    if path is not None and none:
        raise click.UsageError("give a path, or --none")
    chain = cli.keyring().chain
    assert chain is not None, "the keyring of a home"
    if path is not None or none:
        chain.keep_copy(path)
    fault = chain.copy_fault()
    where = f"Every change of keys.toml is also written to {chain.copy}." if chain.copy else "No copy is kept."
    cli.answer({"copy": str(chain.copy) if chain.copy else None, "fault": fault}, fault or where, as_json=as_json)
    cli.fail_if(fault)


@click.command()
@click.option("--to", "name", metavar="WAY", required=True, help="none, age, aws-kms, transit, pkcs11.")
@way_options
@click.option("--apply", "approved", metavar="PLAN-HASH", help="Carry out the plan that you have seen.")
@cli.json_option
def wrap(name: str, approved: str | None, as_json: bool, **options: str | None) -> None:
    """Wrap the same root key in another way. All sealed data stays readable.

    Without --apply it shows the plan. With the hash of that plan it verifies that the new wrapping can be unwrapped,
    and replaces the old file. A new passphrase comes from TROTH_NEW_PASSPHRASE_FILE.

    \b
    Example:  troth keys wrap --to aws-kms --key arn:aws:kms:eu-west-1:111122223333:key/0ab1…
              troth keys wrap --to pkcs11 --token Troth --key root --apply dg1:4f0c…
    """
    from troth.protect import plan_rewrap, rewrap

    then = way_named(name, options)
    plan = plan_rewrap(cli.home(), then) if approved is None else rewrap(cli.home(), then, approved=approved)
    if as_json:
        facts = {**json_fields(plan, "key", "file"), "now": wrap_facts(plan.now), "then": wrap_facts(plan.then)}
        cli.print_json({"plan": str(plan.hash), **facts, "applied": approved is not None})
    elif approved is None:
        _show(plan)
    else:
        click.echo(f"Wrapped the root key {plan.key} in {plan.file} again: {wrap_said(plan.then)}.")
        click.echo(
            "Copies of the old file can still be unwrapped the old way: replace them with copies of the new file."
        )


def _show(plan: RewrapPlan) -> None:
    click.echo(f"Root key {plan.key} in {plan.file}")
    click.echo(f"  now   {wrap_said(plan.now)}\n  then  {wrap_said(plan.then)}")
    click.echo(
        "The key itself stays the same. From then on, every command and service that uses it must be able to unwrap it."
    )
    click.echo(f"\nTo carry out exactly this plan, repeat the command with:\n  --apply {plan.hash}")


def wrap_facts(wrap: Wrap) -> dict[str, str]:
    """The wrapping method and its options, as data."""
    from troth.protect import options

    return {"way": wrap.name, **options(wrap)}


def wrap_said(wrap: Wrap) -> str:
    """The same as text."""
    if wrap.name == "none":
        return "none: anyone who can read the file has the key"
    name, *rest = wrap_facts(wrap).items()
    return ", ".join((name[1], *(f"{option} {value}" for option, value in rest)))
