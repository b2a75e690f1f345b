"""Which version of the policy is published, and what its versions were.

A change of the policy's file is published by the keep loop, with an entry in the ledger; the text stays in a row. A
change that promises less than what is published, and that nobody is told of in time, is refused: what was published
stays on the page, until there is a plan or the change is taken back (clause C55).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.db import IntegrityError, transaction

from troth.ledger import Entry, Hash
from troth.policy import Kind, PolicyError, PolicyText, kind_of, read
from troth.policy.versions import Comparison, Issue, chain, compare, why_not
from troth.service.board.models import PublishedRow
from troth.service.company import Company
from troth.service.record.ledger import record

__all__ = ["Shown", "Version", "in_force", "publish", "versions_of"]

_LOG = logging.getLogger("troth.policy")


@dataclass(frozen=True, slots=True)
class Shown:
    """The text that the public reads, since when it counts, the version that will follow it, and why the file's own
    text is not published (empty where it is)."""

    policy: PolicyText
    effective: dt.date
    coming: dt.date | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A version as its page tells of it: *comparison* is with the one before it."""

    effective: dt.date
    policy: PolicyText
    comparison: Comparison | None = None
    announced: dt.date | None = None
    published: PublishedRow | None = None


def publish(here: Company, now: dt.datetime) -> bool:
    """Publish the policy's file where it is another than what was published last, and may be. Whether it was."""
    last, digest = _last(), _digest(here.policy)
    if last is not None and (last.digest, last.effective) == (digest, here.declaration.policy.effective):
        return False
    if why := _refused(here, last):
        _LOG.warning("the policy's file is not published: %s; see `troth policy diff`", why)
        return False
    kind = kind_of(here.declaration.policy.file.name)
    compared = _compared(last.source, _kind(last), here.policy.source, kind) if last else None
    verdict, weaker = (compared.verdict.value, len(compared.weaker)) if compared else ("first", 0)
    effective = here.declaration.policy.effective
    fields: dict[str, Hash | dt.date | str | int] = {
        "policy": Hash(digest),
        "effective": effective,
        "verdict": verdict,
        "weaker": weaker,
    }
    if last is not None:
        fields["before"] = Hash(last.digest)
    with contextlib.suppress(IntegrityError), transaction.atomic(durable=True):  # another process was first
        row = PublishedRow(number=last.number + 1 if last else 1, digest=digest, effective=effective, at=now)
        row.source, row.kind, row.verdict, row.weaker = here.policy.source, kind, verdict, weaker
        row.entry = record(Entry("policy.published", now, fields))[0]
        row.save()
        return True
    return False


def in_force(here: Company, today: dt.date) -> Shown:
    """What the public reads today. Where nothing was published yet, that is the policy's file."""
    policy, last = here.declaration.policy, _last()
    refused = _refused(here, last)
    if not refused and (policy.effective <= today or last is None):
        return Shown(here.policy, policy.effective)
    row = PublishedRow.objects.filter(effective__lte=today).order_by("-effective", "-number").first()
    if row is None:
        return Shown(here.policy, policy.effective, refused=refused)
    return Shown(read(row.source, kind=_kind(row)), row.effective, None if refused else policy.effective, refused)


def versions_of(here: Company) -> Sequence[Version]:
    """Every version that the declaration names, the latest first; for a change that is refused, what was published
    last. Where a file cannot be read only today's version is told, and `troth check` says why."""
    last = _last()
    refused = last is not None and bool(_refused(here, last))
    try:
        issues = chain(here.declaration)
    except PolicyError as error:
        _LOG.warning("the versions of the policy cannot be shown: %s", error)
        shown = in_force(here, here.declaration.policy.effective)
        return [Version(shown.effective, shown.policy)]
    if last is not None and refused:
        text = read(last.source, kind=_kind(last))
        kept = Issue(last.effective.isoformat(), last.effective, text, "policy")
        others = [issue for issue in issues if issue.path != "policy" and issue.effective != last.effective]
        issues = tuple(sorted([*others, kept], key=lambda issue: issue.effective))
    rows = {(row.digest, row.effective): row for row in PublishedRow.objects.select_related("entry")}
    found = [
        Version(
            issue.effective,
            issue.text,
            compare(before.text, issue.text) if before else None,
            issue.announce.on if issue.announce else None,
            rows.get((_digest(issue.text), issue.effective)),
        )
        for before, issue in zip((None, *issues), issues, strict=False)
    ]
    return found[::-1]


def _kind(row: PublishedRow) -> Kind:
    """How the text of that row is read."""
    return "html" if row.kind == "html" else "text" if row.kind == "text" else "markdown"


def _last() -> PublishedRow | None:
    return PublishedRow.objects.order_by("-number").first()


def _refused(here: Company, last: PublishedRow | None) -> str:
    """Why the policy's file may not follow what was published last; empty where it may, and where it is the same."""
    if last is None or last.digest == _digest(here.policy):
        return ""
    policy = here.declaration.policy
    compared = _compared(last.source, _kind(last), here.policy.source, kind_of(policy.file.name))
    return why_not(compared, policy.announce, policy.effective)


@lru_cache(maxsize=8)
def _compared(old: str, old_kind: Kind, new: str, new_kind: Kind) -> Comparison:
    """A comparison takes as long as a page: it is made once for each change."""
    return compare(read(old, kind=old_kind), read(new, kind=new_kind))


def _digest(policy: PolicyText) -> str:
    return Hash.of(policy.source.encode()).text
