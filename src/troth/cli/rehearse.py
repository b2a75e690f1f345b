"""``troth rehearse``: plants breaches into an invented company and shows which promises would notice."""

from __future__ import annotations

import signal
import sys
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


_AT_LEAST = (
    "Exit with 1 if a smaller share of the planted breaches is noticed. Those that are not planted, and promises"
    " against which nothing is, do not count."
)


@click.command()
@cli.declaration_option
@click.option("--at-least", type=click.FloatRange(0, 1), help=_AT_LEAST)
@click.option("--record", is_flag=True, help="Show the result on the status page, and record it in the ledger.")
@click.option("--html", type=cli.FILE, help="Write a page with the result, too.")
@cli.json_option
def rehearse(declaration: Path, at_least: float | None, record: bool, html: Path | None, as_json: bool) -> None:
    """Plant breaches of every promise into an invented company, and see which promises would notice.

    The company is made from your declaration: the same tables with invented rows, a scripted website, a database and
    keys of its own. Your stores are asked for their schemas; the rehearsal itself connects to nothing. Against each
    promise are planted the breaches that its words call for, those of the controls that it is bound to, and your own
    (`faults:`). A promise that stays green after a breach rests on controls that do not see it. Breaches that a control
    is known not to see are not planted; --json and --html name them all, with the reason.

    Exits with 1 if nothing was planted, and with 2 if the rehearsal failed, or a breach of the catalogue could not be
    planted.

    \b
    Example:  troth rehearse
              troth rehearse --at-least 0.9 --html rehearsal.html
              troth rehearse --record
    """
    from troth.declaration import load
    from troth.service.assurance.rehearsal.run import RehearsalFailed
    from troth.service.assurance.rehearsal.run import rehearse as run

    if html is not None and not html.absolute().parent.is_dir():
        raise click.UsageError(f"there is no folder {html.parent}")
    for ending in (signal.SIGTERM, signal.SIGHUP):  # as an exception, so that the process and its folder go
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    declared = load(declaration)
    try:
        with formatting.progress_bar("planting breaches", 0) as show:
            outcome = run(declaration, declared, progress=show)
        cli.answer(_data(outcome), *map(cli.printable, _shown(outcome)), as_json=as_json)
        if html is not None:
            from troth.rehearsal.report import report

            html.write_text(report(outcome, declared), encoding="utf-8")
    except (RehearsalFailed, OSError) as failed:
        raise _Failed(cli.printable(str(failed))) from None
    if outcome.errors:
        why = "\n".join(f"could not be planted: {it.text} ({it.control}): {it.why}" for it in outcome.errors)
        raise _Failed(cli.printable(why))
    if record:
        _record(outcome)
    cli.fail_if(not outcome.planted or outcome.score < (at_least or 0))


class _Failed(click.ClickException):
    exit_code = 2


def _record(outcome: Rehearsal) -> None:
    cli.use_database()
    from troth.service.assurance.rehearsal.record import keep
    from troth.service.core.deployment import current

    keep(outcome, current(), now=cli.now())


def _data(outcome: Rehearsal) -> dict[str, Any]:
    return {
        **json_fields(outcome, "declaration", "different", "planted", "noticed", "not_planted", "score"),
        "promises": [
            json_fields(it, "name", "quote", "verdict", "before", "why", "planted", "not_planted", "unplanted")
            for it in outcome.promises
        ],
    }


_VERDICTS = {
    "misses": ("would stay green", "These would stay green after a breach:"),
    "partly": ("would in part", "These would notice, but for what is known to go unseen, or could not be planted:"),
    "not_rehearsed": ("not rehearsed", "These were not rehearsed:"),
    "unbound": ("unbound", "These rest on nothing: no check is bound to them, and nobody attests them:"),
    "stated": ("stated", "These rest on a person's word, which no breach changes:"),
    "notices": ("would notice", "These would notice:"),
}


def _shown(outcome: Rehearsal) -> Iterator[str]:
    from troth.rehearsal.score import RehearsalVerdict

    for verdict, (_, title) in _VERDICTS.items():
        promises = outcome.of(RehearsalVerdict(verdict))
        if promises:
            yield title
        for promise in promises:
            yield from _promise(promise)
    counts = (f"{len(outcome.of(it))} {_VERDICTS[it][0]}" for it in RehearsalVerdict)
    yield f"{counted(len(outcome.promises), 'promise')}: {', '.join(counts)}."
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
    for failed in promise.unplanted:
        yield f"       could not be planted: {failed.text} ({failed.control}): {failed.why}"
    if promise.verdict == "partly":
        for known in promise.not_planted:
            yield f"       known to go unseen: {known.text} ({known.control})"
    elif promise.not_planted:
        yield f"       known to go unseen, and not planted: {len(promise.not_planted)}"
