"""Basic operations on cases: lock, recalculate clocks, record changes, close.

The case, its event, its ledger entry and its webhook messages are rows of one commit, that of the caller.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from troth.law import ClockPause as PausedDays
from troth.ledger import Entry, Pseudonym
from troth.ledger import Value as FieldValue
from troth.service.api import webhooks
from troth.service.cases import rules
from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.handling import by_handling, case_types
from troth.service.cases.messages import day
from troth.service.cases.models import Case, CaseEvent, CasePause, CaseState, WaitReason
from troth.service.configuration import ServiceError
from troth.service.core import control_events
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record
from troth.service.staff.approvals import ApprovalPurpose, ApprovalRequest
from troth.service.staff.effective_rights import person_of
from troth.service.staff.models import StaffMember
from troth.service.staff.rights import StaffRight as Leave
from troth.service.staff.rules import rights_of
from troth.subjects import IdentityRefused, references


class CaseRefused(ServiceError):
    """The action is not allowed in the case's state or by law; the message gives the reason and an alternative."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The actor: ``subject``, ``agent``, ``staff``, ``owner`` or ``rule``; for staff, *by* is their pseudonym."""

    actor: str = "rule"
    by: str = ""


SUBJECT, RULE = Actor("subject"), Actor("rule")
_PLANS = ApprovalPurpose("requests.plan")


def plan_approval(case: Case, plan_hash: str) -> ApprovalRequest:
    """The approval of a plan of *case* by somebody else, for one execution."""
    return ApprovalRequest(_PLANS, case.about, plan_hash)


def reckon(case: Case, deployment: Deployment, *, now: dt.datetime) -> rules.Clocks:
    """Recalculate the clocks and set the earliest deadline in the case; the caller saves it."""
    pauses = case.pauses.order_by("asked_at") if case.pk else ()
    asked = rules.ClockInputs(
        kind=case.kind,
        right=case.right,
        received_at=case.received_at,
        verified_at=case.verified_at,
        residence=case.residence,
        pauses=tuple(PausedDays(each.asked_at, each.answered_at) for each in pauses),
        is_extended=case.extended_at is not None,
    )
    clocks = rules.clocks(asked, deployment.declaration, now=now)
    case.due_on, case.due_by = clocks.first.on, clocks.first.rule
    return clocks


def close(
    case: Case,
    outcome: str,
    deployment: Deployment,
    *,
    who: Actor,
    now: dt.datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """`close_all` for one case. What the caller has changed in *case* is saved as well."""
    case.save()
    close_all([Closing(case, outcome, facts or {})], deployment, who=who, now=now)


@dataclass(frozen=True, slots=True)
class Closing:
    """A case with its outcome, and *facts* for its event."""

    case: Case
    outcome: str
    facts: Mapping[str, Any]


def close_all(closings: Sequence[Closing], deployment: Deployment, *, who: Actor, now: dt.datetime) -> None:
    """Close cases in the caller's transaction; the caller has locked them and queued their e-mails."""
    closing_of = {closing.case.pk: closing for closing in closings}
    for handling, group in by_handling(closing.case for closing in closings).items():
        handling.closing([closing_of[case.pk] for case in group], deployment, now)
    for closing in closings:
        case = closing.case
        case.state, case.outcome, case.needs = CaseState.CLOSED, closing.outcome, ""
        case.closed_at, case.batch = now, None
    cases = [closing.case for closing in closings]
    for outcome in {case.outcome for case in cases}:
        Case.objects.filter(pk__in=[case.pk for case in cases if case.outcome == outcome]).update(
            state=CaseState.CLOSED, outcome=outcome, needs="", closed_at=now, batch=None
        )
    CasePause.objects.filter(case__in=cases, answered_at=None).update(answered_at=now)
    rows = record(*(_closed(case, who, deployment, now) for case in cases))
    CaseEvent.objects.bulk_create(
        CaseEvent(
            case=closing.case,
            at=now,
            what="closed",
            actor=who.actor,
            by=who.by,
            facts={"outcome": closing.outcome, "entry": row.pk, **closing.facts},
        )
        for closing, row in zip(closings, rows, strict=True)
    )
    tell_programs("case.closed", cases, now=now)
    control_events.note("case.closed", now=now)


def _closed(case: Case, who: Actor, deployment: Deployment, now: dt.datetime) -> Entry:
    in_time = case.due_on is None or day(now, deployment) <= case.due_on
    ended: dict[str, FieldValue] = {"outcome": case.outcome, "in_time": "yes" if in_time else "no"}
    return Entry("case.closed", now, entry_fields(case, who, deployment) | ended)


def entry_fields(case: Case, who: Actor, deployment: Deployment, due: dt.date | None = None) -> dict[str, FieldValue]:
    """Fields of every entry about *case*."""
    fields: dict[str, FieldValue] = {"case": pseudonym_of(case, deployment), "actor": who.actor}
    fields |= {"subject": Pseudonym(case.subject)} if case.subject else {}
    fields |= {"by": Pseudonym(who.by)} if who.by else {}
    return fields | ({"due": due} if due else {})


def note(case: Case, text: str, deployment: Deployment, *, who: Actor, now: dt.datetime) -> None:
    """Add a handler's note to the case; the person does not see it on the status page."""
    sealed = SealedContent(deployment.keyring).seal_note(case, text)
    CaseEvent.objects.create(case=case, at=now, what="note", actor=who.actor, by=who.by, note=sealed, is_internal=True)


def locked(case_id: int) -> Case:
    """The case, with a row lock until the transaction ends."""
    return Case.objects.select_for_update(of=("self",)).select_related("key").get(pk=case_id)


def locked_all(case_ids: Collection[int]) -> list[Case]:
    """The cases in the order of their ids, with row locks until the transaction ends."""
    cases = Case.objects.select_for_update(of=("self",)).select_related("key")
    return list(cases.filter(pk__in=case_ids).order_by("pk"))


def require_open(case: Case) -> None:
    if case.state == CaseState.CLOSED:
        raise CaseRefused(f"{case.reference} is closed; open a new case for anything new")


def require_other(case: Case, who: Actor) -> None:
    """Raise `CaseRefused` if *who* acted on the case that *case* is against: they must not decide on it."""
    if not case_types()[case.type].is_followup or case.answers_case_id is None or not who.by:
        return
    if CaseEvent.objects.filter(case=case.answers_case_id, by=who.by).exists():
        raise CaseRefused(f"you worked on the answer that {case.reference} is about: somebody else has to decide")


def has_other(case: Case, now: dt.datetime) -> bool:
    """True if there is a staff member who may decide on *case* and did not act on the case it is against, so
    that `require_other` would let them."""
    wanted = Leave.OFFICER if case.is_confidential else Leave.CASES_HANDLE
    had_part = CaseEvent.objects.filter(case=case.answers_case_id).values("by")
    others = StaffMember.objects.filter(left_at=None).exclude(pseudonym__in=had_part).select_related("user")
    return any(
        wanted in rights_of(member.grants.filter(ended_at=None), person_of(member), now=now) for member in others
    )


def require_untouched(case: Case) -> None:
    """Raise `CaseRefused` while the case is being executed: it can then be neither paused nor withdrawn."""
    if case.batch_id is not None or case.needs == WaitReason.SYSTEMS:
        raise CaseRefused(f"{case.reference} is being carried out: it can no longer be paused or withdrawn")


def pseudonym_of(case: Case, deployment: Deployment) -> Pseudonym:
    return deployment.keyring.pseudonym("case", case.reference)


def told(case: Case, what: str, who: Actor, deployment: Deployment, *, now: dt.datetime) -> tuple[CaseEvent, Entry]:
    fields = entry_fields(case, who, deployment, case.due_on) | {"what": case.kind, "channel": case.channel}
    fields |= {"right": case.right} if case.right else {}
    facts = {"channel": case.channel, "tier": case.tier}
    event = CaseEvent(case=case, at=now, what=what, actor=who.actor, by=who.by, facts=facts)
    return event, Entry("case.received", now, fields)


def put_on_record(
    case: Case,
    change: str,
    who: Actor,
    deployment: Deployment,
    *,
    now: dt.datetime,
    due: dt.date | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """`put_all_on_record` for one change."""
    put_all_on_record([CaseChange(case, change, due, facts or {})], who, deployment, now=now)


@dataclass(frozen=True, slots=True)
class CaseChange:
    """A change of a case, with its new deadline and *facts* for its event."""

    case: Case
    change: str
    due: dt.date | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def put_all_on_record(changes: Sequence[CaseChange], who: Actor, deployment: Deployment, *, now: dt.datetime) -> None:
    """Record changes of cases in their events, the ledger and for webhooks, in the caller's transaction."""
    CaseEvent.objects.bulk_create(
        CaseEvent(
            case=one.case,
            at=now,
            what=one.change,
            actor=who.actor,
            by=who.by,
            facts={**one.facts, **({"due": one.due.isoformat()} if one.due else {})},
        )
        for one in changes
    )
    fields = ({**entry_fields(one.case, who, deployment, one.due), "change": one.change} for one in changes)
    record(*(Entry("case.changed", now, change) for change in fields))
    for name in dict.fromkeys(one.change for one in changes):
        event = "case.escalated" if name == "escalated" else "case.changed"
        tell_programs(event, [one.case for one in changes if one.change == name], now=now, change=name)


def tell_programs(event: str, cases: Iterable[Case], *, now: dt.datetime, **more: str) -> None:
    """Queue webhook messages about *cases*, except confidential ones, in the caller's transaction."""
    webhooks.tell(event, *(facts_of(case) | more for case in cases if not case.is_confidential), now=now)


def facts_of(case: Case) -> dict[str, Any]:
    """Facts about a case for webhooks: its status, but nothing about the person."""
    facts = {name: getattr(case, name) for name in ("reference", "kind", "right", "state", "outcome")}
    return facts | {"due_on": case.due_on.isoformat() if case.due_on else None}


def subject_of(content: CaseContent, deployment: Deployment) -> str:
    """Keyed reference of the subject; empty if nobody is named. Raises `CaseRefused` for invalid identifiers."""
    try:
        identity = content.identity
    except IdentityRefused as refused:
        raise CaseRefused(str(refused)) from None
    return str(references([identity], deployment.keyring)[0]) if identity is not None else ""
