"""``troth replay``: after a store was restored from a backup, erases again the people erased since."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.cli import formatting
from troth.cli.subjects import apply_option
from troth.json_values import json_fields
from troth.text import counted

if TYPE_CHECKING:
    from troth.ledger import PublishedLog
    from troth.service.core.replay import Replaying, ReplayResult


def _moment(_: click.Context, __: click.Parameter, text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("that is not a time; write it as 2026-11-20T03:00Z") from None
    if moment.utcoffset() is None:
        raise click.BadParameter("give the time zone: 2026-11-20T03:00Z, or 2026-11-20T03:00+01:00")
    if moment > cli.now():
        raise click.BadParameter("that is in the future; give the time of the backup")
    return moment.astimezone(dt.UTC)


@click.command()
@cli.declaration_option
@click.option(
    "--system", "systems", multiple=True, required=True, metavar="NAME", help="A system that was restored. Repeatable."
)
@click.option(
    "--restored-from",
    "restored_from",
    required=True,
    metavar="MOMENT",
    callback=_moment,
    help="The time of the backup, with its time zone; if in doubt, an earlier one.",
)
@apply_option
@click.option(
    "--ledger",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="An export of the ledger with erasures that Troth's own database has lost.",
)
@cli.json_option
def replay(
    declaration: Path,
    systems: tuple[str, ...],
    restored_from: dt.datetime,
    approved: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Erase again the people who were erased after the backup that was restored.

    Reads all declared identifiers of the restored systems, and compares them with the tombstones of erased people,
    which are keyed digests in Troth's own database. Without --apply it shows the plan, with counts. With the hash of
    that plan it executes it, reads everything again, and records the result. Only rows of these systems are changed.
    Legal holds and retention periods apply as usual; values that several people may share are left to you.

    Interrupted runs, of this command or another, are finished first. Exits with 1 if something is left.

    \b
    Example:  troth replay --system shop --restored-from 2026-11-20T03:00Z
              troth replay --system shop --restored-from 2026-11-20T03:00Z --apply dg1:4f0c…
    """
    from troth.subjects import check, plan_hash, refuse_untrue

    with cli.opened(declaration, read_only=approved is None) as company:
        _require_systems(company, systems)
        resumed = company.resume()
        from troth.service.core import replay as core_replay

        looking = (company.map, company.stores)
        erasures = core_replay.LedgerToo(_ledger(folder, company), company.keyring) if folder is not None else None
        with formatting.progress("reading") as tell:
            ended = core_replay.conclude_all(*looking, company.declaration, company.keyring, now=cli.now())
            refuse_untrue(company.declaration, check(company.declaration, company.schemas))
            found = core_replay.look(
                company.declaration,
                *looking,
                company.keyring,
                systems=systems,
                restored_from=restored_from,
                now=cli.now(),
                erasures=erasures,
                progress=tell,
            )
        known = str(plan_hash(found.plan, company.keyring)) if found.plan is not None else None
        done = None
        if found.plan is None and not found.back.found and not ended:
            core_replay.nothing_found(found, systems, company.declaration, company.keyring, cli.now())
        elif found.plan is not None and approved is not None:
            steps = itertools.count(1)
            with formatting.progress("carrying out") as tell:
                done = core_replay.replay(
                    found,
                    *looking,
                    approved=approved,
                    declaration=company.declaration,
                    keyring=company.keyring,
                    clock=cli.now,
                    erasures=erasures,
                    progress=lambda step: tell(f"{counted(next(steps), 'step')} done, last {step.partition('/')[2]}"),
                )
    outcomes = [*ended, *([done] if done is not None else [])]
    if as_json:
        cli.print_json(_json(found, known, done, outcomes, resumed))
    else:
        _show(found, known, done, outcomes, resumed)
    is_left = any(sum(one.left.values()) for one in outcomes)
    is_left = is_left or any(outcome != "finished" for _, outcome in resumed)
    cli.fail_if(is_left or found.reviews or found.back.shared or found.back.returned or found.orphans or found.unknown)


def _require_systems(company: cli.OpenDeclaration, systems: Sequence[str]) -> None:
    for name in systems:
        if name not in company.declaration.systems:
            known = ", ".join(company.stores)
            raise click.UsageError(f"{name} is not a declared system; these are: {known}")
        if name not in company.stores:
            raise click.UsageError(
                f"{name} is an external system, which Troth does not read: erase the people there again, one by one"
            )


def _ledger(folder: Path, company: cli.OpenDeclaration) -> PublishedLog:
    """Open and verify an export of our own ledger. Raises `troth.ledger.LedgerError`."""
    from troth.ledger import PublishedLog, origin_of

    log = PublishedLog(folder, company.keyring.signer(origin_of(folder)).verifier)
    log.verify()
    return log


def _show(
    replaying: Replaying,
    known: str | None,
    done: ReplayResult | None,
    outcomes: Sequence[ReplayResult],
    resumed: Sequence[tuple[str, str]],
) -> None:
    for run, outcome in resumed:
        click.echo(f"run {run}: {outcome}")
    for one in outcomes:
        for system, count in one.found.items():
            click.echo(
                f"{system}: {counted(count, 'erased identifier')} came back with the backup of "
                f"{one.restored_from:%Y-%m-%d %H:%M} UTC; {one.erased[system]:,} erased again, "
                f"{one.left[system]:,} left"
            )
    back = replaying.back
    if done is None:
        click.echo(f"{counted(back.rows, 'row')} read, {counted(sum(back.found.values()), 'erased identifier')} back.")
        for place, rows in back.places.items():
            click.echo(f"  {place}: {counted(rows, 'row')}")
        if not back.found and not outcomes:
            click.echo("Nobody erased after the backup is back; the ledger records this.")
        if replaying.plan is not None and known is not None:
            formatting.show_plan(replaying.plan, known)
    for line in _to_look_at(replaying):
        click.echo(f"troth: {cli.printable(line)}", err=True)


def _to_look_at(replaying: Replaying) -> list[str]:
    """Messages about what a person must resolve."""
    lines = [
        f"review needed: {review.place}: {review.message}; erase them by hand: {', '.join(review.rows) or review.fix}"
        for review in replaying.reviews
    ]
    lines += [
        f"review needed: {place}: {counted(rows, 'row')} with a value that several people may share; check whose it is"
        for place, rows in replaying.back.shared.items()
    ]
    lines += [
        f"review needed: {place}: {counted(rows, 'row')} of people who came back after their erasure; check "
        "which are older than their erasure, and erase those by --id"
        for place, rows in replaying.back.returned.items()
    ]
    lines += [
        f"{place}: {counted(rows, 'row')} of people whose own row is gone; check whether they belong to erased people"
        for place, rows in replaying.orphans.items()
    ]
    lines += [f"this check is incomplete: {why}; see docs/howto/restore-a-backup.md" for why in replaying.unknown]
    if replaying.back.older:
        lines.append(
            f"{counted(replaying.back.older, 'identifier')} had been erased before the backup, and came back with it; "
            "they stay: erase them, or record with troth acknowledge-return that they came back of their own accord"
        )
    return lines


def _json(
    replaying: Replaying,
    known: str | None,
    done: ReplayResult | None,
    outcomes: Sequence[ReplayResult],
    resumed: Sequence[tuple[str, str]],
) -> Mapping[str, Any]:
    back = replaying.back
    return {
        "restored_from": replaying.restored_from.isoformat(),
        "resumed": [{"run": run, "outcome": outcome} for run, outcome in resumed],
        **json_fields(back, "rows", "found", "places", "older"),
        "plan": formatting.plan_json(replaying.plan, known)
        if replaying.plan is not None and known is not None
        else None,
        **json_fields(back, "shared", "returned"),
        "reviews": [json_fields(review, "place", "message", "rows") for review in replaying.reviews],
        **json_fields(replaying, "orphans", "unknown"),
        "outcomes": [json_fields(one, "restored_from", "found", "erased", "left") for one in outcomes],
        "applied": done is not None,
    }
