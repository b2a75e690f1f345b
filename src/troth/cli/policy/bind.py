"""``troth policy bind``: proposes how to verify each promise of a policy."""

from __future__ import annotations

import difflib
import os
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli
from troth.cli.policy.read import file_argument
from troth.json_values import json_fields, json_value
from troth.text import counted

if TYPE_CHECKING:
    from troth.controls import RehearsalRecord
    from troth.policy import Bound, PolicyText
    from troth.policy.bind import Astray, BindingPlan, Doubted, FileChange, Proposal

_WIDTH = 110
_INDENT_MAX = 24


@click.command()
@file_argument
@cli.declaration_option
@click.option("--write", is_flag=True, help="Show what would be added to the declaration, and its hash.")
@click.option("--apply", "approved", metavar="HASH", help="Add what --write has shown, by its hash.")
@cli.json_option
def bind(file: Path, declaration: Path, write: bool, approved: str | None, as_json: bool) -> None:
    """Propose how to verify each promise: by controls, or by a named person's attestation if nothing measures it.

    Each proposal says what green can mean and what it cannot. Promises that the declaration already binds, and
    sentences listed under policy.not_promises, are skipped. A promise whose words are no longer in the policy is
    reported with its binding and the most similar sentence; it is never rebound automatically. Where TROTH_HOME has a
    database, it shows of each bound promise how many breaches of the last recorded rehearsal changed its status.

    With --write the changes to the file are shown as a diff, with the owner left to fill in; with --apply they are
    added. The rest of the file does not change. A control is written only if green would be right about the promise: if
    policy and declaration differ, or an attestation is also needed, it is only mentioned in a comment.

    Exits with 1 if a promise is unbound, bound to nothing (neither control nor attestation) or no longer in the policy,
    or if the declaration contradicts a bound promise.

    \b
    Example:  troth policy bind policy.md -d troth.yaml
              troth policy bind policy.md --write
              troth policy bind policy.md --apply pb1:4f0c93ae12b07d55
    """
    from troth.declaration import load
    from troth.policy import read_file, understand
    from troth.policy.bind import change_for, plan_binding

    declared, policy = load(declaration), read_file(file)
    _require_english(policy, file)
    plan = plan_binding(understand(policy), declared)
    change = change_for(plan.proposals, declared, declaration) if write or approved else None
    if approved is not None and change is not None:
        _apply(change, approved)
    rehearsed = _rehearsed(plan)
    lines = [*_shown(file, declaration, plan, change, applied=approved is not None), *_rehearsals(rehearsed)]
    cli.answer(_as_data(plan, change, rehearsed), *map(cli.printable, lines), as_json=as_json)
    cli.fail_if(plan.astray or plan.doubted or plan.bare or (plan.proposals and approved is None))


def _rehearsed(plan: BindingPlan) -> Sequence[tuple[Bound, RehearsalRecord]]:
    """What the last rehearsal on record showed of each bound promise. Nothing is created for it, and the proposals do
    not depend on it, so a database that cannot be read shows none."""
    home = cli.home()
    if not (home / "keys.toml").exists() or not (
        (home / "troth.sqlite3").exists() or os.environ.get("TROTH_DATABASE_URL")
    ):
        return []
    from django.db import Error

    from troth.controls import promise_name
    from troth.errors import TrothError
    from troth.service.server import set_up

    try:
        set_up()
        from troth.service.assurance.rehearsal.record import last
        from troth.service.core.deployment import current

        records = last(current())
    except (Error, TrothError):
        return []
    names = [(bound, promise_name(bound.promise)) for bound in plan.bound]
    return [(bound, records[name]) for bound, name in names if name in records]


def _require_english(policy: PolicyText, file: Path) -> None:
    from troth.policy import PolicyError, TextLanguage

    if policy.language is TextLanguage.OTHER:
        raise PolicyError(
            f"{file.name} is not in English. Promises are found only in English text, so nothing is proposed"
        )
    if policy.language is TextLanguage.MIXED:
        click.echo("Part of the policy is not in English; nothing is proposed for that part.", err=True)


def _apply(change: FileChange, approved: str) -> None:
    if approved != change.hash:
        raise click.UsageError(
            f"--apply {approved[:40]} does not match what would be written now; check it again with --write"
        )
    change.write()


def _shown(
    file: Path, declaration: Path, plan: BindingPlan, change: FileChange | None, *, applied: bool
) -> Iterator[str]:
    bound = counted(len(plan.bound) - len(plan.bare), "promise")
    nothing = f" {len(plan.bare)} bound to nothing," if plan.bare else ""
    yield f"{file}: {bound} bound in {declaration},{nothing} {len(plan.proposals)} not yet bound."
    if plan.astray:
        yield f"{counted(len(plan.astray), 'promise')} of {declaration} not in the policy, or not as a whole."
    if plan.left:
        yield f"{counted(plan.left, 'sentence')} left out, as listed under policy.not_promises."
    for lost in plan.astray:
        yield from _lost(lost)
    for doubted in plan.doubted:
        yield from _doubted(doubted)
    yield from _bare(plan)
    if change is None:
        for proposal in plan.proposals:
            yield from _proposal(proposal)
    elif applied:
        yield f"Added {counted(len(plan.proposals), 'promise')} to {change.file}. Fill in each owner."
        yield from _held_back(plan)
    else:
        yield from _difference(change)
        yield from _held_back(plan)


def _held_back(plan: BindingPlan) -> Iterator[str]:
    for proposal in plan.proposals:
        for warning in proposal.warnings:
            yield from _wrapped(f"“{proposal.quote}” is written without a control: {warning}", "! ")


def _doubted(doubted: Doubted) -> Iterator[str]:
    yield ""
    yield from _wrapped(f"“{doubted.promise.quote}”", f"promises.{doubted.index}: ")
    yield from _wrapped(doubted.message, "  ! ")


def _bare(plan: BindingPlan) -> Iterator[str]:
    if plan.bare:
        yield "\nBound to nothing: name a control, or have somebody attest it:"
    for bare in plan.bare:
        yield from _wrapped(f"“{bare.promise.quote}”", f"  promises.{bare.index}: ")


def _rehearsals(rehearsed: Sequence[tuple[Bound, RehearsalRecord]]) -> Iterator[str]:
    if rehearsed:
        yield "\nRehearsed, with breaches planted into an invented company:"
    for bound, record in rehearsed:
        yield from _wrapped(f"“{bound.promise.quote}”", f"  promises.{bound.index}: ")
        planted = counted(record.planted, "breach", "breaches")
        known = f"; {record.not_planted:,} more, known to go unseen, not planted" if record.not_planted else ""
        yield f"    its status changed in {record.noticed:,} of {planted} planted, {record.at:%Y-%m-%d}{known}"


def _lost(lost: Astray) -> Iterator[str]:
    yield f"\npromises.{lost.index}: {lost.problem.message}"
    yield from _wrapped(f"“{lost.promise.quote}”", "  was: ")
    yield f"  was bound to: {', '.join(lost.promise.controls) or 'no control'}"
    if lost.problem.code == "quote-partial":
        yield from _wrapped(lost.problem.fix, "  fix: ")
    elif lost.near is not None:
        yield from _wrapped(f"line {lost.near.span.line}, “{lost.near.text}”", "  nearest: ")


def _proposal(proposal: Proposal) -> Iterator[str]:
    yield ""
    yield from _wrapped(f"“{proposal.quote}”", f"line {proposal.line}: ")
    for proof in proposal.proofs:
        yield f"  {proof.control}"
        yield from _wrapped(proof.shows, "    green can mean:    ")
        yield from _wrapped(proof.cannot_see, "    it does not show:  ")
    if proposal.about:
        yield f"  about: {', '.join(proposal.about)}"
    if proposal.attest:
        why = (
            "these controls cover only a part; somebody should attest"
            if proposal.proofs
            else "no control measures it; somebody may attest"
        )
        yield from _wrapped(f"“{proposal.attest}”", f"  {why}: ")
    if proposal.own:
        yield from _wrapped(proposal.own, "  or a control of your own: ")
    for warning in proposal.warnings:
        yield from _wrapped(warning, "  ! ")


def _difference(change: FileChange) -> Iterator[str]:
    if change.before == change.after:
        yield "There is nothing to add."
        return
    yield ""
    lines = difflib.unified_diff(
        change.before.splitlines(), change.after.splitlines(), str(change.file), "with the proposals", lineterm=""
    )
    yield from lines
    yield f"\nTo add this, repeat the command with --apply {change.hash}"


def _wrapped(text: str, before: str) -> list[str]:
    after = " " * (len(before) if len(before) <= _INDENT_MAX else 6)
    return textwrap.wrap(text, _WIDTH, initial_indent=before, subsequent_indent=after)


def _as_data(
    plan: BindingPlan, change: FileChange | None, rehearsed: Sequence[tuple[Bound, RehearsalRecord]]
) -> dict[str, Any]:
    return {
        "bound": len(plan.bound) - len(plan.bare),
        "bound_to_nothing": [{"promise": one.index, "quote": one.promise.quote} for one in plan.bare],
        "passed_over": plan.left,
        "rehearsed": [
            {
                "promise": bound.index,
                "quote": bound.promise.quote,
                **json_fields(record, "planted", "noticed", "not_planted", "at"),
            }
            for bound, record in rehearsed
        ],
        "proposals": [
            {
                "line": one.line,
                "quote": one.quote,
                "clauses": [clause.sentence.id for clause in one.clauses],
                "controls": json_value(one.proofs),
                "about": list(one.about),
                "attest": one.attest or None,
                "own": one.own or None,
                **json_fields(one, "severity", "warnings"),
            }
            for one in plan.proposals
        ],
        "astray": [
            {
                "promise": lost.index,
                "quote": lost.promise.quote,
                "controls": list(lost.promise.controls),
                "message": lost.problem.message,
                "fix": lost.problem.fix,
                "nearest": None if lost.near is None else {"line": lost.near.span.line, "text": lost.near.text},
            }
            for lost in plan.astray
        ],
        "doubted": [{"promise": one.index, "quote": one.promise.quote, "message": one.message} for one in plan.doubted],
        "hash": None if change is None else change.hash,
    }
