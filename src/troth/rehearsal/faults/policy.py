"""Breaches in the policy and its versions."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from troth.declaration import Period, Recipient, Sharing, Table
from troth.declaration.versions import Announcement, DeclaredVersion
from troth.rehearsal.breaches import register
from troth.rehearsal.papers import rewrite_policy
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World

KEPT_FOR_EVER = "We keep your personal data for ever."
"""Promises less than any policy."""
_NEVER_SHARED = "We never share your personal data with third parties."


def with_sentence(world: World, sentence: str) -> str:
    """The source of the policy with one more sentence at its end."""
    return f"{world.policy.source.rstrip()}\n\n{sentence}\n"


def _without(world: World, pattern: str) -> str:
    """The source of the policy without the sentences that match. Raises `Inapplicable` if none does."""
    source, words = world.policy.source, re.compile(pattern, re.IGNORECASE)
    spans = [it.span for block in world.policy.blocks if block.kind != "heading" for it in block.sentences]
    matching = [span for span in spans if words.search(source[span.start : span.end])]
    if not matching:
        raise Inapplicable("the policy does not say it")
    for span in sorted(matching, key=lambda it: -it.start):
        source = source[: span.start] + source[span.end :]
    return source


# --- what the policy says ---------------------------------------------------------------------------------------------


def add(world: World, sentence: str, *, needs_recipients: bool = False) -> None:
    """The policy gets one more sentence."""
    if needs_recipients and not world.declaration.recipients:
        raise Inapplicable("no recipient")
    rewrite_policy(world, with_sentence(world, sentence))


def replaced(world: World, policy: str) -> None:
    rewrite_policy(world, policy)


def leave_out(world: World, pattern: str) -> None:
    rewrite_policy(world, _without(world, pattern))


# --- versions ---------------------------------------------------------------------------------------------------------


def _dated_table(world: World) -> tuple[str, str, Table]:
    """System, name and declaration of a table in a scratch database that records versions."""
    for system, name, table in world.database_tables():
        if table.notice:
            return system, name, table
    raise Inapplicable("no table records versions")


def new_version(
    world: World, old: str, new: str, *, announced_days: int | None = None, keeps: dict[str, Period] | None = None
) -> None:
    """The policy has been *old* since its day, and is *new* from today on. People were told of it some days ago."""
    policy, today = world.declaration.policy, world.now.date()
    before = Path("policies") / f"before-{policy.file.name}"
    if policy.effective >= today:
        raise Inapplicable("the policy is of today")
    (world.declaration.folder / before).write_text(old, encoding="utf-8")
    rewrite_policy(world, new)
    told = None
    if announced_days is not None:
        promised = world.declaration.notice.changes
        days = promised.days_before if promised else 30
        on = today - dt.timedelta(days=announced_days)
        told = Announcement(how=("email", "site"), days_before=days, on=on)
    earlier = DeclaredVersion(file=before, effective=policy.effective, keeps=keeps or {})
    changed = {"effective": today, "versions": (*policy.versions, earlier), "announce": told}
    world.declare(policy=world.declaration.policy.model_copy(update=changed))


def takes_effect(world: World, sentence: str, announced_days: int | None = None) -> None:
    """A policy with one more sentence takes effect. People were told so many days ago, if at all."""
    _dated_table(world)
    new_version(world, world.policy.source, with_sentence(world, sentence), announced_days=announced_days)


def unknown_version(world: World) -> None:
    system, name, table = _dated_table(world)
    statement = f"UPDATE `{name}` SET `{table.notice}` = ? WHERE rowid = (SELECT min(rowid) FROM `{name}`)"  # noqa: S608
    world.stores.run(system, statement, "2001-01-01")


def period_of_older_version(world: World) -> None:
    system, name, _ = _dated_table(world)
    for key, rule in world.declaration.retention.items():
        if rule.table == f"{system}.{name}":
            keeps = {key: Period(count=1, unit="day")}
            return new_version(world, world.policy.source, world.policy.source, announced_days=90, keeps=keeps)
    raise Inapplicable("no rule over a table that records versions")


def denied_recipient(world: World) -> None:
    _, _, table = _dated_table(world)
    kinds = tuple(sorted({use.category for use in table.fields.values()}))
    partner = Recipient(role=Sharing.CONTROLLER, country="GB", receives=kinds)
    new_version(world, with_sentence(world, _NEVER_SHARED), world.policy.source, announced_days=90)
    world.declare(recipients={**world.declaration.recipients, "partner": partner})


def rewritten_marks(world: World) -> None:
    if not world.declaration.policy.versions:
        raise Inapplicable("the policy has one version")
    for system, name, table in world.database_tables():
        if table.notice:
            today = world.declaration.policy.effective.isoformat()
            world.stores.run(system, f"UPDATE `{name}` SET `{table.notice}` = ?", today)  # noqa: S608


register(__name__)
