"""Control on mailing lists of processors: they agree with what people chose, and with whom we erased."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.service.core.deployment import Deployment
from troth.service.processors.actions import lists_of
from troth.service.processors.models import ListedPerson, ListEvent, SyncedList
from troth.text import counted

_AGE_MAX = dt.timedelta(hours=26)
_WAIT_MAX = dt.timedelta(minutes=30)
"""How long a stop or an erasure may wait for the processor."""


@dataclass(frozen=True, slots=True)
class ListState:
    """A list as it was when it was last compared, and how many stops, erasures and events of the processor have
    *waited* for long."""

    name: str
    may_track: bool
    compared_at: dt.datetime | None = None
    has_webhook: bool = False
    waiting: int = 0
    figures: Mapping[str, Any] = field(default_factory=dict)


def synced_lists(deployment: Deployment, now: dt.datetime) -> Sequence[ListState]:
    """Each declared list."""
    rows = {row.system: row for row in SyncedList.objects.all()}
    states = []
    for name, (_, plan) in lists_of(deployment).items():
        row, late = rows.get(name) or SyncedList(system=name), now - _WAIT_MAX
        waiting = ListEvent.objects.filter(system=name, at__lt=late).count()
        waiting += ListedPerson.objects.filter(system=name, due__gt=0, due_at__lt=late).count()
        states.append(ListState(name, plan.tracking, row.reconciled_at, row.has_webhook, waiting, row.figures))
    return states


_FAULTS: Mapping[str, tuple[str, str]] = {
    "forbidden": (
        "{} subscribed there although they had stopped it, and put back to unsubscribed",
        "find the import, form or integration that subscribed them",
    ),
    "unproven": (
        "{} on the list without a consent that is recorded here",
        "record the consents, or unsubscribe them there",
    ),
    "erased": ("{} there although erased here", "find the import or backup that brought them back"),
    "not_deletable": ("cannot be deleted there over the API", "delete them in the account, or write to the processor"),
    "unknown": ("{} there in a status that this version does not know", "look at the list in the account"),
    "unreadable": ("{} there with an address that is none", "correct or delete them in the account"),
}
"""Counts of a comparison that are faults; *{}* is was or were."""


@answers("mail.processor_in_sync")
def processor_in_sync(synced_lists: Sequence[ListState], now: dt.datetime) -> ControlResult:
    """GDPR Art. 7(3), 19, 21(3): stops and erasures hold at the processor. An old comparison shows nothing."""
    names = frozenset(state.name for state in synced_lists)
    recent = [state for state in synced_lists if state.compared_at and now - state.compared_at <= _AGE_MAX]
    members = sum(int(state.figures.get("members", 0)) for state in recent)
    oldest = min((state.compared_at for state in recent if state.compared_at), default=now)
    evidence = Evidence(
        names, frozenset(state.name for state in recent), population=members, tested=members, period=(oldest, now)
    )
    if not names:
        nothing = Evidence(frozenset({"declaration"}), frozenset({"declaration"}))
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No mailing list of a processor is declared.", nothing)
    findings = [finding for state in recent for finding in _findings(state)]
    figures = {"lists": len(names), "members": members, "faults": len(findings)}
    summary = f"{counted(len(recent), 'list')} of {len(names):,} compared within a day: {counted(members, 'member')}."
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)


def _findings(state: ListState) -> Iterator[ControlFinding]:
    for key, (what, fix) in _FAULTS.items():
        if count := int(state.figures.get(key, 0)):
            said = f"{counted(count, 'member')} {what.format('was' if count == 1 else 'were')}"
            yield ControlFinding(state.name, said, fix)
    if state.waiting:
        what = f"{counted(state.waiting, 'stop')} or other change waited for more than half an hour"
        yield ControlFinding(state.name, what, "see the jobs of the console, and that the processor answers")
    if not state.has_webhook or state.figures.get("webhook_lost"):
        what = "the list did not call us when it was compared" if state.has_webhook else "the list does not call us"
        fix = "make organisation.site reachable for the processor; the webhook is made again with each comparison"
        yield ControlFinding(state.name, f"{what}, so that stops there are seen once an hour only", fix)
    if not state.may_track and (tracking := state.figures.get("tracking")):
        shown = ", ".join(map(str, tracking[:5]))
        what = f"{counted(len(tracking), 'campaign')} counted who opened or clicked, and none may: {shown}"
        yield ControlFinding(state.name, what, "turn opens and clicks off, also in the templates and automations")
