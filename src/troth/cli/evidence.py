"""``troth evidence``: exports the archive for an auditor, and retracts checks of a faulty control."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from troth.cli import deployment as cli
from troth.cli import formatting
from troth.json_values import json_fields
from troth.text import counted

if TYPE_CHECKING:
    from troth.service.core.deployment import Deployment


@click.group()
def evidence() -> None:
    """Export evidence that the policy is kept, and retract checks of a faulty control.

    \b
    Example:  troth evidence export -o evidence.zip
              troth evidence retract stores.schema_declared --from 2026-11-01 --until 2026-11-14 \\
                  --because "it did not see views"
    """


@evidence.command()
@cli.declaration_option
@click.option("--since", type=cli.DAY, metavar="DATE", help="Only checks and records from this day on, in UTC.")
@click.option(
    "--promise",
    "promises",
    multiple=True,
    metavar="ID",
    help="Only this promise, by its id (troth promises lists them). Repeatable.",
)
@click.option(
    "--begins-with",
    "earlier",
    multiple=True,
    type=cli.EXISTING_FILE,
    metavar="FILE",
    help="A checkpoint or receipt that the reader kept: the archive proves that the ledger continues it. Repeatable.",
)
@click.option(
    "-o", "--out", type=cli.FILE, default="evidence.zip", show_default=True,
    help="The archive, a new file.",
)  # fmt: skip
@cli.json_option
def export(
    declaration: Path,
    since: dt.datetime | None,
    promises: tuple[str, ...],
    earlier: tuple[Path, ...],
    out: Path,
    as_json: bool,
) -> None:
    """Write one signed archive: policy, declaration, controls, checks, promises, record of processing, proofs.

    The same data gives the same bytes. Its index.html is for reading; verify_troth_ledger.py, in every archive,
    verifies it offline. It contains no personal data. Give the verifier key to its readers through another channel.

    \b
    Example:  troth evidence export --since 2026-01-01 -o 2026.zip
              python3 verify_troth_ledger.py archive 2026.zip --key KEY
    """
    if since is not None and since.date() > cli.now().date():
        raise click.BadParameter(f"{since:%Y-%m-%d} is in the future", param_hint="--since")
    deployment = _deployment(declaration)
    from troth.service.assurance.evidence import ArchiveScope, export_evidence
    from troth.service.core.keys import ledger_signer
    from troth.service.core.ledger import tree

    wanted = ArchiveScope(
        since.date() if since else None, promises, tuple(path.read_text("utf-8", "replace") for path in earlier)
    )
    signer = ledger_signer(deployment.keyring, deployment.declaration.organisation)
    with formatting.progress_bar("searching the ledger", tree().size) as tell:
        done = export_evidence(deployment, signer, out, wanted, progress=tell)
    facts = {"file": str(done.path), **json_fields(done, "files", "promises", "entries", "as_of", "key")}
    said = f"{counted(done.promises, 'promise')}, {counted(done.files, 'file')}, up to {done.as_of:%Y-%m-%d %H:%M} UTC"
    cli.answer(facts, f"{done.path}: {said}", f"verifier key: {done.key}", as_json=as_json)


@evidence.command()
@cli.declaration_option
@click.argument("control")
@click.option("--from", "since", type=cli.DAY, required=True, metavar="DATE", help="The first day, in UTC.")
@click.option("--until", type=cli.DAY, required=True, metavar="DATE", help="The last day, in UTC.")
@click.option(
    "--because", required=True, metavar="REASON", help="What was wrong with the control. Nothing about people."
)
@click.option("--apply", "applied", is_flag=True, help="Retract them. Without it, only the plan is shown.")
@cli.json_option
def retract(
    declaration: Path, control: str, since: dt.datetime, until: dt.datetime, because: str, applied: bool, as_json: bool
) -> None:
    """Retract the checks of a faulty control in a period, so that they no longer count.

    They are kept, marked with the reason, recorded in the ledger and mentioned in archives. The control runs again at
    the next pass; until then the promises that depend on it are unproven.

    \b
    Example:  troth evidence retract stores.schema_declared --from 2026-11-01 --until 2026-11-14 \\
                  --because "it did not see views"
    """
    deployment = _deployment(declaration)
    from troth.service.assurance.retraction import retract_checks
    from troth.service.core.retraction import plan_retraction

    plan = plan_retraction(control, since=since.date(), until=until.date())
    outcomes = ", ".join(f"{count:,} {word.replace('_', ' ')}" for word, count in plan.outcomes.items())
    rests = sum(control in promise.controls for promise in deployment.declaration.promises)
    receipt = retract_checks(deployment, plan, because, now=cli.now()) if applied else None
    if as_json:
        told = {"control": control, "checks": len(plan.checks), "outcomes": dict(plan.outcomes), "promises": rests}
        cli.print_json({**told, "applied": applied, "receipt": receipt})
        return
    click.echo(f"{control}, {plan.since} to {plan.until}: {counted(len(plan.checks), 'check')} ({outcomes})")
    click.echo(f"{counted(rests, 'promise')} based on it, unproven until it has run again")
    click.echo(receipt if receipt else "nothing was changed; repeat with --apply to retract them", nl=not receipt)


def _deployment(declaration: Path) -> Deployment:
    """The deployment for *declaration*, with Troth's own database set up."""
    from troth.declaration import load

    load(declaration)  # reports all its mistakes before anything is opened
    cli.keyring()
    cli.use_database()
    from troth.service.core.deployment import current

    return current()
