"""Opens cases from forms, e-mail, the API and staff, and starts their processing.

Each function is one transaction in Troth's own database: the case, its event, its ledger entry and its e-mail commit
together. Enqueued jobs and e-mails are rows of the same commit, so none can be lost.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from troth.ledger import Entry, Pseudonym
from troth.ledger import Value as FieldValue
from troth.service.cases import case_links, lifecycle
from troth.service.cases import rules as case_rules
from troth.service.cases.aliases import each_alone
from troth.service.cases.content import CaseContent, SealedContent, answers_for_names, link_shows
from troth.service.cases.duty import AGENT_LINK, PROVE_LINK, STATUS_LINK
from troth.service.cases.handling import case_types, handling_of
from troth.service.cases.intake import mail_allowance
from troth.service.cases.messages import CaseEmail, day, write_all, write_to
from troth.service.cases.models import Case, CaseAlias, CaseEvent, CaseKind, CaseState, Channel, WaitReason
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record
from troth.service.mail.message_kinds import kinds
from troth.service.portal import links


@dataclass(frozen=True, slots=True)
class Intake:
    """A new request from a form, e-mail, the API or staff. Its `repr` shows no personal data."""

    kind: CaseKind
    content: CaseContent
    channel: Channel
    language: str = "en"
    right: str = ""
    residence: str = ""
    clause: str = ""
    tier: int = 0
    """Tier of identity proof given at intake: 3 from an application that signed the person in."""
    is_confidential: bool = False
    received_at: dt.datetime | None = None
    """Time of arrival if earlier than now; the clock starts then."""
    why: str = ""
    """Code of the reason for a prior review; empty if none is needed."""
    answers_case: int | None = None
    """Primary key of the preceding case: for an appeal, the case appealed against; for a request after a granted
    appeal, the appeal."""
    who: lifecycle.Actor = field(default=lifecycle.SUBJECT)
    program: str = ""
    """The program that opened it over the API; all its tokens may follow the case."""

    @property
    def type(self) -> str:
        """Name of the `CaseType`."""
        return self.right or self.kind

    @property
    def is_vouched_for(self) -> bool:
        """True if the submitter, or the handler of the preceding case, vouches for all identifiers."""
        return self.answers_case is not None or answers_for_names(self.who.actor, self.tier)

    def __repr__(self) -> str:
        return f"Intake({self.kind}, {self.right or '-'}, {self.channel})"


_SAME = ("kind", "right", "channel", "language", "residence", "clause", "is_confidential", "program", "tier")
"""Fields that a case has from its intake."""


def receive(intake: Intake, deployment: Deployment, *, now: dt.datetime) -> Case:
    """Open a case and start all automatic processing. Raises `CaseRefused` for invalid identifiers or purposes, and if
    the proof would be requested from a different address than the one that names the person."""
    return receive_all([intake], deployment, now=now)[0]


def receive_all(intakes: Sequence[Intake], deployment: Deployment, *, now: dt.datetime) -> list[Case]:
    """`receive` for many, in one transaction: all or none."""
    with transaction.atomic():
        opened = [_case(intake, deployment, now) for intake in intakes]
        if len(intakes) > 1:
            unproved = [one.content.address for one in intakes if one.tier == 0 and one.content.address]
            mail_allowance.hold(unproved, deployment, now=now)
        cases = [case for case, _ in opened]
        Case.objects.bulk_create(cases)
        for case in cases:
            case.reference = f"{case_types()[case.type].letter}-{case.received_at:%Y}-{case.pk:04d}"
        contents = [intake.content for intake in intakes]
        SealedContent(deployment.keyring).put_all(list(zip(cases, contents, strict=True)), now=now)
        Case.objects.bulk_update(cases, ["reference", "key", "content"], batch_size=200)
        events, entries = list[CaseEvent](), list[Entry]()
        for case, intake in zip(cases, intakes, strict=True):
            event, entry = lifecycle.told(case, "received", intake.who, deployment, now=case.received_at)
            events.append(event)
            entries.append(entry)
            if why := intake.why or _doubt(case, intake):
                what, facts = "needs_answer" if case_types()[case.type].is_answered else "needs_review", {"why": why}
                events.append(CaseEvent(case=case, at=event.at, what=what, actor="rule", facts=facts, is_internal=True))
        CaseAlias.objects.bulk_create(
            CaseAlias(case=case, name=name)
            for case, content in zip(cases, contents, strict=True)
            for name in each_alone(content, deployment)
        )
        CaseEvent.objects.bulk_create(events)
        record(*entries)
        lifecycle.tell_programs("case.received", cases, now=now)
        begun = [_Begun(case, intake.content, clocks) for (case, clocks), intake in zip(opened, intakes, strict=True)]
        _begin(begun, deployment, now)
    return cases


@dataclass(frozen=True, slots=True, repr=False)
class _Begun:
    case: Case
    content: CaseContent
    clocks: case_rules.Clocks


def _case(intake: Intake, deployment: Deployment, now: dt.datetime) -> tuple[Case, case_rules.Clocks]:
    """The unsaved row of a new case, and its clocks. The reference is set once the primary key exists."""
    received = min(intake.received_at or now, now)
    needed = handling_of(intake.type).admit(intake, deployment)
    case = Case(
        **{name: getattr(intake, name) for name in _SAME},
        reference=f"new-{id(intake):x}",
        state=CaseState.RECEIVED,
        by_agent=bool(intake.content.agent_address),
        received_at=received,
        tier_needed=needed,
        subject=lifecycle.subject_of(intake.content, deployment),
        answers_case_id=intake.answers_case,
    )
    if needed and intake.tier >= needed:
        case.verified_at = now
    return case, lifecycle.reckon(case, deployment, now=now)


def _doubt(case: Case, intake: Intake) -> str:
    """Code of the reason why a link or known data points are not enough as proof; empty if they are."""
    is_shown = not case.subject or not case.tier_needed or intake.is_vouched_for or link_shows(intake.content)
    return "" if is_shown else "not_shown"


def _begin(new: Sequence[_Begun], deployment: Deployment, now: dt.datetime) -> None:
    """Start new cases: mail a link that proves the channel, or begin processing."""
    ready = list[_Begun]()
    for one in new:
        handling_of(one.case.type).identified(one.case, one.content, deployment, now)
        if one.case.tier >= one.case.tier_needed:
            ready.append(one)
            continue
        one.case.state = CaseState.VERIFYING
        one.case.save(update_fields=["state"])
        if one.case.tier == 0:
            send_link(one.case, one.content, deployment, now=now)
    _go_on(ready, deployment, now)


def send_link(case: Case, content: CaseContent, deployment: Deployment, *, now: dt.datetime, again: int = 0) -> bool:
    """Mail a link that proves the channel; earlier links stay valid until they expire. If an agent asks for a person,
    the link goes to that person, who must authorise the agent first. True if it was mailed: unverified addresses have a
    daily limit."""
    is_for_another = bool(content.agent_address) and case.state == CaseState.VERIFYING
    kind = AGENT_LINK if is_for_another else PROVE_LINK
    secret = case_links.make(case, kind, now=now)
    facts: dict[str, Any] = {
        "link": links.address_of(secret, deployment),
        "until": now + kind.lasts,
        "hours": links.SESSION_HOURS,
    }
    number = str(again) if again else ""
    if is_for_another:
        facts["right"] = case.right  # no name: it is free text that anyone could have us mail to anyone
        row = write_to(content.address, case, "agent_authority", deployment, facts, now=now, again=number)
    else:
        facts["what"] = case.type
        if case.state != CaseState.VERIFYING or case.tier:
            facts["known"] = "yes"
        row = write_to(content.address, case, "link", deployment, facts, now=now, again=number)
    if row is None:
        links.drop(secret)
    return row is not None


def prove(case_id: int, deployment: Deployment, *, now: dt.datetime, tier: int = 1) -> Case:
    """Record that the person has proved their identity to *tier*; continue the case if that suffices. Idempotent."""
    with transaction.atomic():
        case = lifecycle.locked(case_id)
        if case.tier < tier and case.state == CaseState.VERIFYING:
            _proved(case, tier, deployment, now=now)
        return case


def _proved(case: Case, tier: int, deployment: Deployment, *, now: dt.datetime) -> None:
    """Set the case's tier in the caller's transaction, and continue the case if the tier suffices."""
    case.tier = tier
    is_enough = tier >= case.tier_needed
    if is_enough:
        case.verified_at = now
    clocks = lifecycle.reckon(case, deployment, now=now)
    case.save(update_fields=["tier", "verified_at", "due_on", "due_by"])
    CaseEvent.objects.create(case=case, at=now, what="verified", actor=lifecycle.SUBJECT.actor, facts={"tier": tier})
    subject: dict[str, FieldValue] = {"subject": Pseudonym(case.subject)} if case.subject else {}
    record(Entry("case.verified", now, {"case": lifecycle.pseudonym_of(case, deployment), "tier": tier, **subject}))
    lifecycle.tell_programs("case.verified", [case], now=now)
    content = SealedContent(deployment.keyring).content(case)
    handling_of(case.type).identified(case, content, deployment, now)
    if is_enough:
        _go_on([_Begun(case, content, clocks)], deployment, now)


def _go_on(proved: Sequence[_Begun], deployment: Deployment, now: dt.datetime) -> None:
    """Begin processing, since the required proof is there, and acknowledge the cases that are not yet."""
    cases = [one.case for one in proved]
    doubted = set(CaseEvent.objects.filter(case__in=cases, what="needs_review").values_list("case_id", flat=True))
    fresh = [one for one in proved if one.case.acknowledged_at is None]
    for case in cases:
        case.state, case.needs = CaseState.IN_PROGRESS, _first_need(case, is_doubted=case.pk in doubted)
    for one in fresh:
        one.case.acknowledged_at = now
    for one in proved:
        handling_of(one.case.type).begun(one.case, one.content, deployment, now)
    _acknowledge(fresh, deployment, now)
    Case.objects.bulk_update(cases, ["state", "needs", "acknowledged_at"], batch_size=200)


def _first_need(case: Case, *, is_doubted: bool) -> str:
    if case_types()[case.type].is_answered:
        return WaitReason.ANSWER
    if not case.subject or (case.channel != Channel.CENTRE and is_doubted):
        return WaitReason.REVIEW
    return ""


def _acknowledge(fresh: Sequence[_Begun], deployment: Deployment, now: dt.datetime) -> None:
    """Confirm to each person that the case is open, with its deadline and status link. Where the daily limit of an
    unverified address is reached, the case stays unacknowledged."""
    secrets = case_links.make_all([one.case for one in fresh], STATUS_LINK, now=now)
    answers = [
        _acknowledgement(one, links.address_of(secret, deployment), deployment, now)
        for one, secret in zip(fresh, secrets, strict=True)
    ]
    acknowledged = list[lifecycle.CaseChange]()
    for one, secret, is_queued in zip(fresh, secrets, write_all(answers, deployment, now=now), strict=True):
        if is_queued or not one.content.address:
            acknowledged.append(lifecycle.CaseChange(one.case, "acknowledged", due=one.clocks.first.on))
        else:
            one.case.acknowledged_at = None
            links.drop(secret)
    lifecycle.put_all_on_record(acknowledged, lifecycle.RULE, deployment, now=now)


def _acknowledgement(begun: _Begun, status: str, deployment: Deployment, now: dt.datetime) -> CaseEmail:
    case, received = begun.case, day(begun.case.received_at, deployment)
    kind = case_types()[case.type].acknowledged
    with translation.override(case.language):
        # Our own standards are not cited as laws.
        cited = [clock.citation for clock in begun.clocks.answer if not clock.rule.startswith("standards.")]
        laws = tuple(dict.fromkeys(str(law) for law in cited if law is not None)) or (gettext("our own promise"),)
        next_step = handling_of(case.type).next_step(case, begun.content, deployment, now)
    facts: dict[str, Any] = {"received": received, "due": begun.clocks.first.on, "status": status, "laws": laws}
    facts |= {"right": case.right, "verification": ("none", "link", "points", "account", "document")[case.tier]}
    facts |= {"next": next_step} if next_step else {}
    stated = {**kinds()[kind].needs, **kinds()[kind].may}
    return CaseEmail(case, kind, {name: fact for name, fact in facts.items() if name in stated}, begun.content)


def open_again(case: Case, deployment: Deployment, *, now: dt.datetime) -> Case:
    """Open the case that *case* followed again, as a new case. Raises `CaseRefused` if its content is gone."""
    first = case.answers_case
    if first is None or first.content is None:
        raise lifecycle.CaseRefused("what was asked for at first is not kept any more; open it as a request of its own")
    intake = Intake(
        kind=CaseKind(first.kind),
        content=dataclasses.replace(SealedContent(deployment.keyring).content(first), answer="", question=""),
        channel=Channel(case.channel),
        language=first.language,
        right=first.right,
        residence=first.residence,
        tier=first.tier,
        is_confidential=first.is_confidential,
        answers_case=case.pk,
    )
    return receive(intake, deployment, now=now)
