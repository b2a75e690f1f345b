"""Breaches in the policy and its versions."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from troth.declaration import Period, Recipient, Sharing, Table
from troth.declaration.versions import Announcement, DeclaredVersion
from troth.rehearsal.breaches import breach
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


@breach("policy.lint_clean", "A rewrite leaves out that people can complain to an authority.")
def no_complaint_right(world: World) -> None:
    rewrite_policy(world, _without(world, r"complain|regulator|authority|commissioner|\bico\b"))


@breach("policy.lint_clean", "Somebody adds that the data goes to nobody, although recipients get it.")
def denies_recipients(world: World) -> None:
    if not world.declaration.recipients:
        raise Inapplicable("no recipient")
    rewrite_policy(world, with_sentence(world, _NEVER_SHARED))


@breach("policy.lint_clean", "A lawyer adds that data is kept for as long as the company likes.")
def vague_period(world: World) -> None:
    rewrite_policy(world, with_sentence(world, KEPT_FOR_EVER))


@breach("policy.lint_clean", "The policy is replaced with two lines of marketing.")
def replaced(world: World) -> None:
    rewrite_policy(world, "# Privacy\n\nWe love your privacy. Trust us, and enjoy our website.\n")


@breach(
    "policy.lint_clean",
    "Somebody adds a sentence that is not true.",
    unseen="no rule compares a sentence about what people do with what they do",
)
def untrue_sentence(world: World) -> None:
    rewrite_policy(world, with_sentence(world, "Nobody who works here has ever seen the inside of an attachment."))


# --- versions ---------------------------------------------------------------------------------------------------------


def _dated_table(world: World) -> tuple[str, str, Table]:
    """System, name and declaration of a table in a scratch database that records versions."""
    for place, table in world.tables():
        system, _, name = place.partition(".")
        if table.notice and world.stores.is_database(system):
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


@breach("collection.version_honoured", "An import writes rows under a version of the policy that never was.")
def unknown_version(world: World) -> None:
    system, name, table = _dated_table(world)
    statement = f"UPDATE `{name}` SET `{table.notice}` = ? WHERE rowid = (SELECT min(rowid) FROM `{name}`)"  # noqa: S608
    world.stores.run(system, statement, "2001-01-01")


@breach("collection.version_honoured", "A weaker policy takes effect, and nobody was told.")
def weaker_unannounced(world: World) -> None:
    _dated_table(world)
    new_version(world, world.policy.source, with_sentence(world, KEPT_FOR_EVER))


@breach("collection.version_honoured", "People are told of a weaker policy three days before it takes effect.")
def weaker_announced_late(world: World) -> None:
    _dated_table(world)
    new_version(world, world.policy.source, with_sentence(world, KEPT_FOR_EVER), announced_days=3)


@breach("collection.version_honoured", "Rows are kept for longer than the version promised under which they came.")
def period_of_older_version(world: World) -> None:
    system, name, _ = _dated_table(world)
    for key, rule in world.declaration.retention.items():
        if rule.table == f"{system}.{name}":
            keeps = {key: Period(count=1, unit="day")}
            return new_version(world, world.policy.source, world.policy.source, announced_days=90, keeps=keeps)
    raise Inapplicable("no rule over a table that records versions")


@breach("collection.version_honoured", "A new partner gets the data of people to whom an older version denied that.")
def denied_recipient(world: World) -> None:
    _, _, table = _dated_table(world)
    kinds = tuple(sorted({use.category for use in table.fields.values()}))
    partner = Recipient(role=Sharing.CONTROLLER, country="GB", receives=kinds)
    new_version(world, with_sentence(world, _NEVER_SHARED), world.policy.source, announced_days=90)
    world.declare(recipients={**world.declaration.recipients, "partner": partner})


@breach("collection.version_honoured", "All rows are set to the version of today, without asking anybody.")
def rewritten_marks(world: World) -> None:
    for place, table in world.tables():
        system, _, name = place.partition(".")
        if table.notice and world.stores.is_database(system):
            today = world.declaration.policy.effective.isoformat()
            world.stores.run(system, f"UPDATE `{name}` SET `{table.notice}` = ?", today)  # noqa: S608


@breach(
    "collection.version_honoured",
    "A promise about how people are treated ends for those who came under it.",
    unseen="only periods and plain denials of a use can be decided; the check lists the lines of the others",
)
def other_promise(world: World) -> None:
    _dated_table(world)
    promise = "We will always ask a person to check your order before we refuse it."
    new_version(world, with_sentence(world, promise), world.policy.source, announced_days=90)
