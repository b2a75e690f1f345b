"""Content of a person's case page: status, next step and deadline. Rows and values in, text out.

*inside* is true for a portal session opened by a link that proves the channel: it shows the person's texts and other
personal data. A status link is valid for months and may be in an old e-mail, so its page shows no personal data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext, ngettext

from troth.declaration import Declaration
from troth.law import Applies
from troth.service.cases import lifecycle
from troth.service.cases.content import CaseContent, content_of
from troth.service.cases.labels import purpose_words, system_words, target_words
from troth.service.cases.messages import day, not_told
from troth.service.cases.models import Case, CaseEvent, CaseKind, CaseOutcome, CaseState, Right, WaitReason
from troth.service.core.deployment import Deployment
from troth.service.core.models import EntryRow
from troth.service.disclosures.notifications import NotificationState as NoticeState
from troth.service.disclosures.notifications import notices
from troth.service.labels import day as day_words
from troth.service.policy_pages.badges import SIGNS
from troth.service.requests.models import LOOKS, STOPS, CaseStep, Package
from troth.service.requests.package import is_searchable
from troth.service.requests.responses import appeals, outcome
from troth.service.requests.responses.receipt_sentences import ReceiptSentence, done, joined, kept, whole
from troth.service.staff.access_log import accesses_of
from troth.service.staff.rights import role_title


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history."""

    at: dt.datetime
    text: str


@dataclass(frozen=True, slots=True)
class SystemProgress:
    """One system and its progress. *sign* accompanies the text, so that colour is never the only indicator."""

    name: str
    text: str
    state: str
    sign: str


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
    parts: tuple[SystemProgress, ...] = ()
    done: tuple[ReceiptSentence, ...] = ()
    kept: tuple[ReceiptSentence, ...] = ()
    final_after: dt.date | None = None
    proofs: tuple[LedgerProof, ...] = ()
    seen: tuple[StaffAccessRow, ...] = ()
    package: Package | None = None
    asks: str = ""
    needs_answer: bool = False
    needs_points: bool = False
    may_withdraw: bool = False
    may_appeal: bool = False
    content: CaseContent | None = None
    wrote: Sequence[tuple[str, str]] = field(default=(), repr=False)


def asked_for(case: Case | None = None, *, kind: str = "", right: str = "") -> str:
    """Title of the case, for a heading."""
    kind, right = (case.kind, case.right) if case is not None else (kind, right)
    if kind == CaseKind.COMPLAINT:
        return gettext("Your complaint")
    if kind == CaseKind.QUESTION:
        return gettext("Your question")
    words = {
        Right.VIEW: gettext("See your data"),
        Right.AMEND: gettext("Correct your data"),
        Right.ERASE: gettext("Delete your data"),
        Right.RESTRICT: gettext("Pause the use of your data"),
        Right.PORT: gettext("Take your data with you"),
        Right.OBJECT: gettext("Object"),
        Right.WITHDRAW: gettext("Withdraw a consent"),
        Right.APPEAL: gettext("Look at an answer again"),
    }
    return words[Right(right)]


def show(case: Case, deployment: Deployment, *, inside: bool, now: dt.datetime) -> CasePage:
    """Build the page of *case* as of *now*."""
    clocks = lifecycle.reckon(case, deployment, now=now)
    first, closed = clocks.first, case.state == CaseState.CLOSED
    steps = list(case.steps.order_by("id"))
    receipts = list(case.receipts.select_related("entry").order_by("at", "id"))
    lines = [line for receipt in receipts for line in receipt.lines]
    is_carried = closed or case.needs == WaitReason.SYSTEMS or bool(receipts)
    wrote = content_of(case, deployment)
    content = wrote if inside else None
    finals = [receipt.final_after for receipt in receipts if receipt.final_after is not None]
    events = list(case.events.filter(is_internal=False).order_by("at", "id"))
    is_told = closed and not not_told().filter(case=case).exists()
    return CasePage(
        reference=case.reference,
        heading=asked_for(case),
        state=_state(case, events),
        next=_next(case, deployment, steps, events, is_told=is_told),
        mark=_mark(case),
        is_inside=inside,
        is_closed=closed,
        due=None if closed else first.on,
        is_late=not closed and first.is_late(now),
        why=() if closed else first.steps,
        laws=() if closed else clocks.because,
        happened=tuple(HistoryEntry(event.at, text) for event in events if (text := _event(event, is_told=is_told))),
        parts=_parts(case, deployment.declaration, steps, lines, wrote, is_carried=is_carried),
        done=tuple(
            sorted(
                joined(done(line, case.right, deployment.declaration) for line in whole(lines)),
                key=attrgetter("what", "system", "table"),
            )
        ),
        kept=tuple(joined(done(line, case.right, deployment.declaration) for line in kept(lines))),
        final_after=max(finals) if finals else None,
        proofs=_proofs(case, receipts),
        seen=_seen(case, deployment.declaration) if inside else (),
        package=Package.objects.defer("sealed").filter(case=case, until__gt=now).first() if inside else None,
        asks=content.question if content is not None and case.state == CaseState.PAUSED else "",
        needs_answer=case.state == CaseState.PAUSED,
        needs_points=inside and case.state == CaseState.VERIFYING and case.tier_needed > 1,
        may_withdraw=inside and not closed and case.batch_id is None and case.needs != WaitReason.SYSTEMS,
        may_appeal=appeals.is_possible(case),
        content=content,
        wrote=_wrote(content, deployment.declaration) if content is not None else (),
    )


# --- status ----------------------------------------------------------------------------------------------------------


def _mark(case: Case) -> str:
    if case.state != CaseState.CLOSED:
        return "unproven" if case.state in (CaseState.PAUSED, CaseState.VERIFYING) else "stated"
    return {CaseOutcome.FULFILLED: "kept", CaseOutcome.PARTLY_FULFILLED: "kept"}.get(
        CaseOutcome(case.outcome), "waived"
    )


def _state(case: Case, events: Sequence[CaseEvent]) -> str:
    if case.state == CaseState.CLOSED:
        words = {
            CaseOutcome.FULFILLED: gettext("Done"),
            CaseOutcome.PARTLY_FULFILLED: gettext("Done as far as possible"),
            CaseOutcome.REFUSED: gettext("Refused"),
            CaseOutcome.WITHDRAWN: gettext("Closed") if _why(events) else gettext("Taken back"),
        }
        return words[CaseOutcome(case.outcome)]
    return {
        CaseState.RECEIVED: gettext("Received"),
        CaseState.VERIFYING: gettext("Waiting for your proof"),
        CaseState.IN_PROGRESS: gettext("In progress"),
        CaseState.PAUSED: gettext("Waiting for your answer"),
    }[CaseState(case.state)]


def _next(
    case: Case, deployment: Deployment, steps: Sequence[CaseStep], events: Sequence[CaseEvent], *, is_told: bool
) -> str:
    """Text about the next step, and who does it."""
    if case.state == CaseState.CLOSED:
        return _ended(case, events, is_told=is_told)
    if case.state == CaseState.VERIFYING:
        if case.tier and case.tier < case.tier_needed:
            return gettext("These data are sensitive, so we need a little more to be sure that you are you.")
        return gettext("Open the link that we mailed and press the button there. Then we begin.")
    if case.state == CaseState.PAUSED:
        return gettext("We have asked you for something that we need. As soon as you answer, we go on.")
    if case.needs == WaitReason.WINDOW and case.window_until is not None:
        until = day_words(day(case.window_until, deployment))
        return gettext("We delete your data on %(day)s. Until then you can take this back.") % {"day": until}
    if case.needs == WaitReason.SYSTEMS:
        waiting = sum(step.state == CaseStep.State.WAITING for step in steps)
        return ngettext(
            "We wait to hear from %(number)d system, or from a person who sees to it there. Then we write to you.",
            "We wait to hear from %(number)d systems, or from a person who sees to it there. Then we write to you.",
            waiting,
        ) % {"number": waiting}
    words = {
        WaitReason.REVIEW: gettext(
            "A person has to look at it, because a program should not decide it. Then we go on."
        ),
        WaitReason.WEIGHING: gettext("A person has to weigh your objection. Then we write to you."),
        WaitReason.APPROVAL: gettext("A second person checks what will be done. Then it is done."),
        WaitReason.ANSWER: gettext("A person has to write the answer. It goes to your e-mail address."),
        WaitReason.ACCESS: gettext(
            "You also asked to see your data. That comes first, so that nothing is missing from it."
        ),
    }
    if case.needs:
        return words[WaitReason(case.needs)]
    return gettext("We look in our systems for your data.")


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
    if case.right in STOPS:
        return gettext("Our message says what came of it.")
    if case.right in LOOKS:
        if case.outcome == CaseOutcome.PARTLY_FULFILLED:
            return gettext(
                "What we found is in the file that our letter leads to. Not every system gave us its part: the letter "
                "says which are missing, and why."
            )
        if any(event.what == "closed" and event.facts.get("package") is False for event in events):
            return gettext("We looked, and found nothing under the details that you gave us. Our letter says where.")
        if case.right == Right.PORT:
            if any(event.what == "closed" and event.facts.get("taken") == 0 for event in events):
                return gettext(
                    "Nothing of what we found falls under this right. The file says what is left out, and why."
                )
            return gettext(
                "What you may take with you is in the file that our letter leads to. It says what is left out, and why."
            )
        return gettext("What we found is in the file that our letter leads to.")
    if case.outcome == CaseOutcome.PARTLY_FULFILLED:
        return gettext("What had to stay, and why, stands below and in our letter.")
    if any(event.what == "closed" and event.facts.get("did") is False for event in events):
        return gettext("We looked, and found nothing that had to be done. Our letter says more.")
    return gettext("It is done, and we wrote you a letter about it.")


def _why(events: Iterable[CaseEvent]) -> str:
    """Code of the reason why the case was closed without execution; empty for normal outcomes."""
    return next((str(event.facts.get("why", "")) for event in events if event.what == "closed"), "")


def _event(event: CaseEvent, *, is_told: bool) -> str:
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
    if event.what == "recipients_told":
        states = [notice.state for notice in notices(event.case.reference)]
        told = sum(state in (NoticeState.SENT, NoticeState.TOLD) for state in states)
        said = ngettext("We told %(number)d recipient of your data", "We told %(number)d recipients of your data", told)
        said %= {"number": told}
        if {NoticeState.OWED, NoticeState.UNTOLD, NoticeState.UNSHOWN} & set(states):
            return said + ". " + gettext("Whether others have to be told is still open") if told else ""
        return said if told else ""
    words = {
        "received": gettext("We received it"),
        "verified": gettext("You proved that it was you"),
        "acknowledged": gettext("We confirmed it by letter"),
        "appealed": gettext("You appealed"),
        "paused": gettext("We asked you for something"),
        "resumed": gettext("You answered, and we went on"),
        "extended": gettext("We wrote you that it takes longer, and why"),
        "granted": gettext("A person weighed your objection and granted it"),
        "restricted": gettext("We recorded that your data may only be stored"),
    }
    return words.get(event.what, "")


# --- systems, receipts, accesses -------------------------------------------------------------------------------------


def _parts(
    case: Case,
    declaration: Declaration,
    steps: Iterable[CaseStep],
    lines: Sequence[Mapping[str, Any]],
    wrote: CaseContent | None,
    *,
    is_carried: bool,
) -> tuple[SystemProgress, ...]:
    """Progress of each system. *lines* are the lines of the case's receipts; *wrote*, if still available, says with
    which identifiers the systems were searched; *is_carried*: our stores have been processed."""
    if (
        case.kind != CaseKind.REQUEST
        or case.right == Right.APPEAL
        or case.state in (CaseState.RECEIVED, CaseState.VERIFYING)
    ):
        return ()
    asked = {step.system: step for step in steps}
    if case.outcome in (CaseOutcome.WITHDRAWN, CaseOutcome.REFUSED):
        return ()  # nothing was done, and uses stopped meanwhile resume
    found = {str(line["place"]).partition(".")[0] for line in lines}
    acted = {str(line["place"]).partition(".")[0] for line in lines if line["what"] != "keep"}
    kinds = outcome.kinds_of(wrote) if wrote is not None else None
    parts = list[SystemProgress]()
    for name, system in declaration.systems.items():
        if name not in asked and (not system.tables or case.right in STOPS):
            continue
        step = asked.get(name)
        is_ours = (step is None and is_carried and name not in found) or (
            step is not None and step.way == "store" and step.why == "nothing_held"
        )
        if is_ours and kinds is None:
            continue  # it is no longer known how it was searched
        if is_ours and not is_searchable(declaration, name, kinds or ()):
            text, state = gettext("cannot be searched by what you gave us"), "unproven"
        elif step is None and is_carried:
            text, state = _looked_into(case.right, is_found=name in found, has_acted=name in acted)
        else:
            text, state = _part(step)
        parts.append(SystemProgress(system_words(declaration, name), text, state, SIGNS[state]))
    return tuple(parts)


def _looked_into(right: str, *, is_found: bool, has_acted: bool) -> tuple[str, str]:
    """Text and state of a system whose store we access. *is_found*: the receipt has lines for it; *has_acted*: one of
    them is more than "keep"."""
    if has_acted:
        return gettext("done"), "kept"
    if is_found:
        return gettext("kept: what was found there had to stay"), "waived"
    words = {Right.AMEND: gettext("nothing was changed there"), Right.PORT: gettext("nothing was taken from there")}
    return words.get(Right(right), gettext("nothing found there")), "private"


def _part(step: CaseStep | None) -> tuple[str, str]:
    if step is None:
        return gettext("not yet"), "private"
    if step.state == CaseStep.State.WAITING and step.way == "task":
        return gettext("a task asks a person to see to it"), "unproven"
    if step.state == CaseStep.State.DONE and step.why == "nothing_held":
        return gettext("nothing found there"), "private"
    if step.way == "store":
        return gettext("the mark was set, and read back"), "kept"
    words = {
        CaseStep.State.WAITING: (gettext("asked, waiting for its answer"), "unproven"),
        CaseStep.State.DONE: (gettext("confirmed"), "kept"),
        CaseStep.State.REFUSED: (gettext("could not be done there"), "broken"),
        CaseStep.State.FAILED: (gettext("gave no answer"), "broken"),
    }
    return words[CaseStep.State(step.state)]


def _proofs(case: Case, receipts: Iterable[Any]) -> tuple[LedgerProof, ...]:
    found = [
        LedgerProof(
            gettext("What was done in our systems") if receipt.lines else gettext("That we looked in our systems"),
            receipt.at,
            receipt.entry.leaf,
        )
        for receipt in receipts
        if receipt.entry is not None
    ]
    ended = case.events.filter(what="closed").order_by("-id").first()
    entry = EntryRow.objects.filter(pk=ended.facts["entry"]).first() if ended and "entry" in ended.facts else None
    if ended is not None and entry is not None:
        found.append(LedgerProof(gettext("That it was closed, and when"), ended.at, entry.leaf))
    return tuple(found)


def leaves(case: Case) -> frozenset[int]:
    """Ledger leaves that a person may see for their case."""
    proofs = _proofs(case, case.receipts.select_related("entry"))
    return frozenset(proof.leaf for proof in proofs if proof.leaf is not None)


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
