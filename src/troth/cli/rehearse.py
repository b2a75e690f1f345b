"""``troth rehearse``: plants breaches into an invented company and shows which promises would notice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.cli import formatting
from troth.json_values import json_fields
from troth.text import counted

if TYPE_CHECKING:
    from troth.rehearsal.score import Rehearsal, RehearsedPromise


@click.command()
@cli.declaration_option
@click.option("--at-least", type=click.FloatRange(0, 1), help="Exit with 1 if a smaller share of breaches is noticed.")
@click.option("--record", is_flag=True, help="Show the result on the status page, and record it in the ledger.")
@click.option("--html", type=cli.FILE, help="Write a page with the result, too.")
@cli.json_option
def rehearse(declaration: Path, at_least: float | None, record: bool, html: Path | None, as_json: bool) -> None:
    """Plant breaches of every promise into an invented company, and see which promises would notice.

    The company is made from your declaration: the same tables with invented rows, a scripted website, a database and
    keys of its own. Your stores are asked for their schemas, and for nothing else. Against each promise are planted the
    breaches that its words call for, those of the controls that it is bound to, and your own (`faults:`). A promise
    that stays green after a breach rests on controls that do not see it. Breaches that a control is known not to see
    are not planted; they are counted, and --json and --html name them.

    \b
    Example:  troth rehearse
              troth rehearse --at-least 0.9 --html rehearsal.html
              troth rehearse --record
    """
    from troth.declaration import load
    from troth.service.assurance.rehearsal.run import rehearse as run

    declared = load(declaration)
    with formatting.progress_bar("planting breaches", 0) as show:
        outcome = run(declaration, declared, progress=show)
    if record:
        _record(outcome)
    if html is not None:
        from troth.rehearsal.report import report

        html.write_text(report(outcome, declared), encoding="utf-8")
    cli.answer(_data(outcome), *map(cli.printable, _shown(outcome)), as_json=as_json)
    cli.fail_if(at_least is not None and outcome.score < at_least)


def _record(outcome: Rehearsal) -> None:
    cli.use_database()
    from troth.service.assurance.rehearsal.record import keep
    from troth.service.core.deployment import current

    keep(outcome, current(), now=cli.now())


def _data(outcome: Rehearsal) -> dict[str, Any]:
    return {
        **json_fields(outcome, "declaration", "different", "planted", "noticed", "not_planted", "score"),
        "promises": [
            json_fields(it, "name", "quote", "verdict", "before", "why", "planted", "not_planted")
            for it in outcome.promises
        ],
    }


_TITLES = {
    "misses": "These would stay green after a breach:",
    "not_rehearsed": "These were not rehearsed:",
    "stated": "These rest on a person's word, which no breach changes:",
    "notices": "These would notice:",
}


_ORDER = ("notices", "misses", "not_rehearsed", "stated")


def _shown(outcome: Rehearsal) -> Iterator[str]:
    from troth.rehearsal.score import RehearsalVerdict

    for verdict, title in _TITLES.items():
        promises = outcome.of(RehearsalVerdict(verdict))
        if promises:
            yield title
        for promise in promises:
            yield from _promise(promise)
    notices, misses, others, stated = (len(outcome.of(RehearsalVerdict(it))) for it in _ORDER)
    total = counted(len(outcome.promises), "promise")
    yield f"{total}: {notices} would notice, {misses} would stay green, {others} not rehearsed, {stated} stated."
    yield (
        f"{counted(outcome.different, 'different breach', 'different breaches')}, planted {outcome.planted} times:"
        f" {outcome.noticed} noticed, {outcome.score:.0%}."
    )
    if outcome.not_planted:
        more = counted(outcome.not_planted, "breach", "breaches")
        yield f"{more} more, known to go unseen by a control that is bound here, not planted (--html names them)."


def _promise(promise: RehearsedPromise) -> Iterator[str]:
    yield f"  {promise.noticed}/{len(promise.planted)}  “{promise.quote}”"
    if promise.why:
        yield f"       {promise.why}"
    for it in promise.unseen:
        yield f"       unseen: {it.text} ({it.control})"
    if promise.not_planted:
        yield f"       known to go unseen, and not planted: {len(promise.not_planted)}"
