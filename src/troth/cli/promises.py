"""``troth promises``: shows the status of each promise, and why."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.text import counted

if TYPE_CHECKING:
    from troth.controls import Control, ControlStatus
    from troth.service.assurance.promise_status import PromiseStatus
    from troth.service.core.deployment import Deployment

_NO_DAY = " " * 10


@click.command()
@cli.declaration_option
@click.argument("id_", metavar="[ID]", required=False)
@cli.json_option
def promises(declaration: Path, id_: str | None, as_json: bool) -> None:
    """Show the status of each promise, since when and why; or all details of one, by its id or a prefix of it.

    It runs no checks: `troth keep` does that. A status may also change by the passage of time. Exits with 1 if a
    promise shown is broken.

    \b
    Example:  troth promises
              troth promises p-3f9a
    """
    here, found = _found(declaration, id_)
    if as_json:
        cli.print_json(_whole(found[0], here) if id_ is not None else [_brief(each) for each in found])
    else:
        for line in _shown(found[0], here) if id_ is not None else _listed(found):
            click.echo(cli.printable(line))
    if any(each.judgement.status == "broken" for each in found):
        raise click.exceptions.Exit(1)


def _found(declaration: Path, id_: str | None) -> tuple[Deployment, Sequence[PromiseStatus]]:
    from troth.declaration import load
    from troth.service.server import catch_up, set_up

    load(declaration)  # reports all its mistakes before anything is opened
    set_up()
    catch_up()
    from troth.service.assurance.promise_status import meant, stand
    from troth.service.core.deployment import deployment
    from troth.service.settings import TROTH

    here = deployment(TROTH)
    found = {each.name: each for each in stand(here, dt.datetime.now(dt.UTC))}
    return here, [found[meant(id_, found)]] if id_ is not None else list(found.values())


# --- text -----------------------------------------------------------------------------------------------------------


def _listed(statuses: Sequence[PromiseStatus]) -> Iterator[str]:
    for each in statuses:
        since = f"{each.since:%Y-%m-%d}" if each.since else _NO_DAY
        yield f"{each.judgement.status:9} {each.id}  {since}  “{each.promise.quote}”"
        yield f"{'':9} {each.reason}"
    told = ", ".join(f"{count} {status}" for status, count in Counter(it.judgement.status for it in statuses).items())
    yield f"{counted(len(statuses), 'promise')}{f': {told}' if told else ''}"


def _shown(status: PromiseStatus, here: Deployment) -> Iterator[str]:
    promise = status.promise
    yield f"“{promise.quote}”"
    since = f", since {status.since:%Y-%m-%d %H:%M} UTC" if status.since else ""
    yield f"{status.judgement.status}{since}  {status.id}"
    yield f"owner: {promise.owner}"
    if promise.about:
        yield f"about: {', '.join(promise.about)}"
    for it in status.judgement.standings:
        yield ""
        yield from _control(it, here.controls.get(it.control or ""))
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
        yield f"  cannot see: {control.cannot_see}"


# --- JSON -----------------------------------------------------------------------------------------------------------


def _brief(status: PromiseStatus) -> dict[str, Any]:
    return {
        "id": status.id,
        "status": str(status.judgement.status),
        "since": status.since.isoformat() if status.since else None,
        "reason": status.reason,
        "quote": status.promise.quote,
        "owner": status.promise.owner,
    }


def _whole(status: PromiseStatus, here: Deployment) -> dict[str, Any]:
    promise = status.promise
    return {
        **_brief(status),
        "about": list(promise.about),
        "reasons": list(status.judgement.reasons),
        "controls": [_checked(it, here.controls.get(it.control or "")) for it in status.checked],
        "attest": promise.attest.model_dump(mode="json") if promise.attest else None,
        "waive": promise.waive.model_dump(mode="json") if promise.waive else None,
    }


def _checked(it: ControlStatus, control: Control | None) -> dict[str, Any]:
    check = it.check
    return {
        "id": it.control,
        "question": control.question if control else None,
        "cannot_see": control.cannot_see if control else None,
        "status": str(it.status) if it.status else None,
        "reason": it.reason,
        "check": None
        if check is None
        else {
            "at": check.at.isoformat(),
            "valid_until": check.valid_until.isoformat(),
            "outcome": str(check.outcome),
            "summary": check.summary,
            "figures": dict(check.figures),
            "population": check.evidence.population,
            "tested": check.evidence.tested,
            "excluded": check.evidence.excluded,
            "findings": [{"place": f.place, "message": f.message, "fix": f.fix} for f in check.findings],
        },
    }
