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
from django.utils import formats, translation
from django.utils.translation import gettext

from troth.declaration import Declaration
from troth.ledger import Entry, Pseudonym
from troth.ledger import Value as FieldValue
from troth.service.cases import case_links, identity
from troth.service.cases import rules as case_rules
from troth.service.cases.aliases import each_alone
from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.duty import AGENT_LINK, PROVE_LINK, STATUS_LINK
from troth.service.cases.intake import mail_allowance
from troth.service.cases.lifecycle import (
    RULE,
    SUBJECT,
    Actor,
    CaseChange,
    CaseRefused,
    has_other,
    locked,
    pseudonym_of,
    put_all_on_record,
    reckon,
    subject_of,
    tell_programs,
    told,
)
from troth.service.cases.messages import CaseEmail, day, write_all, write_to
from troth.service.cases.models import Case, CaseAlias, CaseEvent, CaseKind, CaseState, Channel, Right, WaitReason
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record
from troth.service.portal import links
from troth.service.requests import rules
from troth.service.requests.fulfilment.holds import confirm_hold as freeze_for_good
from troth.service.requests.fulfilment.holds import place_hold
from troth.service.requests.fulfilment.restriction import record_choice
from troth.service.requests.models import CHOICES

_LETTER_OF = {CaseKind.REQUEST: "R", CaseKind.COMPLAINT: "C", CaseKind.QUESTION: "Q"}


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
    who: Actor = field(default=SUBJECT)
    program: str = ""
    """The program that opened it over the API; all its tokens may follow the case."""

    def __repr__(self) -> str:
        return f"Intake({self.kind}, {self.right or '-'}, {self.channel})"


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
            case.reference = f"{_LETTER_OF[CaseKind(case.kind)]}-{case.received_at:%Y}-{case.pk:04d}"
        contents = [intake.content for intake in intakes]
        SealedContent(deployment.keyring).put_all(list(zip(cases, contents, strict=True)), now=now)
        Case.objects.bulk_update(cases, ["reference", "key", "content"], batch_size=200)
        events, entries = list[CaseEvent](), list[Entry]()
        for case, intake in zip(cases, intakes, strict=True):
            event, entry = told(case, "received", intake.who, deployment, now=case.received_at)
            events.append(event)
            entries.append(entry)
            if why := intake.why or _doubt(case, intake):
                what, facts = "needs_review" if case.kind == CaseKind.REQUEST else "needs_answer", {"why": why}
                events.append(CaseEvent(case=case, at=event.at, what=what, actor="rule", facts=facts, is_internal=True))
        CaseAlias.objects.bulk_create(
            CaseAlias(case=case, name=name)
            for case, content in zip(cases, contents, strict=True)
            for name in each_alone(content, deployment)
        )
        CaseEvent.objects.bulk_create(events)
        record(*entries)
        tell_programs("case.received", cases, now=now)
        begun = [_Begun(case, intake.content, clocks) for (case, clocks), intake in zip(opened, intakes, strict=True)]
        _begin(begun, deployment, now)
    return cases


@dataclass(frozen=True, slots=True, repr=False)
class _Begun:
    case: Case
    content: CaseContent
    clocks: case_rules.Clocks


def split_objection(intake: Intake, declaration: Declaration) -> list[Intake]:
    """Split an objection to both direct marketing and other uses into two intakes; otherwise return *intake* alone."""
    parts = rules.split(declaration, intake.right, intake.content.purposes)
    return [dataclasses.replace(intake, content=dataclasses.replace(intake.content, purposes=part)) for part in parts]


def _case(intake: Intake, deployment: Deployment, now: dt.datetime) -> tuple[Case, case_rules.Clocks]:
    """The unsaved row of a new case, and its clocks. The reference is set once the primary key exists."""
    received = min(intake.received_at or now, now)
    if intake.kind == CaseKind.REQUEST and not _is_shown(intake) and identity.goes_astray(intake.content):
        raise CaseRefused(
            "e-mails would go to another address than the one that identifies the person, and a link in them would "
            "prove nothing; use that address, or a better proof of identity"
        )
    if wrong := rules.not_stoppable(deployment.declaration, intake.right, intake.content.purposes):
        name, reason = wrong[0]
        raise CaseRefused(f"'{name[:80]}' cannot be stopped by this: {reason}")
    needed = rules.tier_needed(
        deployment.declaration, intake.kind, intake.right, residence=intake.residence, purposes=intake.content.purposes
    )
    case = Case(
        reference=f"new-{id(intake):x}",
        kind=intake.kind,
        right=intake.right,
        state=CaseState.RECEIVED,
        channel=intake.channel,
        language=intake.language,
        residence=intake.residence,
        clause=intake.clause,
        is_confidential=intake.is_confidential,
        by_agent=bool(intake.content.agent_address),
        program=intake.program,
        received_at=received,
        tier=intake.tier,
        tier_needed=needed,
        subject=subject_of(intake.content, deployment),
        answers_case_id=intake.answers_case,
    )
    if needed and intake.tier >= needed:
        case.verified_at = now
    return case, reckon(case, deployment, now=now)


def _is_shown(intake: Intake) -> bool:
    """True if someone vouches for the identifiers: the submitter, or the handler of the preceding case."""
    return intake.answers_case is not None or identity.answers_for_names(intake.who.actor, intake.tier)


def _doubt(case: Case, intake: Intake) -> str:
    """Code of the reason why a link or known data points are not enough as proof; empty if they are."""
    is_shown = not case.subject or not case.tier_needed or _is_shown(intake) or identity.link_shows(intake.content)
    return "" if is_shown else "not_shown"


def _begin(new: Sequence[_Begun], deployment: Deployment, now: dt.datetime) -> None:
    """Start new cases: place their holds, then mail a link that proves the channel, or begin processing."""
    ready = list[_Begun]()
    for one in new:
        place_hold(one.case, one.content, deployment, now)
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
        facts["what"] = case.right or case.kind
        if case.state != CaseState.VERIFYING or case.tier:
            facts["known"] = "yes"
        row = write_to(content.address, case, "link", deployment, facts, now=now, again=number)
    if row is None:
        links.drop(secret)
    return row is not None


def prove(case_id: int, deployment: Deployment, *, now: dt.datetime, tier: int = 1) -> Case:
    """Record that the person has proved their identity to *tier*; continue the case if that suffices. Idempotent."""
    with transaction.atomic():
        case = locked(case_id)
        if case.tier < tier and case.state == CaseState.VERIFYING:
            _proved(case, tier, deployment, now=now)
        return case


def _proved(case: Case, tier: int, deployment: Deployment, *, now: dt.datetime) -> None:
    """Set the case's tier in the caller's transaction, and continue the case if the tier suffices."""
    case.tier = tier
    is_enough = tier >= case.tier_needed
    if is_enough:
        case.verified_at = now
    clocks = reckon(case, deployment, now=now)
    case.save(update_fields=["tier", "verified_at", "due_on", "due_by"])
    CaseEvent.objects.create(case=case, at=now, what="verified", actor=SUBJECT.actor, facts={"tier": tier})
    subject: dict[str, FieldValue] = {"subject": Pseudonym(case.subject)} if case.subject else {}
    record(Entry("case.verified", now, {"case": pseudonym_of(case, deployment), "tier": tier, **subject}))
    tell_programs("case.verified", [case], now=now)
    content = SealedContent(deployment.keyring).content(case)
    freeze_for_good(case, content, deployment, now)
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
        if one.case.right in CHOICES and one.case.subject:
            record_choice(one.case, one.content, deployment, now)
    _acknowledge(fresh, deployment, now)
    Case.objects.bulk_update(cases, ["state", "needs", "acknowledged_at"], batch_size=200)


def _first_need(case: Case, *, is_doubted: bool) -> str:
    if case.kind != CaseKind.REQUEST or case.right == Right.APPEAL:
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
    acknowledged = list[CaseChange]()
    for one, secret, is_queued in zip(fresh, secrets, write_all(answers, deployment, now=now), strict=True):
        if is_queued or not one.content.address:
            acknowledged.append(CaseChange(one.case, "acknowledged", due=one.clocks.first.on))
        else:
            one.case.acknowledged_at = None
            links.drop(secret)
    put_all_on_record(acknowledged, RULE, deployment, now=now)


def _acknowledgement(begun: _Begun, status: str, deployment: Deployment, now: dt.datetime) -> CaseEmail:
    case, received = begun.case, day(begun.case.received_at, deployment)
    facts: dict[str, Any] = {"received": received, "due": begun.clocks.first.on, "status": status}
    if case.kind == CaseKind.COMPLAINT:
        return CaseEmail(case, "complaint_acknowledged", facts, begun.content)
    if case.kind == CaseKind.QUESTION:
        return CaseEmail(case, "question_acknowledged", facts, begun.content)
    # Our own standards are not cited as laws.
    cited = [clock.citation for clock in begun.clocks.answer if not clock.rule.startswith("standards.")]
    with translation.override(case.language):
        laws = tuple(dict.fromkeys(str(law) for law in cited if law is not None)) or (gettext("our own promise"),)
    verification = ("none", "link", "points", "account", "document")[case.tier]
    facts |= {"right": case.right, "laws": laws, "verification": verification}
    facts |= _next(case, deployment, now) or _weighing(case, begun.content, deployment)
    return CaseEmail(case, "acknowledged", facts, begun.content)


def window_of(case: Case, deployment: Deployment) -> dt.datetime | None:
    """End of an erasure's cooling-off period, counted from the acknowledgement, which names the day. None if there is
    none."""
    if case.right != Right.ERASE or case.window_until is not None:
        return case.window_until
    return rules.window_end(deployment.declaration, case.acknowledged_at or case.received_at, case.due_on)


def _next(case: Case, deployment: Deployment, now: dt.datetime) -> dict[str, Any]:
    """Text about special next steps: the decision on an appeal, or the cooling-off period of an erasure; else empty."""
    if case.right == Right.APPEAL:
        with translation.override(case.language):
            text = (
                gettext("Next, somebody who had no part in our first answer decides, and we write to you why.")
                if has_other(case, now)
                else gettext("Next, a person decides, and we write to you why.")
            )
        return {"next": text}
    end = window_of(case, deployment)
    if end is None:
        return {}
    with translation.override(case.language):
        until = formats.date_format(day(end, deployment), "DATE_FORMAT")
        text = gettext(
            "On %(until)s we delete your data. Before that day you can take your request back, on its page. Until then "
            "we mark your data as restricted in those of our systems that can mark it."
        )
        return {"next": text % {"until": until}}


def _weighing(case: Case, content: CaseContent, deployment: Deployment) -> dict[str, Any]:
    """Text about the next step if staff must weigh an objection; else empty."""
    if not rules.weighed(
        deployment.declaration, case.right, rules.stopped_by(deployment.declaration, case.right, content.purposes)
    ):
        return {}
    with translation.override(case.language):
        text = gettext(
            "Next, a person weighs your objection. Until they have decided, we stop this use in those of our systems "
            "that can mark it as stopped, and we write to you which these are."
        )
    return {"next": text}
