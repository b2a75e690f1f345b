"""The life of a case: received, verified, paused, extended, answered. What is carried out in stores is in `carry`.

Every function is one transaction of Troth's own database: the case, its event, its ledger entry and its letter commit
together. `want`ed flows and queued letters are rows of the same commit, so nothing is lost between them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import formats, translation
from django.utils.translation import gettext

from troth.law import Pause as PausedDays
from troth.ledger import Entry, Hash, Pseudonym
from troth.ledger import Value as FieldValue
from troth.service.api import hooks
from troth.service.cases import links, plan, vouched
from troth.service.cases.content import Content, readable
from troth.service.cases.desk import Desk
from troth.service.cases.freeze import freeze, thaw
from troth.service.cases.freeze import prove as freeze_for_good
from troth.service.cases.letters import appealing, day, redress, write, write_to
from troth.service.cases.models import (
    Approval,
    Case,
    Channel,
    Event,
    Kind,
    Link,
    Named,
    Needs,
    Outcome,
    Pause,
    Right,
    State,
)
from troth.service.cases.names import each_alone
from troth.service.configuration import ServiceError
from troth.service.record.ledger import record
from troth.service.work.run import want
from troth.subjects import IdentityRefused, references

__all__ = [
    "CaseRefused",
    "Intake",
    "Who",
    "answer",
    "approve",
    "choose_rows",
    "close",
    "confide",
    "extend",
    "has_worked_on",
    "lift",
    "locked",
    "note",
    "pause",
    "prove",
    "proved",
    "put_on_record",
    "receive",
    "receive_all",
    "reckon",
    "refuse",
    "require_other",
    "resume",
    "subject_of",
    "take",
    "try_again",
    "window_of",
    "withdraw",
]

LIFT_NOTICE = dt.timedelta(days=3)
"""How long before a restriction is lifted the person is told."""
_LETTER_OF = {Kind.REQUEST: "R", Kind.COMPLAINT: "C", Kind.QUESTION: "Q"}


class CaseRefused(ServiceError):
    """The case cannot be treated like this, as it stands or as the law is; the message says why and what would do."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts: ``subject``, ``agent``, ``staff``, ``owner`` or ``rule``; staff with their pseudonym."""

    actor: str = "rule"
    by: str = ""


SUBJECT, RULE = Who("subject"), Who("rule")


@dataclass(frozen=True, slots=True)
class Intake:
    """What arrives: by a form, a mail, the API, or staff for somebody. Its `repr` shows nothing."""

    kind: Kind
    content: Content
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
    is_quiet: bool = False
    """So much has come under this address lately that nothing is mailed to it until its owner says so."""
    why: str = ""
    """Why somebody has to look at it first, as a code; empty where nothing is unclear."""
    answers_case: int | None = None
    """The case that this one follows from: an appeal from what was refused, and what is done after all from an
    appeal."""
    who: Who = field(default=SUBJECT)

    def __repr__(self) -> str:
        return f"Intake({self.kind}, {self.right or '-'}, {self.channel})"


def receive(intake: Intake, desk: Desk, *, now: dt.datetime) -> Case:
    """Open a case, and let everything follow that needs nobody's decision. Raises `CaseRefused` where nobody is named
    like this, and where the proof would be asked of somebody else."""
    return receive_all([intake], desk, now=now)[0]


def receive_all(intakes: Sequence[Intake], desk: Desk, *, now: dt.datetime) -> list[Case]:
    """`receive` for many, in one transaction: all are opened or none."""
    with transaction.atomic():
        opened = [_case(intake, desk, now) for intake in intakes]
        cases = [case for case, _ in opened]
        Case.objects.bulk_create(cases)
        for case in cases:
            case.reference = f"{_LETTER_OF[Kind(case.kind)]}-{case.received_at:%Y}-{case.pk:04d}"
        contents = [intake.content for intake in intakes]
        desk.papers.put_all(list(zip(cases, contents, strict=True)), now=now)
        Case.objects.bulk_update(cases, ["reference", "key", "content"], batch_size=200)
        events, entries = list[Event](), list[Entry]()
        for case, intake in zip(cases, intakes, strict=True):
            event, entry = _told(case, "received", intake.who, desk, now=case.received_at)
            events.append(event)
            entries.append(entry)
            if why := intake.why or _doubt(case, intake):
                what, facts = "needs_review" if case.kind == Kind.REQUEST else "needs_answer", {"why": why}
                events.append(Event(case=case, at=event.at, what=what, actor="rule", facts=facts, is_internal=True))
        Named.objects.bulk_create(
            Named(case=case, name=name)
            for case, content in zip(cases, contents, strict=True)
            for name in each_alone(content, desk)
        )
        Event.objects.bulk_create(events)
        record(*entries)
        hooks.tell("case.received", *map(_facts, cases), now=now)
        for (case, clocks), intake in zip(opened, intakes, strict=True):
            _begin(case, intake.content, clocks, desk, now, is_quiet=intake.is_quiet)
    return cases


def _case(intake: Intake, desk: Desk, now: dt.datetime) -> tuple[Case, plan.Clocks]:
    """The row of a new case, unsaved, and its clocks; its reference follows from its number."""
    received = min(intake.received_at or now, now)
    if intake.kind == Kind.REQUEST and not _is_shown(intake) and vouched.goes_astray(intake.content):
        raise CaseRefused(
            "letters would go to another address than the one that names the person, and a link in them would prove "
            "nothing; give that address, or a better proof of who asks"
        )
    needed = plan.tier_needed(
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
        state=State.RECEIVED,
        channel=intake.channel,
        language=intake.language,
        residence=intake.residence,
        clause=intake.clause,
        is_confidential=intake.is_confidential,
        by_agent=bool(intake.content.agent_address),
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
    return intake.answers_case is not None or vouched.answers_for_names(intake.who.actor, intake.tier)


def _doubt(case: Case, intake: Intake) -> str:
    """Why a link or what the person knows is not enough, as a code; empty where it is."""
    is_shown = not case.subject or not case.tier_needed or _is_shown(intake) or vouched.link_shows(intake.content)
    return "" if is_shown else "not_shown"


def subject_of(content: Content, desk: Desk) -> str:
    """The keyed reference of whom the case is about, empty where nobody is named. Raises `CaseRefused`."""
    try:
        identity = content.identity
    except IdentityRefused as refused:
        raise CaseRefused(str(refused)) from None
    return str(references([identity], desk.keyring)[0]) if identity is not None else ""


def reckon(case: Case, desk: Desk, *, now: dt.datetime) -> plan.Clocks:
    """Reckon the clocks anew and write the earliest into the case; the caller saves it."""
    pauses = case.pauses.order_by("asked_at") if case.pk else ()
    asked = plan.Asked(
        kind=case.kind,
        right=case.right,
        received_at=case.received_at,
        verified_at=case.verified_at,
        residence=case.residence,
        pauses=tuple(PausedDays(each.asked_at, each.answered_at) for each in pauses),
        is_extended=case.extended_at is not None,
    )
    clocks = plan.clocks(asked, desk.declaration, now=now)
    case.due_on, case.due_by = clocks.first.on, clocks.first.rule
    return clocks


def _begin(case: Case, content: Content, clocks: plan.Clocks, desk: Desk, now: dt.datetime, *, is_quiet: bool) -> None:
    """What follows from a case that has just been opened: a link to prove the channel, or the work itself."""
    freeze(case, content, desk, now)
    if case.tier < case.tier_needed:
        case.state = State.VERIFYING
        case.save(update_fields=["state"])
        if case.tier == 0 and not is_quiet:
            send_link(case, content, desk, now=now)
        return
    _go_on(case, content, clocks, desk, now, is_quiet=is_quiet)


def send_link(case: Case, content: Content, desk: Desk, *, now: dt.datetime, again: int = 0) -> None:
    """Mail a link that proves the channel; the earlier ones stay good until they end. Where somebody asks for another,
    it goes to that other, who says whether they may; until then nothing happens."""
    is_for_another = bool(content.agent_address) and case.state == State.VERIFYING
    secret = links.make(case, Link.Use.AGENT if is_for_another else Link.Use.PROVE, now=now)
    facts: dict[str, Any] = {
        "link": links.address_of(secret, desk),
        "until": now + dt.timedelta(hours=links.LINK_HOURS),
    }
    number = str(again) if again else ""
    if is_for_another:
        facts |= {"agent": content.agent_name, "right": case.right}
        write_to(content.address, case, "agent_authority", desk, facts, now=now, again=number)
    else:
        facts["what"] = case.right or case.kind
        write_to(content.address, case, "link", desk, facts, now=now, again=number)


def prove(link: Link, desk: Desk, *, now: dt.datetime, tier: int = 1) -> Case:
    """The person has shown who they are, to *tier*: go on where that is enough. Harmless twice."""
    with transaction.atomic():
        case = locked(link.case_id)
        if case.tier < tier and case.state == State.VERIFYING:
            proved(case, tier, desk, who=SUBJECT, now=now)
        return case


def proved(case: Case, tier: int, desk: Desk, *, who: Who, now: dt.datetime) -> None:
    """Who asks is known to *tier*, in the transaction that is open: a case that waited for it goes on."""
    is_waiting = case.state == State.VERIFYING
    case.tier = tier
    if is_waiting and tier >= case.tier_needed:
        case.verified_at = now
    clocks = reckon(case, desk, now=now)
    case.save(update_fields=["tier", "verified_at", "due_on", "due_by"])
    Event.objects.create(case=case, at=now, what="verified", actor=who.actor, by=who.by, facts={"tier": tier})
    said: dict[str, FieldValue] = {"subject": Pseudonym(case.subject)} if case.subject else {}
    said |= {"by": Pseudonym(who.by)} if who.by else {}
    record(Entry("case.verified", now, {"case": _pseudonym(case, desk), "tier": tier, **said}))
    hooks.tell("case.verified", _facts(case), now=now)
    if not is_waiting:
        return
    content = desk.papers.content(case)
    freeze_for_good(case, content, desk, now)
    if tier >= case.tier_needed:
        _go_on(case, content, clocks, desk, now)


def _go_on(
    case: Case, content: Content, clocks: plan.Clocks, desk: Desk, now: dt.datetime, *, is_quiet: bool = False
) -> None:
    """Everything is known that is needed to begin: work on it, and say so."""
    is_told = is_quiet or case.acknowledged_at is not None
    case.state = State.IN_PROGRESS
    case.needs = _first_need(case)
    case.acknowledged_at = case.acknowledged_at if is_told else now
    case.save(update_fields=["state", "needs", "acknowledged_at"])
    if not is_told:
        _acknowledge(case, content, clocks, desk, now)


def _first_need(case: Case) -> str:
    if case.kind != Kind.REQUEST or case.right == Right.APPEAL:
        return Needs.ANSWER
    if not case.subject or (case.channel != Channel.CENTRE and case.events.filter(what="needs_review").exists()):
        return Needs.REVIEW
    return ""


def _acknowledge(case: Case, content: Content, clocks: plan.Clocks, desk: Desk, now: dt.datetime) -> None:
    """Tell the person that the case is open, by when it is answered, and where they can watch it."""
    status = links.address_of(links.make(case, Link.Use.STATUS, now=now), desk)
    received = day(case.received_at, desk)
    if case.kind == Kind.COMPLAINT:
        facts: dict[str, Any] = {"received": received, "due": clocks.first.on, "status": status}
        write(case, "complaint_acknowledged", desk, facts, content=content, now=now)
    else:
        laws = tuple(dict.fromkeys(str(one.citation) for one in clocks.answer if one.citation is not None))
        verification = ("none", "link", "points", "account", "document")[case.tier]
        facts = {
            "right": case.right or case.kind,
            "received": received,
            "due": clocks.first.on,
            "laws": laws,
            "status": status,
            "verification": verification,
        }
        facts |= _window(case, desk)
        write(case, "acknowledged", desk, facts, content=content, now=now)
    put_on_record(case, "acknowledged", RULE, desk, now=now, due=clocks.first.on)


def window_of(case: Case, desk: Desk) -> dt.datetime | None:
    """Until when the person may think again: an erasure's window counts from its acknowledgement, which names the
    day. None where there is none."""
    if case.right != Right.ERASE or case.window_until is not None:
        return case.window_until
    return plan.window_end(desk.declaration, case.acknowledged_at or case.received_at, case.due_on)


def _window(case: Case, desk: Desk) -> dict[str, Any]:
    """What happens next where an erasure waits for a while."""
    end = window_of(case, desk)
    if end is None:
        return {}
    with translation.override(case.language):
        until = formats.date_format(day(end, desk), "DATE_FORMAT")
        text = gettext(
            "Until %(until)s your data is only stored and not used, and then it is deleted. Before that day you can "
            "take your request back, on its page."
        )
        return {"next": text % {"until": until}}


# --- pauses, extensions, refusals ------------------------------------------------------------------------------------


def pause(case_id: int, question: str, desk: Desk, *, who: Who, now: dt.datetime) -> Case:
    """Ask the person for something without which the case cannot be answered. The clocks that may pause do."""
    with transaction.atomic():
        case = locked(case_id)
        if case.state != State.IN_PROGRESS:
            raise CaseRefused(f"{case.reference} is not waiting for anybody: only a case in progress can be paused")
        _require_untouched(case)
        content = desk.papers.content(case)
        Pause.objects.create(case=case, asked_at=now)
        case.state, before = State.PAUSED, case.needs
        case.needs = ""
        desk.papers.put(case, dataclasses.replace(content, question=question), now=now)
        clocks = reckon(case, desk, now=now)
        case.save()
        status = links.address_of(links.make(case, Link.Use.STATUS, now=now), desk)
        facts = {
            "right": case.right or case.kind,
            "needed": question,
            "clock": "paused" if clocks.first.is_paused else "runs",
            "asked": day(now, desk),
            "due": clocks.first.on,
            "link": status,
        }
        again = str(case.pauses.count())
        write_to(content.address, case, "more_information", desk, facts, now=now, again=again)
        put_on_record(case, "paused", who, desk, now=now, due=case.due_on, facts={"needed": before})
        return case


def resume(case_id: int, answer_text: str, desk: Desk, *, who: Who, now: dt.datetime) -> Case:
    """The person has answered, or a handler has what was needed: the clock runs on from here."""
    with transaction.atomic():
        case = locked(case_id)
        if case.state != State.PAUSED:
            raise CaseRefused(f"{case.reference} is not paused")
        content = desk.papers.content(case)
        case.pauses.filter(answered_at=None).update(answered_at=now)
        case.state, case.needs = State.IN_PROGRESS, Needs.REVIEW if case.kind == Kind.REQUEST else Needs.ANSWER
        message = "\n\n".join(part for part in (content.message, answer_text) if part)
        desk.papers.put(case, dataclasses.replace(content, message=message, question=""), now=now)
        reckon(case, desk, now=now)
        case.save()
        again = str(case.pauses.count())
        facts = {"right": case.right or case.kind, "due": case.due_on}
        write_to(content.address, case, "resumed", desk, facts, now=now, again=again)
        put_on_record(case, "resumed", who, desk, now=now, due=case.due_on)
        return case


def extend(case_id: int, reasons: str, desk: Desk, *, who: Who, now: dt.datetime) -> Case:
    """Take the longer period that the law gives, with reasons, while the first one still runs (GDPR Art. 12(3)).

    Raises `CaseRefused` where no law on this case gives more time, or it is asked for too late.
    """
    with transaction.atomic():
        case = locked(case_id)
        _require_open(case)
        before = reckon(case, desk, now=now).first
        if case.extended_at is not None:
            raise CaseRefused(f"{case.reference} has been extended already; no law gives more than that")
        if before.is_late(now):
            raise CaseRefused(f"{case.reference} was due on {before.on}: an extension is announced before that")
        case.extended_at = now
        after = reckon(case, desk, now=now).first
        if after.on == before.on:
            raise CaseRefused(f"no more time is to be had for {case.reference}: {before.rule} allows no extension")
        case.save()
        facts = {
            "right": case.right or case.kind,
            "received": day(case.received_at, desk),
            "reasons": reasons,
            "due_before": before.on,
            "due": after.on,
            "cite": str(after.citation or before.citation),
            **redress(case, desk),
        }
        write(case, "extended", desk, facts, content=desk.papers.content(case), now=now)
        put_on_record(case, "extended", who, desk, now=now, due=after.on)
        return case


def refuse(case_id: int, reasons: str, cite: str, desk: Desk, *, who: Who, now: dt.datetime) -> Case:
    """Refuse, with the reason, where the law says so, and whom to complain to (GDPR Art. 12(4))."""
    with transaction.atomic():
        case = locked(case_id)
        _require_open(case)
        _require_untouched(case)
        require_other(case, who)
        if not reasons.strip() or not cite.strip():
            raise CaseRefused("a refusal needs its reasons and the law that it rests on (GDPR Art. 12(4))")
        content = desk.papers.content(case)
        desk.papers.put(case, dataclasses.replace(content, answer=reasons), now=now)
        facts = {
            "right": case.right or case.kind,
            "received": day(case.received_at, desk),
            "reasons": reasons,
            "cite": cite,
            "status": links.address_of(links.make(case, Link.Use.STATUS, now=now), desk),
            **redress(case, desk),
            **appealing(case, desk),
        }
        write(case, "refused", desk, facts, content=content, now=now)
        close(case, Outcome.REFUSED, desk, who=who, now=now, facts={"cite": cite})
        return case


def approve(case_id: int, plan_hash: str, by: Any, desk: Desk, *, who: Who, now: dt.datetime) -> Case:
    """Somebody who had no other part in the case approves exactly the plan that they have seen. It is carried out next.

    Raises `CaseRefused` for whoever had one, and for a plan that is not the case's any more.
    """
    with transaction.atomic():
        case = locked(case_id)
        if case.state != State.IN_PROGRESS or case.needs != Needs.APPROVAL:
            raise CaseRefused(f"{case.reference} waits for no approval")
        if case.handler_id == by.pk or has_worked_on(case, who):
            raise CaseRefused(f"you had a part in {case.reference}: somebody else has to approve its plan")
        if not case.plan_hash or case.plan_hash != plan_hash:
            raise CaseRefused("the plan has changed since you looked; look at it again")
        Approval.objects.get_or_create(case=case, plan_hash=plan_hash, by=by, defaults={"at": now})
        case.needs = ""
        case.save(update_fields=["needs"])
        Event.objects.create(case=case, at=now, what="approved", actor=who.actor, by=who.by, is_internal=True)
        if case.subject:
            said: dict[str, FieldValue] = {
                "plan": Hash(plan_hash),
                "right": case.right,
                "subject": Pseudonym(case.subject),
                "actor": who.actor,
                "case": _pseudonym(case, desk),
            }
            record(Entry("plan.approved", now, said | ({"by": Pseudonym(who.by)} if who.by else {})))
        return case


def has_worked_on(case: Case, who: Who) -> bool:
    """Whether *who* has done anything with the case but approve plans of it: opened it, noted something, went on."""
    return bool(who.by) and case.events.filter(by=who.by).exclude(what="approved").exists()


def choose_rows(case_id: int, rows: Sequence[str], desk: Desk, *, who: Who, now: dt.datetime) -> Case:
    """A handler has looked and says which rows are the person's: the case goes on with them alone.

    Raises `CaseRefused` where that names no rows of the company.
    """
    with transaction.atomic():
        case = locked(case_id)
        if case.state != State.IN_PROGRESS or case.needs != Needs.REVIEW:
            raise CaseRefused(f"{case.reference} waits for no review")
        content = dataclasses.replace(desk.papers.content(case), rows=tuple(rows))
        if case.subject and not case.named.exists():
            Named.objects.create(case=case, name=case.subject)
        case.subject, case.reviewed, case.needs = subject_of(content, desk), True, ""
        desk.papers.put(case, content, now=now)
        case.save()
        Event.objects.create(
            case=case, at=now, what="reviewed", actor=who.actor, by=who.by, facts={"rows": len(rows)}, is_internal=True
        )
        return case


def try_again(case_id: int, desk: Desk, *, who: Who, now: dt.datetime) -> Case:
    """Carry the case out as it stands, after somebody has mended what it waited for."""
    with transaction.atomic():
        case = locked(case_id)
        if case.state != State.IN_PROGRESS or case.needs != Needs.REVIEW or not case.subject:
            raise CaseRefused(f"{case.reference} waits for nothing that trying again could bring")
        case.needs = ""
        case.save(update_fields=["needs"])
        Event.objects.create(case=case, at=now, what="again", actor=who.actor, by=who.by, is_internal=True)
        return case


def take(case_id: int, handler: Any, desk: Desk, *, who: Who, now: dt.datetime) -> Case:
    """*handler* works on the case from now on. Raises `CaseRefused` for a case that is closed."""
    with transaction.atomic():
        case = locked(case_id)
        _require_open(case)
        require_other(case, who)
        if case.handler_id != handler.pk:
            case.handler = handler
            case.save(update_fields=["handler"])
            put_on_record(case, "assigned", who, desk, now=now)
        return case


def confide(case_id: int, *, apart: bool, who: Who, now: dt.datetime) -> Case:
    """Leave the case to the data protection officer and the deputy alone, or let handlers see it again. Whoever worked
    on it does so no more: somebody who may takes it."""
    with transaction.atomic():
        case = locked(case_id)
        if case.is_confidential != apart:
            case.is_confidential = apart
            case.handler = None
            case.save(update_fields=["is_confidential", "handler"])
            what = "confided" if apart else "shared"
            Event.objects.create(case=case, at=now, what=what, actor=who.actor, by=who.by, is_internal=True)
        return case


def lift(case_id: int, reasons: str, desk: Desk, *, who: Who, now: dt.datetime) -> Case:
    """End a restriction that was granted; the person is told before it is lifted (GDPR Art. 18(3))."""
    with transaction.atomic():
        case = locked(case_id)
        first = case.restrictions.filter(lifted_at=None, purpose="").order_by("since").first()
        if first is None:
            raise CaseRefused(f"nothing is restricted by {case.reference}")
        tomorrow = now + LIFT_NOTICE
        facts = {"on": day(tomorrow, desk), "reasons": reasons, "since": day(first.since, desk)}
        write(case, "restriction_lifted", desk, facts, content=desk.papers.content(case), now=now)
        want("cases.lift", str(case.pk), not_before=tomorrow)
        Event.objects.create(case=case, at=now, what="lifting", actor=who.actor, by=who.by)
        return case


def withdraw(case_id: int, desk: Desk, *, who: Who, now: dt.datetime) -> Case:
    """The person takes the request back. Raises `CaseRefused` where it is being carried out already."""
    with transaction.atomic():
        case = locked(case_id)
        _require_open(case)
        _require_untouched(case)
        content = desk.papers.content(case)
        said = {"right": case.right or case.kind, "closed": day(now, desk)}
        write(case, "withdrawn", desk, said, content=content, now=now)
        if case.restrictions.filter(lifted_at=None).exists():
            want("cases.lift", str(case.pk))
        close(case, Outcome.WITHDRAWN, desk, who=who, now=now)
        return case


def answer(case_id: int, text: str, desk: Desk, *, who: Who, now: dt.datetime, remedy: str = "") -> Case:
    """Answer a question or a complaint, and close the case."""
    with transaction.atomic():
        case = locked(case_id)
        _require_open(case)
        if case.needs != Needs.ANSWER or case.right == Right.APPEAL:
            raise CaseRefused(f"{case.reference} is not a case that somebody answers in words")
        content = desk.papers.content(case)
        desk.papers.put(case, dataclasses.replace(content, answer=text), now=now)
        received = day(case.received_at, desk)
        if case.kind == Kind.QUESTION:
            quoted = readable(content.message)[:1_000].strip()
            asked = {"asked": quoted} if quoted else {}
            write(
                case,
                "question_answered",
                desk,
                {"received": received, "answer": text, **asked},
                content=content,
                now=now,
            )
        else:
            facts = {"received": received, "outcome": text, **({"remedy": remedy} if remedy else {})}
            write(case, "complaint_outcome", desk, facts, content=content, now=now)
        close(case, Outcome.FULFILLED, desk, who=who, now=now)
        return case


def close(
    case: Case, outcome: str, desk: Desk, *, who: Who, now: dt.datetime, facts: Mapping[str, Any] | None = None
) -> None:
    """Close the case in the transaction that is open; its letter has been queued by the caller."""
    if case.right == Right.AMEND:
        _end_contest(case, desk, now)
    in_time = case.due_on is None or day(now, desk) <= case.due_on
    case.state, case.outcome, case.needs, case.closed_at, case.batch = State.CLOSED, outcome, "", now, None
    case.save()
    case.pauses.filter(answered_at=None).update(answered_at=now)
    thaw(case, desk, now)
    said: dict[str, FieldValue] = {"case": _pseudonym(case, desk), "outcome": outcome, "actor": who.actor}
    said["in_time"] = "yes" if in_time else "no"
    if case.subject:
        said["subject"] = Pseudonym(case.subject)
    if who.by:
        said["by"] = Pseudonym(who.by)
    [entry] = record(Entry("case.closed", now, said))
    told = {"outcome": outcome, "entry": entry.pk, **(facts or {})}
    Event.objects.create(case=case, at=now, what="closed", actor=who.actor, by=who.by, facts=told)
    hooks.tell("case.closed", _facts(case), now=now)


def _end_contest(case: Case, desk: Desk, now: dt.datetime) -> None:
    """Data whose accuracy was contested has been only stored meanwhile (GDPR Art. 18(1)(a)). That ends, and the person
    is told before."""
    first = case.restrictions.filter(lifted_at=None, purpose="").order_by("since").first()
    if first is not None:
        with translation.override(case.language):
            reasons = gettext("We have looked into what you asked us to correct, and answered you.")
        facts = {"on": day(now + LIFT_NOTICE, desk), "reasons": reasons, "since": day(first.since, desk)}
        write(case, "restriction_lifted", desk, facts, content=desk.papers.content(case), now=now)
        want("cases.lift", str(case.pk), not_before=now + LIFT_NOTICE)


def note(case: Case, text: str, desk: Desk, *, who: Who, now: dt.datetime) -> None:
    """Put a handler's note beside the case; the person does not see it on the status page."""
    sealed = desk.papers.seal_note(case, text)
    Event.objects.create(case=case, at=now, what="note", actor=who.actor, by=who.by, note=sealed, is_internal=True)


# --- inside -----------------------------------------------------------------------------------------------------------


def locked(case_id: int) -> Case:
    """The case, which nobody else changes until the transaction ends."""
    return Case.objects.select_for_update(of=("self",)).select_related("key").get(pk=case_id)


def _require_open(case: Case) -> None:
    if case.state == State.CLOSED:
        raise CaseRefused(f"{case.reference} is closed; what is new is a case of its own")


def require_other(case: Case, who: Who) -> None:
    """Nobody decides on an appeal against what they decided themselves."""
    if case.right != Right.APPEAL or case.answers_case_id is None or not who.by:
        return
    decided = Event.objects.filter(case=case.answers_case_id, by=who.by, what__in=("closed", "approved", "reviewed"))
    if decided.exists():
        raise CaseRefused(f"you had a part in the answer that {case.reference} is about: somebody else has to decide")


def _require_untouched(case: Case) -> None:
    """Nobody says that nothing is done, or that it waits, while it is being done."""
    if case.batch_id is not None or case.needs == Needs.SYSTEMS:
        raise CaseRefused(f"{case.reference} is being carried out: it can be neither held up nor taken back any more")


def _pseudonym(case: Case, desk: Desk) -> Pseudonym:
    return desk.keyring.pseudonym("case", case.reference)


def _told(case: Case, what: str, who: Who, desk: Desk, *, now: dt.datetime) -> tuple[Event, Entry]:
    fields: dict[str, FieldValue] = {
        "case": _pseudonym(case, desk),
        "what": case.kind,
        "channel": case.channel,
        "actor": who.actor,
    }
    fields |= {"right": case.right} if case.right else {}
    fields |= {"subject": Pseudonym(case.subject)} if case.subject else {}
    fields |= {"by": Pseudonym(who.by)} if who.by else {}
    fields |= {"due": case.due_on} if case.due_on else {}
    facts = {"channel": case.channel, "tier": case.tier}
    event = Event(case=case, at=now, what=what, actor=who.actor, by=who.by, facts=facts)
    return event, Entry("case.received", now, fields)


def put_on_record(
    case: Case,
    change: str,
    who: Who,
    desk: Desk,
    *,
    now: dt.datetime,
    due: dt.date | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Put a change of the case into its history and into the ledger, in the transaction that is open."""
    told = {**(facts or {}), **({"due": due.isoformat()} if due else {})}
    Event.objects.create(case=case, at=now, what=change, actor=who.actor, by=who.by, facts=told)
    fields: dict[str, FieldValue] = {"case": _pseudonym(case, desk), "change": change, "actor": who.actor}
    fields |= {"due": due} if due else {}
    fields |= {"by": Pseudonym(who.by)} if who.by else {}
    fields |= {"subject": Pseudonym(case.subject)} if case.subject else {}
    record(Entry("case.changed", now, fields))
    event = "case.escalated" if change == "escalated" else "case.changed"
    hooks.tell(event, _facts(case) | {"change": change}, now=now)


def _facts(case: Case) -> dict[str, Any]:
    """What other programs are told of a case: how it stands, and nothing of whom it is about."""
    return {
        "reference": case.reference,
        "kind": case.kind,
        "right": case.right,
        "state": case.state,
        "outcome": case.outcome,
        "due_on": case.due_on.isoformat() if case.due_on else None,
    }
