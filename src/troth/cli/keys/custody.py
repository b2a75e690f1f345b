"""``troth keys approvers``, ``approve``, ``export`` and ``import``: actions under dual control."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from troth.cli import deployment as cli
from troth.cli.keys.plans import apply_option, require_hash, show_plan
from troth.cli.keys.root import way_named, way_options
from troth.text import counted

if TYPE_CHECKING:
    from troth.ledger import Hash
    from troth.protect import Approver, ApproversPlan, KeyExport

_PASSPHRASE = "TROTH_APPROVER_PASSPHRASE"  # noqa: S105 - a variable's name
_IDENTITY_PASSPHRASE = "TROTH_IDENTITY_PASSPHRASE"  # noqa: S105 - a variable's name


def _identity_option(*, required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--identity",
        required=required,
        type=cli.EXISTING_FILE,
        metavar="FILE",
        help="The age identities, or the SSH key, that the export is encrypted to.",
    )


@click.command()
@click.argument("change", type=click.Choice(["add", "remove"]), required=False)
@click.argument("role", required=False)
@apply_option
@cli.json_option
def approvers(change: Literal["add", "remove"] | None, role: str | None, approved: str | None, as_json: bool) -> None:
    """List the approver roles, add one, or remove one.

    Keys are destroyed, exported and imported only if two roles approve. Each role has its own passphrase, which is
    typed or read from the file in TROTH_APPROVER_PASSPHRASE_FILE; it is not stored. The first two roles are added
    immediately. After that, two others must approve each change, so add a third before you need one.

    \b
    Example:  troth keys approvers
              troth keys approvers add custodian-a
              troth keys approvers remove custodian-b --apply dg1:4f0c…
    """
    from troth.protect import read_approvers

    if change is not None and role is None:
        raise click.UsageError(f"give the role, for example: troth keys approvers {change} custodian-a")
    keyring = cli.keyring()
    there = read_approvers(cli.home(), keyring)
    if change is None or role is None:
        _list(there, as_json=as_json)
        return
    plan = _change(change, role, there)
    facts = {"change": plan.change, "role": role, "approvers": [one.role for one in plan.then]}
    who = ", ".join(one.role for one in plan.then) or "nobody"
    words = f"{role} is {plan.change}. Approvers afterwards: {who}."
    if plan.others and not show_plan(plan.hash, facts, words, approved, as_json=as_json):
        return
    cli.use_database()
    from troth.service.core.key_lifecycle import change_approvers

    roles = change_approvers(cli.home(), keyring, plan, now=cli.now())
    cli.answer(
        {"plan": str(plan.hash), **facts, "approved_by": list(roles), "applied": True},
        f"{role} is {plan.change}{_by(roles)}. Approvers now: {who}.",
        *(["Two approvers are needed: add another role."] if len(plan.then) < 2 else []),
        as_json=as_json,
    )


def _list(there: tuple[Approver, ...], *, as_json: bool) -> None:
    if as_json:
        cli.print_json([{"role": one.role, "since": one.since.isoformat()} for one in there])
        return
    for one in there:
        click.echo(f"{one.role:16} since {one.since:%Y-%m-%d %H:%M}")
    if len(there) < 2:
        click.echo(f"{counted(len(there), 'approver')}; two are needed. Add one: troth keys approvers add ROLE")


def _change(change: Literal["add", "remove"], role: str, there: tuple[Approver, ...]) -> ApproversPlan:
    from troth.protect import ask_passphrase, plan_approver, plan_no_approver

    if change == "remove":
        return plan_no_approver(cli.keyring(), there, role)
    passphrase = ask_passphrase(role, _PASSPHRASE, twice=True)
    return plan_approver(cli.keyring(), there, role, passphrase, now=cli.now())


@click.command()
@click.argument("plan", metavar="PLAN-HASH", callback=require_hash)
@click.option("--as", "role", required=True, metavar="ROLE", help="The role that approves.")
@click.option(
    "--import",
    "file",
    type=cli.EXISTING_FILE,
    metavar="FILE",
    help="The export, to approve its import: it contains the approvers.",
)
@_identity_option(required=False)
@cli.json_option
def approve(plan: Hash, role: str, file: Path | None, identity: Path | None, as_json: bool) -> None:
    """Approve a plan by its hash. The approval is valid for a day, for this plan only.

    Check the plan first: run its command without --apply. The role's passphrase is typed or read from the file in
    TROTH_APPROVER_PASSPHRASE_FILE. After some wrong passphrases, further attempts are delayed.

    \b
    Example:  troth keys approve dg1:4f0c… --as custodian-a
              troth keys approve dg1:4f0c… --as custodian-a --import keys.age --identity safe.key
    """
    from troth.protect import Approvals, ask_passphrase, make_folder, read_approvers

    if (file is None) != (identity is None):
        raise click.UsageError("give --import and --identity together")
    if file is not None and identity is not None:
        there = _opened(file, identity).approvers
        make_folder(cli.home())
    else:
        there = read_approvers(cli.home(), cli.keyring())
    until = Approvals(cli.home(), there).approve(plan, role, ask_passphrase(role, _PASSPHRASE), now=cli.now())
    facts = {"plan": str(plan), "role": role, "until": until.isoformat()}
    cli.answer(facts, f"{role} approves {plan} until {until:%Y-%m-%d %H:%M} UTC.", as_json=as_json)


@click.command()
@click.option(
    "--to", "recipients", multiple=True, required=True, metavar="RECIPIENT", help="age1… or ssh-…. Repeatable."
)
@click.option(
    "--out", "target", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The file to create."
)
@apply_option
@cli.json_option
def export(recipients: tuple[str, ...], target: Path, approved: str | None, as_json: bool) -> None:
    """Write all keys into one file, encrypted to age recipients: for a safe, or for another machine.

    Anyone with the file and an identity of a recipient has the keys. It contains the root key itself, unwrapped, so
    that it can be used if the wrapping is lost; the keys below it as they are now; and the approvers. Two roles must
    approve.

    \b
    Example:  troth keys export --to age1ql3z… --out keys.age
              troth keys export --to age1ql3z… --out keys.age --apply dg1:4f0c…
    """
    from troth.protect import plan_export

    keyring = cli.keyring()
    plan = plan_export(keyring, recipients)
    facts = {"key": str(plan.key), "recipients": list(plan.recipients), "file": str(target)}
    words = "\n  ".join((f"The root key {plan.key} and all keys below it are encrypted to:", *plan.recipients))
    if not show_plan(plan.hash, facts, words, approved, as_json=as_json):
        return
    cli.use_database()
    from troth.service.core.key_lifecycle import export as write

    roles = write(cli.home(), keyring, plan, target, now=cli.now())
    cli.answer(
        {"plan": str(plan.hash), **facts, "approved_by": list(roles), "applied": True},
        f"Wrote {target}{_by(roles)}. Importing it restores keys that are destroyed later: keep only the newest.",
        as_json=as_json,
    )


@click.command("import")
@click.argument("file", type=cli.EXISTING_FILE)
@_identity_option(required=True)
@click.option("--wrap", "name", metavar="WAY", default="none", show_default=True, help="age, aws-kms, transit, pkcs11.")
@way_options
@apply_option
@cli.json_option
def import_(file: Path, identity: Path, name: str, approved: str | None, as_json: bool, **options: str | None) -> None:
    """Import exported keys into a TROTH_HOME that has none. Restore the database first.

    Two of the approvers in the export must approve, with --import and --identity. The passphrase of the identity, if
    any, is typed or read from the file in TROTH_IDENTITY_PASSPHRASE_FILE.

    \b
    Example:  troth keys import keys.age --identity safe.key
              troth keys approve dg1:4f0c… --as custodian-a --import keys.age --identity safe.key
              troth keys import keys.age --identity safe.key --apply dg1:4f0c…
    """
    from troth.protect import Approvals

    wrap = way_named(name, options)
    found = _opened(file, identity)
    found.is_in(cli.home())
    approvers = [one.role for one in found.approvers]
    facts = {"key": str(found.id), "made": found.made.isoformat(), "approvers": approvers}
    words = (
        f"The root key {found.id} and the keys below it, exported {found.made:%Y-%m-%d %H:%M} UTC, are imported into "
    )
    words += f"{cli.home()}.\nTwo of these must approve: {', '.join(approvers)}."
    if not show_plan(found.hash, facts, words, approved, as_json=as_json):
        return
    roles = Approvals(cli.home(), found.approvers).require(found.hash, now=cli.now())
    found.put_into(cli.home(), wrap)
    cli.use_database()
    from troth.service.core.key_lifecycle import note_import

    note_import(cli.home(), cli.keyring(), found, roles, now=cli.now())
    cli.answer(
        {"plan": str(found.hash), **facts, "approved_by": list(roles), "applied": True},
        f"The keys are in {cli.home()}{_by(roles)}. Check them with: troth keys status",
        as_json=as_json,
    )


def _opened(file: Path, identity: Path) -> KeyExport:
    from troth.protect import ask_passphrase, open_export

    return open_export(
        file, identity, passphrase=lambda: ask_passphrase(f"the identities in {identity}", _IDENTITY_PASSPHRASE)
    )


def _by(roles: tuple[str, ...]) -> str:
    return f", approved by {' and '.join(roles)}" if roles else ""
