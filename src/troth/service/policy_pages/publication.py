"""Publication of the policy and its versions.

A job publishes changes of the policy's file, with a ledger entry; the text is kept in a row. A change that
promises less and is not announced in time is refused: the published version stays, until there is a plan or the change
is reverted (clause C55). The notice period starts when the job first publishes the text, at the earliest: an
older announcement does not cover a later text.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.db import IntegrityError, transaction
from django.utils import timezone

from troth.ledger import Entry, Hash
from troth.policy import Kind, PolicyError, PolicyText, read
from troth.policy.versions import Comparison, Issue, VersionChange, chain, compare, todays
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record
from troth.service.policy_pages.models import PublishedRow

_LOG = logging.getLogger("troth.policy")


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """The public text, its effective date, its *name*, the date of the coming version, and why the file's own text is
    not published (empty if it is)."""

    policy: PolicyText
    effective: dt.date
    name: str
    coming: dt.date | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class VersionPage:
    """A version as displayed. Its *name* is its effective date, with ``-2`` and so on if a later one has the same date;
    *comparison* is with the one before."""

    name: str
    effective: dt.date
    policy: PolicyText
    comparison: Comparison | None = None
    announced: dt.date | None = None
    published: PublishedRow | None = None

    @property
    def part(self) -> str:
        """Suffix among versions of the same date; empty for the first."""
        return self.name.removeprefix(self.effective.isoformat()).removeprefix("-")


def publish(deployment: Deployment, now: dt.datetime) -> bool:
    """Publish the next unpublished version among the policy's file and the declared versions after it, if allowed; at
    most one. True if one was.

    The first time, publish the version in force by the declaration: an earlier one if today's file must wait.
    """
    last, today = _last(), timezone.localdate(now)
    issue = _next(deployment) if last else _declared(deployment, today)
    if issue is None:
        return False
    if last is not None and (why := _refused(issue, last, today)):
        _LOG.warning("a version of the policy is not published: %s; see `troth policy diff`", why)
        return False
    compared = _compared(last.source, _kind(last), issue.text.source, issue.kind) if last else None
    verdict, weaker = (compared.verdict.value, len(compared.weaker)) if compared else ("first", 0)
    fields: dict[str, Hash | dt.date | str | int] = {
        "policy": Hash(issue.hash),
        "effective": issue.effective,
        "verdict": verdict,
        "weaker": weaker,
    }
    if last is not None:
        fields["before"] = Hash(last.digest)
    with contextlib.suppress(IntegrityError), transaction.atomic(durable=True):  # another process was first
        row = PublishedRow(number=last.number + 1 if last else 1, digest=issue.hash, effective=issue.effective, at=now)
        row.source, row.kind, row.verdict, row.weaker = issue.text.source, issue.kind, verdict, weaker
        row.entry = record(Entry("policy.published", now, fields))[0]
        row.save()
        return True
    return False


def in_force(deployment: Deployment, today: dt.date) -> PublishedPolicy:
    """Public version today: the published one, or, if there is none yet, the one in force by the declaration."""
    last = _last()
    if last is None:
        issue = _declared(deployment, today)
        return PublishedPolicy(issue.text, issue.effective, issue.name)
    row = _row_in_force(today) or last
    coming = last.effective if last.effective > today and last != row else None
    name = _names(_days(row.number))[-1]
    waiting = _next(deployment)
    refused = _refused(waiting, last, today) if waiting else ""
    return PublishedPolicy(read(row.source, kind=_kind(row)), row.effective, name, coming, refused)


def held_back(deployment: Deployment, now: dt.datetime) -> str:
    """Why the policy's file, or a declared version after it, is withheld; empty if none is."""
    last = _last()
    waiting = _next(deployment) if last else None
    return _refused(waiting, last, timezone.localdate(now)) if last and waiting else ""


def is_published(deployment: Deployment) -> bool:
    """True if a version was published, and the policy's file and every declared version after it are."""
    return _last() is not None and _next(deployment) is None


def versions_of(deployment: Deployment, today: dt.date) -> Sequence[VersionPage]:
    """Every published version, then those that only the declaration names; latest first. If a file cannot be read, the
    latter are omitted, and `troth check` says why."""
    rows = list(PublishedRow.objects.select_related("entry").order_by("number"))
    issues = _chain(deployment)
    told = {(issue.hash, issue.effective): issue.announce.on for issue in issues if issue.announce}
    first, taken = (
        rows[0].effective if rows else _declared(deployment, today).effective,
        {row.effective for row in rows},
    )
    earlier = [issue for issue in issues if issue.effective <= first and issue.effective not in taken]
    known = [*((issue, None) for issue in earlier), *((_issue(row), row) for row in rows)]
    names = _names(issue.effective for issue, _ in known)
    found: list[VersionPage] = []
    before: Issue | None = None
    for name, (issue, row) in zip(names, known, strict=True):
        compared = _between(before, issue) if before else None
        announced = told.get((issue.hash, issue.effective))
        found.append(VersionPage(name, issue.effective, issue.text, compared, announced, row))
        before = issue
    return found[::-1]


def _names(days: Iterable[dt.date]) -> list[str]:
    """Names of versions with these effective dates, in order."""
    seen: Counter[dt.date] = Counter()
    names = []
    for day in days:
        seen[day] += 1
        names.append(day.isoformat() if seen[day] == 1 else f"{day}-{seen[day]}")
    return names


def _days(number: int) -> Iterable[dt.date]:
    """Effective dates of the versions up to that row."""
    rows = PublishedRow.objects.filter(number__lte=number).order_by("number")
    return rows.values_list("effective", flat=True)


def _declared(deployment: Deployment, today: dt.date) -> Issue:
    """The version in force by the declaration: the last one that is effective and may follow the one before. If the
    versions cannot be read, the policy's file."""
    if not deployment.declaration.policy.versions:
        return todays(deployment.declaration, deployment.policy)
    if not (issues := _chain(deployment)):
        return todays(deployment.declaration, deployment.policy)
    current = issues[0]
    for issue in issues[1:]:
        if issue.effective <= today and not VersionChange(current, issue, _between(current, issue)).refused:
            current = issue
    return current


def _chain(deployment: Deployment) -> Sequence[Issue]:
    """The declared versions, in order; empty if one cannot be read, which `troth check` explains."""
    try:
        return chain(deployment.declaration)
    except PolicyError as error:
        _LOG.warning("the declared versions of the policy cannot be read: %s", error)
        return ()


def _kind(row: PublishedRow) -> Kind:
    """Format of the row's text."""
    return "html" if row.kind == "html" else "text" if row.kind == "text" else "markdown"


def _issue(row: PublishedRow) -> Issue:
    text, kind = read(row.source, kind=_kind(row)), _kind(row)
    return Issue(row.effective.isoformat(), row.effective, text, "policy", kind=kind)


def _last() -> PublishedRow | None:
    return PublishedRow.objects.order_by("-number").first()


def _row_in_force(today: dt.date) -> PublishedRow | None:
    """The latest effective version: a later publication replaces a coming one."""
    return PublishedRow.objects.filter(effective__lte=today).order_by("-number").first()


def _next(deployment: Deployment) -> Issue | None:
    """The first unpublished one of the policy's file and later versions; None if all are published."""
    wanted = _wanted(deployment)
    keys = [(issue.hash, issue.effective) for issue in wanted]
    rows = PublishedRow.objects.order_by("-number").values_list("digest", "effective")[: len(keys)]
    latest = list(rows)[::-1]
    done = next(many for many in range(len(keys), -1, -1) if latest[len(latest) - many :] == keys[:many])
    return wanted[done] if done < len(wanted) else None


def _wanted(deployment: Deployment) -> list[Issue]:
    """The policy's file and the declared versions after it."""
    new = todays(deployment.declaration, deployment.policy)
    if all(one.effective <= new.effective for one in deployment.declaration.policy.versions):
        return [new]
    return [new, *(issue for issue in _chain(deployment) if issue.effective > new.effective)]


def _refused(new: Issue, last: PublishedRow, today: dt.date) -> str:
    """Why a version may not follow the last published one; empty if it may."""
    row = _row_in_force(today)
    if row is not None and (row.digest, row.effective) == (new.hash, new.effective):
        return ""  # the version in force takes nothing away: so a coming version is withdrawn
    olds = [last]
    if row is not None and row != last and new.effective < last.effective:
        olds.append(
            row
        )  # effective before the last published version: compare it with the one that is in force until then
    steps = (VersionChange(old, new, _between(old, new)) for old in map(_issue, olds))
    return next((why for step in steps if (why := step.refused_on(today))), "")


def _between(old: Issue, new: Issue) -> Comparison:
    return _compared(old.text.source, old.kind, new.text.source, new.kind)


@lru_cache(maxsize=32)
def _compared(old: str, old_kind: Kind, new: str, new_kind: Kind) -> Comparison:
    """Cached per change: a comparison costs as much as a page."""
    return compare(read(old, kind=old_kind), read(new, kind=new_kind))
