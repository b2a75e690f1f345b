"""``troth newsletter``: plans, sends, pauses and shows editions of newsletters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.text import counted

if TYPE_CHECKING:
    from troth.service.core.deployment import Deployment
    from troth.service.mail.models import Edition


@click.group()
def newsletter() -> None:
    """Send editions of the declared newsletters to those who want them, and see how they stand.

    \b
    Example:  troth newsletter send june.md --list monthly
              troth newsletter send june.md --list monthly --apply HASH
              troth newsletter list
    """


@newsletter.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--list", "list_name", required=True, metavar="NAME", help="The newsletter, as it is declared.")
@click.option(
    "--at",
    "send_at",
    type=click.DateTime(["%Y-%m-%dT%H:%M%z"]),
    help="Not before, as 2026-06-01T09:00+0200. Whom it goes to is chosen when it is started with --apply.",
)
@cli.apply_option("Send it to those who may get it then.")
@cli.service_declaration_option
@cli.json_option
def send(file: Path, list_name: str, send_at: dt.datetime | None, approved: str | None, as_json: bool) -> None:
    """Plan an edition from a Markdown file, whose first line is `# Subject`; send it with --apply.

    \b
    Example:  troth newsletter send june.md --list monthly
    """
    deployment, now = _set_up(), cli.now()
    from troth.service.mail.bulk.ending import counts
    from troth.service.newsletters.actions import needs_approval, plan, plan_hash, start

    with cli.file_errors(file, "read"):
        source = file.read_text("utf-8-sig")
    if approved is not None:
        if approved != plan_hash(source, list_name, deployment, send_at=send_at):
            raise click.UsageError("the text, the list or the time has changed since that plan: look at the new one")
        edition = start(approved, deployment, now=now)
        facts = {"edition": edition.pk, "state": edition.state, **counts(edition.pk)}
        cli.answer(
            facts, f"Edition {edition.pk} is started: troth newsletter list shows how it stands.", as_json=as_json
        )
        return
    planned = plan(source, list_name, deployment, actor=_actor(deployment), now=now, send_at=send_at)
    edition = planned.edition
    left_out = dict(sorted(planned.left_out.items()))
    lines = [f"It would go to {counted(planned.people, 'person', 'people')}."]
    lines += [f"  left out: {figure:,} ({reason})" for reason, figure in left_out.items()]
    lines += [f"  {fault.place}: {fault.wrong} {fault.fix}" for fault in planned.warnings]
    waits = needs_approval(edition, deployment, now=now)
    if waits:
        lines += ["", f"Somebody else has to approve it first: {deployment.site}/console/newsletters/{edition.pk}/"]
    if send_at is not None:
        lines += ["", "Whom it goes to is chosen when you start it, not when it leaves: somebody who subscribes in"]
        lines += ["between does not get it, and somebody who stops in between is left out."]
    when = f" --at {send_at:%Y-%m-%dT%H:%M%z}" if send_at is not None else ""
    lines += ["", f"To send it: troth newsletter send {file} --list {list_name}{when} --apply {edition.plan_hash}"]
    warnings = [{"place": fault.place, "wrong": fault.wrong, "fix": fault.fix} for fault in planned.warnings]
    facts = {"edition": edition.pk, "plan": edition.plan_hash, "people": planned.people, "left_out": left_out}
    facts |= {"warnings": warnings, "needs_approval": waits}
    cli.answer(facts, *lines, as_json=as_json)


@newsletter.command("list")
@cli.service_declaration_option
@cli.json_option
def list_(as_json: bool) -> None:
    """Show the latest editions, and what became of each recipient.

    \b
    Example:  troth newsletter list --json
    """
    _set_up()
    from troth.service.mail.bulk.ending import counts
    from troth.service.mail.models import Edition

    rows = [
        {"edition": edition.pk, "list": edition.about.partition(":")[2], "state": edition.state, **counts(edition.pk)}
        for edition in Edition.objects.filter(kind="newsletter").order_by("-pk")[:50]
    ]
    lines = [f"{row['edition']}  {row['list']}  {row['state']}: {_figures(row)}" for row in rows]
    cli.answer(rows, *(lines or ["No edition was planned."]), as_json=as_json)


def _figures(row: dict[str, Any]) -> str:
    names = ("queued", "handing_over", "sent", "refused", "stopped", "in_doubt")
    return ", ".join(f"{row[name]:,} {name.replace('_', ' ')}" for name in names if row[name]) or "nobody yet"


def _changing(name: str, does: str) -> None:
    @newsletter.command(name, help=f"{does}\n\n\b\nExample:  troth newsletter {name} 12")
    @click.argument("edition", type=int)
    @cli.service_declaration_option
    @cli.json_option
    def change(edition: int, as_json: bool) -> None:
        deployment = _set_up()
        from troth.service.mail.bulk import actions as bulk
        from troth.service.mail.models import Edition

        row = Edition.objects.filter(pk=edition).first()
        if row is None:
            raise click.UsageError(f"there is no edition {edition}")
        act: Callable[[Edition, Deployment], None] = getattr(bulk, name)
        act(row, deployment, now=cli.now())  # type: ignore[call-arg]
        cli.answer({"edition": row.pk, "state": row.state}, f"Edition {row.pk} is {row.state}.", as_json=as_json)


for _name, _does in (
    ("pause", "Pause an edition: what is being handed over still leaves."),
    ("resume", "Go on with an edition that was paused."),
    ("cancel", "End an edition: only what is being handed over still leaves."),
):
    _changing(_name, _does)


def _set_up() -> Deployment:
    from troth.service.server import set_up

    set_up()
    from troth.service.core.deployment import current

    return current().without_own


def _actor(deployment: Deployment) -> str:
    return deployment.keyring.pseudonym("operator", "command").text
