"""Content of a person's case page: status, next step and deadline. Rows and values in, text out.

*inside* is true for a portal session opened by a link that proves the channel: it shows the person's texts and other
personal data. A status link is valid for months and may be in an old e-mail, so its page shows no personal data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from troth.declaration import Declaration
from troth.law import Applies
from troth.service.cases import lifecycle
from troth.service.cases.content import CaseContent, content_of
from troth.service.cases.handling import case_types, handling_of, handlings
from troth.service.cases.labels import purpose_words, target_words
from troth.service.cases.messages import not_told
from troth.service.cases.models import Case, CaseEvent, CaseOutcome, CaseState, WaitReason
from troth.service.core.deployment import Deployment
from troth.service.core.models import EntryRow
from troth.service.staff.access_log import accesses_of
from troth.service.staff.rights import role_title


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history."""

    at: dt.datetime
    text: str


@dataclass(frozen=True, slots=True)
class LedgerProof:
    """A ledger entry as proof; *leaf* is None until it is sequenced."""

    text: str
    at: dt.datetime
    leaf: int | None


@dataclass(frozen=True, slots=True)
class StaffAccessRow:
    """An access by staff to the person's data."""

    at: dt.datetime
    role: str
    purpose: str


@dataclass(frozen=True)
class CasePage:
    """The page of one case."""

    reference: str
    heading: str
    state: str
    next: str
    mark: str
    is_inside: bool
    is_closed: bool
    due: dt.date | None
    is_late: bool
    why: tuple[str, ...]
    laws: tuple[Applies, ...]
    happened: tuple[HistoryEntry, ...]
    details: Any = None
    """What is special about its type (`CaseHandling.status`)."""
    proofs: tuple[LedgerProof, ...] = ()
    seen: tuple[StaffAccessRow, ...] = ()
    asks: str = ""
    needs_answer: bool = False
    may_withdraw: bool = False
    ways_to_contest: tuple[tuple[str, str], ...] = ()
    """URL name and title of each page to disagree with the answer."""
    content: CaseContent | None = None
    wrote: Sequence[tuple[str, str]] = field(default=(), repr=False)


def title_of(name: str) -> str:
    """Title of a type of cases, for a heading."""
    return gettext(case_types()[name].title)


def show(case: Case, deployment: Deployment, *, inside: bool, now: dt.datetime) -> CasePage:
    """Build the page of *case* as of *now*."""
    clocks = lifecycle.reckon(case, deployment, now=now)
    first, closed = clocks.first, case.state == CaseState.CLOSED
    handling, content = handling_of(case.type), content_of(case, deployment) if inside else None
    events = list(case.events.filter(is_internal=False).order_by("at", "id"))
    is_told = closed and not not_told().filter(case=case).exists()
    return CasePage(
        reference=case.reference,
        heading=title_of(case.type),
        state=_state(case, events),
        next=_next(case, deployment, events, is_told=is_told),
        mark=_mark(case),
        is_inside=inside,
        is_closed=closed,
        due=None if closed else first.on,
        is_late=not closed and first.is_late(now),
        why=() if closed else first.steps,
        laws=() if closed else clocks.because,
        happened=tuple(
            HistoryEntry(event.at, text) for event in events if (text := _event(event, case, is_told=is_told))
        ),
        details=handling.status(case, deployment, inside=inside, now=now),
        proofs=_proofs(case),
        seen=_seen(case, deployment.declaration) if inside else (),
        asks=content.question if content is not None and case.state == CaseState.PAUSED else "",
        needs_answer=case.state == CaseState.PAUSED,
        may_withdraw=inside and not closed and case.batch_id is None and case.needs != WaitReason.SYSTEMS,
        ways_to_contest=tuple(page for one in handlings() if (page := one.contest_page(case)) is not None),
        content=content,
        wrote=_wrote(content, deployment.declaration) if content is not None else (),
    )


# --- status ----------------------------------------------------------------------------------------------------------


def _mark(case: Case) -> str:
    if case.state != CaseState.CLOSED:
        return "unproven" if case.state in (CaseState.PAUSED, CaseState.VERIFYING) else "stated"
    return "kept" if case.outcome in (CaseOutcome.FULFILLED, CaseOutcome.PARTLY_FULFILLED) else "waived"


def _state(case: Case, events: Sequence[CaseEvent]) -> str:
    words: dict[CaseState | CaseOutcome, str] = {
        CaseState.RECEIVED: gettext("Received"),
        CaseState.VERIFYING: gettext("Waiting for your proof"),
        CaseState.IN_PROGRESS: gettext("In progress"),
        CaseState.PAUSED: gettext("Waiting for your answer"),
        CaseOutcome.FULFILLED: gettext("Done"),
        CaseOutcome.PARTLY_FULFILLED: gettext("Done as far as possible"),
        CaseOutcome.REFUSED: gettext("Refused"),
        CaseOutcome.WITHDRAWN: gettext("Closed") if _why(events) else gettext("Taken back"),
    }
    return words[CaseOutcome(case.outcome) if case.outcome else CaseState(case.state)]


def _next(case: Case, deployment: Deployment, events: Sequence[CaseEvent], *, is_told: bool) -> str:
    """Text about the next step, and who does it."""
    if case.state == CaseState.CLOSED:
        return _ended(case, events, is_told=is_told)
    if case.state == CaseState.VERIFYING:
        if case.tier and case.tier < case.tier_needed:
            return gettext("These data are sensitive, so we need a little more to be sure that you are you.")
        return gettext("Open the link that we mailed and press the button there. Then we begin.")
    if case.state == CaseState.PAUSED:
        return gettext("We have asked you for something that we need. As soon as you answer, we go on.")
    return handling_of(case.type).waiting_words(case, deployment) or gettext(
        "A person has to write the answer. It goes to your e-mail address."
    )


def _ended(case: Case, events: Sequence[CaseEvent], *, is_told: bool) -> str:
    why = _why(events)
    if why == "denied":
        return gettext("You told us that you sent nobody to ask for it, and we closed it.")
    if why == "erased":
        return gettext("Meanwhile we answered your request to delete your data, and closed this one.")
    if case.outcome == CaseOutcome.WITHDRAWN:
        return gettext("You took it back, and we closed it. You can ask again at any time.")
    if why == "identity_not_shown":
        return gettext("Nobody confirmed it within thirty days, so we closed it. You can ask again.")
    if not is_told:
        return gettext("It is closed. We sent no message about that: the address had got several within a day.")
    if case.outcome == CaseOutcome.REFUSED:
        return gettext("Our letter says why, which law it rests on, and whom you can turn to.")
    return handling_of(case.type).outcome_words(case, events) or gettext(
        "It is done, and we wrote you a letter about it."
    )


def _why(events: Iterable[CaseEvent]) -> str:
    """Code of the reason why the case was closed without execution; empty for normal outcomes."""
    return next((str(event.facts.get("why", "")) for event in events if event.what == "closed"), "")


def _event(event: CaseEvent, case: Case, *, is_told: bool) -> str:
    """Text for an event; empty for events that are not shown to the person."""
    facts: Mapping[str, Any] = event.facts
    if event.what == "closed":
        ends = {
            "identity_not_shown": gettext("We closed it, because nobody confirmed it"),
            "denied": gettext("You told us that you sent nobody to ask for it"),
            "erased": gettext("We closed it, because we had answered your request to delete your data"),
        }
        if (why := _why([event])) in ends:
            return ends[why]
        if not is_told:
            return gettext("We closed it")
        words = {
            "fulfilled": gettext("We finished and wrote to you"),
            "partly_fulfilled": gettext("We finished as far as possible and wrote to you"),
            "refused": gettext("We refused it and wrote you why"),
            "withdrawn": gettext("You took it back"),
        }
        return words.get(str(facts.get("outcome")), "")
    words = {
        "received": gettext("We received it"),
        "verified": gettext("You proved that it was you"),
        "acknowledged": gettext("We confirmed it by letter"),
        "paused": gettext("We asked you for something"),
        "resumed": gettext("You answered, and we went on"),
        "extended": gettext("We wrote you that it takes longer, and why"),
    }
    if event.what in words:
        return words[event.what]
    registered = next((one.person_events[event.what] for one in handlings() if event.what in one.person_events), "")
    return handling_of(case.type).event_words(event, case) or str(registered)


# --- proofs, accesses, texts -----------------------------------------------------------------------------------------


def _proofs(case: Case) -> tuple[LedgerProof, ...]:
    proofs = handling_of(case.type).proofs(case)
    ended = case.events.filter(what="closed").order_by("-id").first()
    entry = EntryRow.objects.filter(pk=ended.facts["entry"]).first() if ended and "entry" in ended.facts else None
    if ended is not None and entry is not None:
        proofs.append(LedgerProof(gettext("That it was closed, and when"), ended.at, entry.leaf))
    return tuple(proofs)


def leaves(case: Case) -> frozenset[int]:
    """Ledger leaves that a person may see for their case."""
    return frozenset(proof.leaf for proof in _proofs(case) if proof.leaf is not None)


def _seen(case: Case, declaration: Declaration) -> tuple[StaffAccessRow, ...]:
    if not case.subject:
        return ()
    return tuple(
        StaffAccessRow(look.at, str(role_title(look.role)), purpose_words(declaration, look.purpose))
        for look in accesses_of(case.subject)[:100]
    )


def _wrote(content: CaseContent, declaration: Declaration) -> list[tuple[str, str]]:
    """The person's input and our answer, as pairs of label and text."""
    wrote = [(gettext("Your address"), content.address)]
    for target, value in content.changes.items():
        wrote.append((target_words(declaration, target), value or gettext("(empty)")))
    if content.purposes:
        stops = "; ".join(purpose_words(declaration, name) for name in content.purposes)
        wrote.append((gettext("What should stop"), stops))
    if content.agent_name:
        wrote.append((gettext("Who asked for you"), content.agent_name))
    if content.message:
        wrote.append((gettext("Your message"), content.message))
    if content.answer:
        wrote.append((gettext("Our answer"), content.answer))
    return wrote
