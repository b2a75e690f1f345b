"""``troth promises``: shows the status of each promise, and why, and approves waivers and attestations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.json_values import json_fields, json_value
from troth.text import counted

if TYPE_CHECKING:
    from troth.controls import Control, ControlStatus, PromiseStatus, RehearsalRecord
    from troth.service.assurance.statements import Statement
    from troth.service.core.deployment import Deployment

_NO_DAY = " " * 10


@click.command()
@cli.declaration_option
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--approve", "is_approval", is_flag=True, help="Approve waivers and attestations as a second person.")
@click.option("--as", "email", metavar="EMAIL", help="The staff account that approves.")
@click.option("--apply", "plan", metavar="PLAN-HASH", help="Approve exactly what you have seen.")
@cli.json_option
def promises(
    declaration: Path, id_: str | None, is_approval: bool, email: str | None, plan: str | None, as_json: bool
) -> None:
    """Show the status of each promise, since when and why; or all details of one, by its id or a prefix of it.

    It runs no checks: `troth keep` does that. A status may also change by the passage of time. Exits with 1 if a
    promise shown is broken.

    A waiver or an attestation counts once a second person has approved its text. With --approve it shows those that
    wait, and approves them when repeated with --apply. The account needs the right promises.approve. Refused for who
    gave the statement, and for the owner of the promise.

    \b
    Example:  troth promises
              troth promises p-3f9a
              troth promises p-3f9a --approve --as ben@example.org
    """
    if is_approval != (email is not None) or (plan is not None and not is_approval):
        raise click.UsageError("give --approve and --as EMAIL together, and --apply only with them")
    if email is not None:
        _approve(declaration, id_, email, plan, as_json)
        return
    deployment, found = _found(declaration, id_)
    if as_json:
        cli.print_json(_whole(found[0], deployment) if id_ is not None else [_brief(each) for each in found])
    else:
        for line in _shown(found[0], deployment) if id_ is not None else _listed(found):
            click.echo(cli.printable(line))
    cli.fail_if(any(each.status == "broken" for each in found))


def _found(declaration: Path, id_: str | None) -> tuple[Deployment, Sequence[PromiseStatus]]:
    from troth.declaration import load

    load(declaration)  # reports all its mistakes before anything is opened
    cli.use_database()
    from troth.service.assurance.evaluation import judge_with_dates, meant
    from troth.service.core.deployment import current

    deployment = current()
    statuses = {status.name: status for status in judge_with_dates(deployment, cli.now())}
    return deployment, [statuses[meant(id_, statuses)]] if id_ is not None else list(statuses.values())


# --- approving ------------------------------------------------------------------------------------------------------


def _approve(declaration: Path, id_: str | None, email: str, plan: str | None, as_json: bool) -> None:
    """Show what *email* may approve; with its hash *plan*, approve it."""
    deployment, found = _found(declaration, id_)
    from troth.errors import TrothError
    from troth.ledger import Hash
    from troth.service.assurance import statements
    from troth.service.assurance.duty import PROMISES_APPROVE
    from troth.service.staff.actions import acting
    from troth.service.staff.approvals import OwnPlan

    now = cli.now()
    member = acting(email, PROMISES_APPROVE, now=now)
    names = {each.name for each in found}
    waiting = [each for each in statements.waiting(deployment.declaration, now) if each.name in names]
    wanted = [each for each in waiting if each.is_open_to(member)]
    if waiting and not wanted:
        raise OwnPlan(
            "this account gave what waits, or owns its promise: somebody else has to approve it; or one of them is"
            " named without their e-mail address, and then nobody can"
        )
    current = Hash.of("\n".join(each.hash for each in wanted).encode()).text
    if plan not in (None, current):
        raise TrothError("this is not what waits now: read it again without --apply")
    count = statements.approve(wanted, by=member, actor="owner", now=now) if plan else 0
    if as_json:
        told = [_stated(each) for each in wanted]
        cli.print_json({"statements": told, "others": len(waiting) - len(wanted), "plan": current, "approved": count})
        return
    for line in _to_approve(wanted, len(waiting) - len(wanted)):
        click.echo(cli.printable(line))
    if wanted:
        click.echo(
            f"approved: {count}" if plan else f"nothing was approved; to approve exactly these: --apply {current}"
        )


def _stated(statement: Statement) -> dict[str, Any]:
    return {
        "id": statement.id,
        "quote": statement.promise.quote,
        "owner": statement.promise.owner,
        **json_fields(statement, "kind", "covers"),
        **statement.text.model_dump(mode="json"),
        "hash": statement.hash,
    }


def _to_approve(wanted: Sequence[Statement], others: int) -> Iterator[str]:
    for each in wanted:
        covers = f", for {', '.join(each.covers)}" if each.covers else ""
        yield f"{each.kind} by {each.by}, until {each.text.until}{covers}"
        yield f"  “{each.promise.quote}”"
        yield f"  {each.says}"
    yield f"{counted(len(wanted), 'statement')} to approve" + (f"; {others} for somebody else" if others else "")


# --- text -----------------------------------------------------------------------------------------------------------


def _listed(statuses: Sequence[PromiseStatus]) -> Iterator[str]:
    for each in statuses:
        since = f"{each.since:%Y-%m-%d}" if each.since else _NO_DAY
        yield f"{each.status:9} {each.id}  {since}  “{each.promise.quote}”"
        yield f"{'':9} {each.reason}"
    counts = ", ".join(f"{count} {status}" for status, count in Counter(it.status for it in statuses).items())
    yield f"{counted(len(statuses), 'promise')}{f': {counts}' if counts else ''}"


def _shown(status: PromiseStatus, deployment: Deployment) -> Iterator[str]:
    promise = status.promise
    yield f"“{promise.quote}”"
    since = f", since {status.since:%Y-%m-%d %H:%M} UTC" if status.since else ""
    yield f"{status.status}{since}  {status.id}"
    yield f"owner: {promise.owner}"
    if promise.about:
        yield f"about: {', '.join(promise.about)}"
    if (rehearsed := _rehearsed(status, deployment)) is not None:
        found = f"{rehearsed.noticed} of {counted(rehearsed.planted, 'breach', 'breaches')} noticed"
        yield f"rehearsed: {rehearsed.at:%Y-%m-%d}, {found}"
    for it in status.by_control:
        yield ""
        yield from _control(it, deployment.controls.get(it.control or ""))
    if promise.waive is not None:
        scope = ", ".join(promise.waive.scope) or "all of its controls"
        yield ""
        yield f"waiver: until {promise.waive.until}, approved by {promise.waive.approver}, for {scope}"
        yield f"  {promise.waive.reason}"


def _control(it: ControlStatus, control: Control | None) -> Iterator[str]:
    yield f"{it.control or 'besides'}: {it.status or 'does not apply'}"
    yield f"  {it.reason}"
    if it.check is not None:
        seen = it.check.evidence
        told = f"{seen.population:,} in scope, {seen.tested:,} checked, {seen.excluded:,} excluded"
        yield f"  last check {it.check.at:%Y-%m-%d %H:%M} UTC: {it.check.outcome}; {told}"
        for found in it.check.findings:
            yield f"  {found.place or 'besides'}: {found.message}" + (f"; {found.fix}" if found.fix else "")
    if control is not None:
        yield f"  looks at: {control.looks_at}"
        yield f"  cannot see: {control.cannot_see}"


def _rehearsed(status: PromiseStatus, deployment: Deployment) -> RehearsalRecord | None:
    from troth.service.assurance.rehearsal.record import last

    return last(deployment).get(status.name)


# --- JSON -----------------------------------------------------------------------------------------------------------


def _brief(status: PromiseStatus) -> dict[str, Any]:
    return {
        "id": status.id,
        "status": str(status.status),
        **json_fields(status, "since", "reason"),
        **json_fields(status.promise, "quote", "owner"),
    }


def _whole(status: PromiseStatus, deployment: Deployment) -> dict[str, Any]:
    promise = status.promise
    return {
        **_brief(status),
        "about": list(promise.about),
        "rehearsed": json_value(_rehearsed(status, deployment)),
        "reasons": list(status.reasons),
        "controls": [_checked(it, deployment.controls.get(it.control or "")) for it in status.by_control if it.control],
        "attest": promise.attest.model_dump(mode="json") if promise.attest else None,
        "waive": promise.waive.model_dump(mode="json") if promise.waive else None,
    }


def _checked(it: ControlStatus, control: Control | None) -> dict[str, Any]:
    check = it.check
    return {
        "id": it.control,
        "question": control.question if control else None,
        "looks_at": control.looks_at if control else None,
        "cannot_see": control.cannot_see if control else None,
        "status": str(it.status) if it.status else None,
        "reason": it.reason,
        "check": None
        if check is None
        else {
            **json_fields(check, "at", "valid_until", "outcome", "summary", "figures"),
            **json_fields(check.evidence, "population", "tested", "excluded"),
            "findings": json_value(check.findings),
        },
    }
