"""Content of the console's case page: everything about one case, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troth.declaration import Declaration, is_category
from troth.law import Applies, obligations
from troth.service.cases import lifecycle
from troth.service.cases.console.queue_row import QueueRow, proof_words, queue_row, relative
from troth.service.cases.content import CaseContent, ContentGone, SealedContent, content_of
from troth.service.cases.handling import case_types, handling_of, handlings
from troth.service.cases.labels import KINDS, category_words
from troth.service.cases.messages import day
from troth.service.cases.models import Case, CaseEvent, CaseState
from troth.service.cases.rules import regimes
from troth.service.core.deployment import Deployment
from troth.service.core.models import EntryRow
from troth.service.labels import day as day_words
from troth.service.mail.models import LetterRow
from troth.service.staff.access_log import AccessLogEntry, accesses_of
from troth.service.staff.models import StaffMember


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One clock of the case: the rule, its citation, its deadline, and how that was calculated."""

    rule: str
    cite: str
    on: dt.date
    when: str
    is_late: bool
    is_paused: bool
    is_first: bool
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseLogEntry:
    """One event of the case: time, description, actor and note."""

    at: dt.datetime
    text: str
    by: str
    facts: tuple[tuple[str, str], ...] = ()
    leaf: int | None = None
    """Its leaf in the ledger, if it has one."""
    note: str = field(default="", repr=False)


@dataclass(frozen=True)
class ConsoleCasePage:
    """The page of one case. Its `repr` excludes personal data."""

    case: Case
    row: QueueRow
    proof: str
    proof_needed: str
    is_closed: bool
    clocks: tuple[ClockRow, ...]
    acknowledgements: tuple[ClockRow, ...]
    because: tuple[Applies, ...]
    need: Mapping[str, Any]
    """Facts about what it needs: *reviews* and *problems*."""
    why: str
    happened: tuple[CaseLogEntry, ...]
    letters: tuple[LetterRow, ...]
    looks: tuple[tuple[AccessLogEntry, str], ...]
    details: Any
    """What is special about its type (`CaseHandling.sheet`)."""
    mine: int | None
    """Primary key of the reader's account."""
    content: CaseContent | None = field(default=None, repr=False)
    wrote: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def people_of(case: Case, content: CaseContent | None, deployment: Deployment) -> list[str]:
    """Keyed references of the people whose data the page of *case* shows: the subject, and an agent."""
    named = [case.subject] if case.subject else []
    if content is not None:
        addresses = [content.agent_address] if named else [content.address, content.agent_address]
        named += [_reference(address, deployment) for address in addresses if address]
    return [name for name in named if name]


def everyone_of(case: Case, deployment: Deployment) -> list[str]:
    """Keyed references of everyone whom *case* concerns, by each address separately: none of them may handle it, even
    if they gave more identifiers than their address."""
    content = content_of(case, deployment)
    named = everyone_in(content, deployment) if content is not None else []
    return [name for name in (case.subject, *named) if name]


def everyone_in(content: CaseContent, deployment: Deployment) -> list[str]:
    """Keyed references of everyone whose e-mail address is in *content*."""
    named = [value for kind, value in content.identifiers if kind == "email"]
    found = (_reference(one, deployment) for one in (content.address, content.agent_address, *named) if one)
    return [name for name in found if name]


def _reference(address: str, deployment: Deployment) -> str:
    try:
        return lifecycle.subject_of(CaseContent(identifiers=(("email", address),)), deployment)
    except lifecycle.CaseRefused:
        return ""


def sheet(
    case: Case,
    content: CaseContent | None,
    deployment: Deployment,
    request: HttpRequest,
    *,
    now: dt.datetime,
    withheld: frozenset[str] = frozenset(),
) -> ConsoleCasePage:
    """Build the page of *case*. The access must be recorded first; the cases *withheld* are hidden from the reader."""
    clocks = lifecycle.reckon(case, deployment, now=now)
    today = day(now, deployment)
    events = list(case.events.order_by("at", "id"))
    facts = _need(case, events)
    names = _names(event.by for event in events)
    leaves = _leaves(events)
    return ConsoleCasePage(
        case=case,
        row=queue_row(case, today, mine=request.user.pk),
        proof=proof_words(case.tier),
        proof_needed=proof_words(case.tier_needed) if case.tier_needed > case.tier else "",
        is_closed=case.state == CaseState.CLOSED,
        clocks=tuple(_clock(one, clocks.first, today, now) for one in clocks.answer),
        acknowledgements=tuple(_clock(one, None, today, now) for one in clocks.acknowledge),
        because=clocks.because,
        need=facts,
        why=_reason(str(facts.get("why", ""))),
        happened=tuple(_happened(event, case, names, leaves, deployment) for event in events),
        letters=tuple(LetterRow.objects.filter(about=case.about).defer("sealed").order_by("queued_at", "id")),
        looks=tuple(_looks(case, deployment.declaration, withheld)),
        details=handling_of(case.type).sheet(request, case, deployment),
        mine=request.user.pk,
        content=content,
        wrote=tuple(wrote(content, deployment.declaration)) if content is not None else (),
    )


def _need(case: Case, events: Sequence[CaseEvent]) -> Mapping[str, Any]:
    """Facts of the event with which the case began to need what it needs now."""
    need = next((event for event in reversed(events) if event.what.startswith("needs_")), None)
    return need.facts if case.needs and need is not None and need.what == f"needs_{case.needs}" else {}


def rows_in_question(case: Case) -> tuple[str, ...]:
    """Rows from which a handler has to choose."""
    facts = _need(case, list(case.events.filter(what__startswith="needs_").order_by("at", "id")))
    return tuple(dict.fromkeys(row for review in facts.get("reviews", ()) for row in review["rows"]))


def _looks(case: Case, declaration: Declaration, withheld: frozenset[str]) -> Iterable[tuple[AccessLogEntry, str]]:
    """Accesses to the subject's data, each with the title of its purpose."""
    for one in accesses_of(case.subject, withheld=withheld)[:50] if case.subject else ():
        known = declaration.purposes.get(one.purpose)
        yield one, (known.title or one.purpose) if known is not None else one.purpose


def _clock(clock: Any, first: Any, today: dt.date, now: dt.datetime) -> ClockRow:
    return ClockRow(
        rule=clock.rule.partition("@")[0],
        cite=str(clock.citation or ""),
        on=clock.on,
        when=relative(clock.on, today),
        is_late=clock.is_late(now),
        is_paused=clock.is_paused,
        is_first=first is not None and clock == first,
        steps=clock.steps,
    )


_WHY: Mapping[str, Any] = {
    "not_shown": _(
        "E-mails go to an address that the request does not name, or the request names more than that address. The "
        "link proves only who reads that mailbox. Check that the identifiers belong together before anything is "
        "carried out."
    ),
    "no_sender": _("The e-mail has no sender address that we can answer: answer it another way, if there is one."),
    "not_readable": _("The e-mail is too damaged to be read. What can be shown of it is here."),
    "not_answered": _("The e-mail could not be processed. What can be shown of it is here."),
    "not_sure": _("It is not clear what the e-mail asks for: read it before the case continues."),
    "asks_for_more": _("Cases were opened for what this e-mail clearly asks for. Check whether it asks for more."),
    "may_stop": _(
        "The e-mail may ask us to stop writing: read it. If it does, record the stop in the console, at “Stops”."
    ),
    "too_many": _("Very many e-mails came from this address in a day. This one was kept, and no reply was sent."),
}


def _reason(code: str) -> str:
    """The reason why a case waits, in words."""
    known = {**_WHY, **{name: words for one in handlings() for name, words in one.staff_reasons.items()}}
    return str(known.get(code, ""))


def _names(pseudonyms: Iterable[str]) -> dict[str, str]:
    wanted = {one for one in pseudonyms if one}
    if not wanted:
        return {}
    rows = StaffMember.objects.filter(pseudonym__in=wanted).select_related("user")
    return {row.pseudonym: row.user.get_username() for row in rows}


_EVENTS: Mapping[str, Any] = {
    "received": _("It arrived"),
    "verified": _("The person proved their identity"),
    "acknowledged": _("We confirmed it by e-mail"),
    "assigned": _("It was assigned"),
    "confided": _("It was handed to the officer"),
    "shared": _("It is visible to handlers again"),
    "paused": _("The person was asked for information"),
    "asked_again": _("The person was reminded of the question"),
    "resumed": _("The case was resumed"),
    "extended": _("The period was extended, with reasons"),
    "approved": _("The plan was approved"),
    "reminded": _("Staff were reminded of the deadline"),
    "escalated": _("The case was escalated"),
    "note": _("Note"),
    "not_mailed": _("No e-mail was sent: the unverified address got several within a day"),
    "wrote": _("An e-mail in the person's name; its sender is not verified"),
    "mail_returned": _("An e-mail to the person failed, or may have come back: reach them in another way"),
    "reached": _("The person was reached in another way"),
    "closed": _("The case was closed"),
    "needs_review": _("A handler has to review it"),
    "needs_approval": _("A second person has to approve it"),
    "needs_answer": _("A handler has to answer it"),
}
_ACTORS: Mapping[str, Any] = {
    "subject": _("the person"),
    "agent": _("their agent"),
    "staff": _("staff"),
    "owner": _("the owner"),
    "rule": _("by rule"),
}


def _leaves(events: Iterable[CaseEvent]) -> dict[int, int | None]:
    """Ledger leaves of the entries that events refer to."""
    wanted = [event.facts["entry"] for event in events if "entry" in event.facts]
    return dict(EntryRow.objects.filter(pk__in=wanted).values_list("pk", "leaf")) if wanted else {}


def _happened(
    event: CaseEvent, case: Case, names: Mapping[str, str], leaves: Mapping[int, int | None], deployment: Deployment
) -> CaseLogEntry:
    by = names.get(event.by) or (
        gettext("somebody who left") if event.by else str(_ACTORS.get(event.actor, event.actor))
    )
    leaf = leaves.get(event.facts.get("entry", 0))
    note = ""
    if event.note is not None:
        try:
            note = SealedContent(deployment.keyring).note(case, bytes(event.note))
        except ContentGone:
            note = ""
    return CaseLogEntry(event.at, _event(event.what), by, tuple(_facts(event)), leaf, note)


def _event(what: str) -> str:
    known = {**_EVENTS, **{name: words for one in handlings() for name, words in one.staff_events.items()}}
    return str(known.get(what, what))


def _facts(event: CaseEvent) -> Iterable[tuple[str, str]]:
    for name, value in event.facts.items():
        if name in ("entry", "reviews", "problems", "run") or value in ("", None, [], {}):
            continue
        if name == "tier" and isinstance(value, int):
            yield gettext("proof of identity"), proof_words(value)
        elif name in ("due", "until") and isinstance(value, str):
            yield name, day_words(dt.date.fromisoformat(value))
        elif isinstance(value, list):
            yield name, ", ".join(str(one) for one in value)
        elif isinstance(value, str | int | bool):
            yield name, str(value).replace("_", " ")


def wrote(content: CaseContent, declaration: Declaration) -> Iterable[tuple[str, str]]:
    """The content of the case, as pairs of label and text."""
    if content.name:
        yield gettext("Name"), content.name
    if content.address:
        yield gettext("E-mails go to"), content.address
    kinds = {**KINDS, "name": gettext("Full name")}
    for kind, value in content.identifiers:
        yield gettext("Named by: %s") % kinds.get(kind, kind), value
    if content.rows:
        yield gettext("Chosen rows"), "\n".join(content.rows)
    for target, value in content.changes.items():
        yield (
            gettext("Should be: %s") % (category_words(target) if is_category(target) else target),
            value or gettext("(empty)"),
        )
    if content.purposes:
        known = declaration.purposes
        yield (
            gettext("Should stop"),
            "\n".join((known[name].title or name) if name in known else name for name in content.purposes),
        )
    if content.agent_name or content.agent_address:
        yield gettext("Asked for by"), f"{content.agent_name} {content.agent_address}".strip()
    if content.message:
        yield gettext("Message"), content.message
    if content.question:
        yield gettext("What we asked for"), content.question
    if content.answer:
        yield gettext("What we answered"), content.answer


# --- refusals ---------------------------------------------------------------------------------------------------------

_ALWAYS = ("free_of_charge", "verify")


def grounds(case: Case, declaration: Declaration) -> list[tuple[str, str]]:
    """Legal grounds on which a refusal of this case may be based, from all applicable regimes: citation and text."""
    on = case.received_at.date()
    applying = regimes(declaration, case.residence, on)
    wanted = (*case_types()[case.type].grounds, *_ALWAYS)
    found = {
        str(rule.citation): rule.what
        for one in applying
        for duty in wanted
        for rule in obligations(one.regime.id, on)
        if rule.id.partition(".")[2] == duty
    }
    return list(found.items())
