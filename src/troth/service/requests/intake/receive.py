"""What arrives becomes a case, and begins: by a form, a mail, the API, or staff for somebody.

Every function is one transaction of Troth's own database: the case, its event, its ledger entry and its letter commit
together. `want`ed flows and queued letters are rows of the same commit, so nothing is lost between them.
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
from troth.service.core.ledger import record
from troth.service.requests import rules
from troth.service.requests.aliases import each_alone
from troth.service.requests.content import CaseContent
from troth.service.requests.deployment import CaseDeployment
from troth.service.requests.fulfilment.holds import confirm_hold as freeze_for_good
from troth.service.requests.fulfilment.holds import place_hold
from troth.service.requests.fulfilment.restriction import record_choice
from troth.service.requests.intake import mail_allowance
from troth.service.requests.lifecycle import (
    RULE,
    SUBJECT,
    Actor,
    CaseRefused,
    has_other,
    locked,
    pseudonym_of,
    put_on_record,
    reckon,
    subject_of,
    tell_programs,
    told,
)
from troth.service.requests.messages import day, write, write_to
from troth.service.requests.models import (
    CHOICES,
    Case,
    CaseAlias,
    CaseEvent,
    CaseKind,
    CaseState,
    Channel,
    MailedLink,
    Right,
    WaitReason,
)
from troth.service.requests.verification import identity, links

_LETTER_OF = {CaseKind.REQUEST: "R", CaseKind.COMPLAINT: "C", CaseKind.QUESTION: "Q"}


@dataclass(frozen=True, slots=True)
class Intake:
    """What arrives: by a form, a mail, the API, or staff for somebody. Its `repr` shows nothing."""

    kind: CaseKind
    content: CaseContent
    channel: Channel
    language: str = "en"
    right: str = ""
    residence: str = ""
    clause: str = ""
    tier: int = 0
    """The proof of identity that came with it: an application that signed the person in gives 3."""
    is_confidential: bool = False
    received_at: dt.datetime | None = None
    """When it arrived, where that is earlier than now: the clock starts at arrival."""
    why: str = ""
    """Why somebody has to look at it first, as a code; empty where nothing is unclear."""
    answers_case: int | None = None
    """The case that this one follows from: an appeal from what was refused, and what is done after all from an
    appeal."""
    who: Actor = field(default=SUBJECT)
    program: str = ""
    """Which program opened it over the API: it follows it, whichever of its tokens asks."""

    def __repr__(self) -> str:
        return f"Intake({self.kind}, {self.right or '-'}, {self.channel})"


def receive(intake: Intake, desk: CaseDeployment, *, now: dt.datetime) -> Case:
    """Open a case, and let everything follow that needs nobody's decision. Raises `CaseRefused` where nobody is named
    like this, and where the proof would be asked of somebody else."""
    return receive_all([intake], desk, now=now)[0]


def receive_all(intakes: Sequence[Intake], desk: CaseDeployment, *, now: dt.datetime) -> list[Case]:
    """`receive` for many, in one transaction: all are opened or none."""
    with transaction.atomic():
        opened = [_case(intake, desk, now) for intake in intakes]
        if len(intakes) > 1:
            unproved = [one.content.address for one in intakes if one.tier == 0 and one.content.address]
            mail_allowance.hold(unproved, desk, now=now)
        cases = [case for case, _ in opened]
        Case.objects.bulk_create(cases)
        for case in cases:
            case.reference = f"{_LETTER_OF[CaseKind(case.kind)]}-{case.received_at:%Y}-{case.pk:04d}"
        contents = [intake.content for intake in intakes]
        desk.papers.put_all(list(zip(cases, contents, strict=True)), now=now)
        Case.objects.bulk_update(cases, ["reference", "key", "content"], batch_size=200)
        events, entries = list[CaseEvent](), list[Entry]()
        for case, intake in zip(cases, intakes, strict=True):
            event, entry = told(case, "received", intake.who, desk, now=case.received_at)
            events.append(event)
            entries.append(entry)
            if why := intake.why or _doubt(case, intake):
                what, facts = "needs_review" if case.kind == CaseKind.REQUEST else "needs_answer", {"why": why}
                events.append(CaseEvent(case=case, at=event.at, what=what, actor="rule", facts=facts, is_internal=True))
        CaseAlias.objects.bulk_create(
            CaseAlias(case=case, name=name)
            for case, content in zip(cases, contents, strict=True)
            for name in each_alone(content, desk)
        )
        CaseEvent.objects.bulk_create(events)
        record(*entries)
        tell_programs("case.received", cases, now=now)
        for (case, clocks), intake in zip(opened, intakes, strict=True):
            _begin(case, intake.content, clocks, desk, now)
    return cases


def split_objection(intake: Intake, declaration: Declaration) -> list[Intake]:
    """*intake*, or two where it objects to direct marketing and to other uses: each is a case of its own."""
    parts = rules.split(declaration, intake.right, intake.content.purposes)
    return [dataclasses.replace(intake, content=dataclasses.replace(intake.content, purposes=part)) for part in parts]


def _case(intake: Intake, desk: CaseDeployment, now: dt.datetime) -> tuple[Case, rules.Clocks]:
    """The row of a new case, unsaved, and its clocks; its reference follows from its number."""
    received = min(intake.received_at or now, now)
    if intake.kind == CaseKind.REQUEST and not _is_shown(intake) and identity.goes_astray(intake.content):
        raise CaseRefused(
            "letters would go to another address than the one that names the person, and a link in them would prove "
            "nothing; give that address, or a better proof of who asks"
        )
    if wrong := rules.not_stoppable(desk.declaration, intake.right, intake.content.purposes):
        name, reason = wrong[0]
        raise CaseRefused(f"'{name[:80]}' cannot be stopped by this: {reason}")
    needed = rules.tier_needed(
        desk.declaration,
        intake.kind,
        intake.right,
        residence=intake.residence,
        purposes=intake.content.purposes,
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
        subject=subject_of(intake.content, desk),
        answers_case_id=intake.answers_case,
    )
    if needed and intake.tier >= needed:
        case.verified_at = now
    return case, reckon(case, desk, now=now)


def _is_shown(intake: Intake) -> bool:
    """Whether somebody answers for the names in it: who brought it, or who decided on what it follows from."""
    return intake.answers_case is not None or identity.answers_for_names(intake.who.actor, intake.tier)


def _doubt(case: Case, intake: Intake) -> str:
    """Why a link or what the person knows is not enough, as a code; empty where it is."""
    is_shown = not case.subject or not case.tier_needed or _is_shown(intake) or identity.link_shows(intake.content)
    return "" if is_shown else "not_shown"


def _begin(case: Case, content: CaseContent, clocks: rules.Clocks, desk: CaseDeployment, now: dt.datetime) -> None:
    """What follows from a case that has just been opened: a link to prove the channel, or the work itself."""
    place_hold(case, content, desk, now)
    if case.tier < case.tier_needed:
        case.state = CaseState.VERIFYING
        case.save(update_fields=["state"])
        if case.tier == 0:
            send_link(case, content, desk, now=now)
        return
    _go_on(case, content, clocks, desk, now)


def send_link(case: Case, content: CaseContent, desk: CaseDeployment, *, now: dt.datetime, again: int = 0) -> bool:
    """Mail a link that proves the channel; the earlier ones stay good until they end. Where somebody asks for another,
    it goes to that other, who says whether they may; until then nothing happens. Whether it was mailed: an address
    that nobody has proved gets so much a day."""
    is_for_another = bool(content.agent_address) and case.state == CaseState.VERIFYING
    secret = links.make(case, MailedLink.Use.AGENT if is_for_another else MailedLink.Use.PROVE, now=now)
    facts: dict[str, Any] = {
        "link": links.address_of(secret, desk),
        "until": now + dt.timedelta(hours=links.LINK_HOURS),
        "hours": links.WINDOW_HOURS,
    }
    number = str(again) if again else ""
    if is_for_another:
        facts["right"] = case.right  # and no name, which is free text: anybody could have us mail it to anybody
        row = write_to(content.address, case, "agent_authority", desk, facts, now=now, again=number)
    else:
        facts["what"] = case.right or case.kind
        if case.state != CaseState.VERIFYING or case.tier:
            facts["known"] = "yes"
        row = write_to(content.address, case, "link", desk, facts, now=now, again=number)
    if row is None:
        links.drop(secret)
    return row is not None


def prove(link: MailedLink, desk: CaseDeployment, *, now: dt.datetime, tier: int = 1) -> Case:
    """The person has shown who they are, to *tier*: go on where that is enough. Harmless twice."""
    with transaction.atomic():
        case = locked(link.case_id)
        if case.tier < tier and case.state == CaseState.VERIFYING:
            _proved(case, tier, desk, now=now)
        return case


def _proved(case: Case, tier: int, desk: CaseDeployment, *, now: dt.datetime) -> None:
    """Who asks is known to *tier*, in the transaction that is open: the case that waits for it goes on, or not yet."""
    case.tier = tier
    is_enough = tier >= case.tier_needed
    if is_enough:
        case.verified_at = now
    clocks = reckon(case, desk, now=now)
    case.save(update_fields=["tier", "verified_at", "due_on", "due_by"])
    CaseEvent.objects.create(case=case, at=now, what="verified", actor=SUBJECT.actor, facts={"tier": tier})
    subject: dict[str, FieldValue] = {"subject": Pseudonym(case.subject)} if case.subject else {}
    record(Entry("case.verified", now, {"case": pseudonym_of(case, desk), "tier": tier, **subject}))
    tell_programs("case.verified", [case], now=now)
    content = desk.papers.content(case)
    freeze_for_good(case, content, desk, now)
    if is_enough:
        _go_on(case, content, clocks, desk, now)


def _go_on(case: Case, content: CaseContent, clocks: rules.Clocks, desk: CaseDeployment, now: dt.datetime) -> None:
    """Everything is known that is needed to begin: work on it, and say so."""
    is_told = case.acknowledged_at is not None
    case.state = CaseState.IN_PROGRESS
    case.needs = _first_need(case)
    case.acknowledged_at = case.acknowledged_at if is_told else now
    case.save(update_fields=["state", "needs", "acknowledged_at"])
    if case.right in CHOICES and case.subject:
        record_choice(case, content, desk, now)
    if not is_told and not _acknowledge(case, content, clocks, desk, now):
        case.acknowledged_at = None
        case.save(update_fields=["acknowledged_at"])


def _first_need(case: Case) -> str:
    if case.kind != CaseKind.REQUEST or case.right == Right.APPEAL:
        return WaitReason.ANSWER
    if not case.subject or (case.channel != Channel.CENTRE and case.events.filter(what="needs_review").exists()):
        return WaitReason.REVIEW
    return ""


def _acknowledge(
    case: Case, content: CaseContent, clocks: rules.Clocks, desk: CaseDeployment, now: dt.datetime
) -> bool:
    """Tell the person that the case is open, by when it is answered, and where they can watch it. False where their
    address got enough today, and nobody has shown that they read it."""
    secret = links.make(case, MailedLink.Use.STATUS, now=now)
    status = links.address_of(secret, desk)
    received = day(case.received_at, desk)
    if case.kind == CaseKind.COMPLAINT:
        facts: dict[str, Any] = {"received": received, "due": clocks.first.on, "status": status}
        kind = "complaint_acknowledged"
    elif case.kind == CaseKind.QUESTION:
        facts = {"received": received, "due": clocks.first.on, "status": status}
        kind = "question_acknowledged"
    else:
        # What we have chosen ourselves is no law for them.
        cited = [one.citation for one in clocks.answer if not one.rule.startswith("standards.")]
        with translation.override(case.language):
            laws = tuple(dict.fromkeys(str(one) for one in cited if one is not None)) or (gettext("our own promise"),)
        verification = ("none", "link", "points", "account", "document")[case.tier]
        facts = {
            "right": case.right,
            "received": received,
            "due": clocks.first.on,
            "laws": laws,
            "status": status,
            "verification": verification,
        }
        facts |= _next(case, desk, now) or _weighing(case, content, desk)
        kind = "acknowledged"
    if not write(case, kind, desk, facts, content=content, now=now) and content.address:
        links.drop(secret)
        return False
    put_on_record(case, "acknowledged", RULE, desk, now=now, due=clocks.first.on)
    return True


def window_of(case: Case, desk: CaseDeployment) -> dt.datetime | None:
    """Until when the person may think again: an erasure's window counts from its acknowledgement, which names the
    day. None where there is none."""
    if case.right != Right.ERASE or case.window_until is not None:
        return case.window_until
    return rules.window_end(desk.declaration, case.acknowledged_at or case.received_at, case.due_on)


def _next(case: Case, desk: CaseDeployment, now: dt.datetime) -> dict[str, Any]:
    """What happens next where that is not what mostly does: an appeal is decided, an erasure may wait for a while."""
    if case.right == Right.APPEAL:
        with translation.override(case.language):
            text = (
                gettext("Next, somebody who had no part in our first answer decides, and we write to you why.")
                if has_other(case, now)
                else gettext("Next, a person decides, and we write to you why.")
            )
        return {"next": text}
    end = window_of(case, desk)
    if end is None:
        return {}
    with translation.override(case.language):
        until = formats.date_format(day(end, desk), "DATE_FORMAT")
        text = gettext(
            "On %(until)s we delete your data. Before that day you can take your request back, on its page. Until then "
            "we mark your data as restricted in those of our systems that can mark it."
        )
        return {"next": text % {"until": until}}


def _weighing(case: Case, content: CaseContent, desk: CaseDeployment) -> dict[str, Any]:
    """What happens next where a person weighs an objection."""
    if not rules.weighed(
        desk.declaration, case.right, rules.stopped_by(desk.declaration, case.right, content.purposes)
    ):
        return {}
    with translation.override(case.language):
        text = gettext(
            "Next, a person weighs your objection. Until they have decided, we stop this use in those of our systems "
            "that can mark it as stopped, and we write to you which these are."
        )
    return {"next": text}
