"""What a person's page shows about a request: systems, receipts and the file. Rows and values in, text out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from troth.declaration import Declaration
from troth.service.cases.case_links import OpenedCase
from troth.service.cases.content import CaseContent, content_of
from troth.service.cases.handling import CaseHandling
from troth.service.cases.labels import system_words
from troth.service.cases.messages import day
from troth.service.cases.models import Case, CaseEvent, CaseOutcome, CaseState, Right, WaitReason
from troth.service.cases.pages.case_status import LedgerProof
from troth.service.core.deployment import Deployment
from troth.service.disclosures.notifications import NotificationState as NoticeState
from troth.service.disclosures.notifications import notices
from troth.service.labels import day as day_words
from troth.service.labels import status_sign
from troth.service.requests.models import LOOKS, STOPS, CaseStep, Package
from troth.service.requests.package import is_searchable
from troth.service.requests.pages.forms import points_form
from troth.service.requests.responses import outcome
from troth.service.requests.responses.receipt_sentences import ReceiptSentence, done, joined, kept, whole
from troth.service.requests.verification import proof


@dataclass(frozen=True, slots=True)
class SystemProgress:
    """One system and its progress. *sign* accompanies the text, so that colour is never the only indicator."""

    name: str
    text: str
    state: str
    sign: str


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """What was done, system by system; what had to stay; and the file to download."""

    parts: tuple[SystemProgress, ...]
    done: tuple[ReceiptSentence, ...]
    kept: tuple[ReceiptSentence, ...]
    final_after: dt.date | None
    package: Package | None

    above: ClassVar[str] = "requests/status_above.html"
    below: ClassVar[str] = "requests/status_below.html"


class RequestPages(CaseHandling):
    """What differs on the pages of the person."""

    person_events: ClassVar[Mapping[str, Any]] = {
        "granted": _("A person weighed your objection and granted it"),
        "restricted": _("We recorded that your data may only be stored"),
    }

    def waiting_words(self, case: Case, deployment: Deployment) -> str:
        """What the request waits for, and who does it."""
        if case.needs == WaitReason.WINDOW and case.window_until is not None:
            until = day_words(day(case.window_until, deployment))
            return gettext("We delete your data on %(day)s. Until then you can take this back.") % {"day": until}
        if case.needs == WaitReason.SYSTEMS:
            waiting = case.steps.filter(state=CaseStep.State.WAITING).count()
            return ngettext(
                "We wait to hear from %(number)d system, or from a person who sees to it there. Then we write to you.",
                "We wait to hear from %(number)d systems, or from a person who sees to it there. Then we write to you.",
                waiting,
            ) % {"number": waiting}
        words = {
            "": gettext("We look in our systems for your data."),
            WaitReason.REVIEW: gettext(
                "A person has to look at it, because a program should not decide it. Then we go on."
            ),
            WaitReason.WEIGHING: gettext("A person has to weigh your objection. Then we write to you."),
            WaitReason.APPROVAL: gettext("A second person checks what will be done. Then it is done."),
            WaitReason.ACCESS: gettext(
                "You also asked to see your data. That comes first, so that nothing is missing from it."
            ),
        }
        return words[case.needs]

    def outcome_words(self, case: Case, events: Iterable[CaseEvent]) -> str:
        """What came of the request, if it was not refused; empty if it was simply done."""
        ended: Mapping[str, Any] = next((event.facts for event in events if event.what == "closed"), {})
        is_in_part = case.outcome == CaseOutcome.PARTLY_FULFILLED
        if case.right in STOPS:
            return gettext("Our message says what came of it.")
        if case.right in LOOKS and is_in_part:
            return gettext(
                "What we found is in the file that our letter leads to. Not every system gave us its part: the letter "
                "says which are missing, and why."
            )
        if case.right in LOOKS and ended.get("package") is False:
            return gettext("We looked, and found nothing under the details that you gave us. Our letter says where.")
        if case.right == Right.PORT and ended.get("taken") == 0:
            return gettext("Nothing of what we found falls under this right. The file says what is left out, and why.")
        if case.right == Right.PORT:
            return gettext(
                "What you may take with you is in the file that our letter leads to. It says what is left out, and why."
            )
        if case.right == Right.VIEW:
            return gettext("What we found is in the file that our letter leads to.")
        if is_in_part:
            return gettext("What had to stay, and why, stands below and in our letter.")
        return (
            gettext("We looked, and found nothing that had to be done. Our letter says more.")
            if ended.get("did") is False
            else ""
        )

    def proofs(self, case: Case) -> list[LedgerProof]:
        """The receipts of the request in the ledger."""
        return [
            LedgerProof(
                gettext("What was done in our systems") if receipt.lines else gettext("That we looked in our systems"),
                receipt.at,
                receipt.entry.leaf,
            )
            for receipt in case.receipts.select_related("entry").order_by("at", "id")
            if receipt.entry is not None
        ]

    def status(self, case: Case, deployment: Deployment, *, inside: bool, now: dt.datetime) -> RequestStatus:
        """The status of the request *case* as of *now*."""
        steps = list(case.steps.order_by("id"))
        receipts = list(case.receipts.order_by("at", "id"))
        lines = [line for receipt in receipts for line in receipt.lines]
        is_carried = case.state == CaseState.CLOSED or case.needs == WaitReason.SYSTEMS or bool(receipts)
        wrote = content_of(case, deployment)
        finals = [receipt.final_after for receipt in receipts if receipt.final_after is not None]
        changed = joined(done(line, case.right, deployment.declaration) for line in whole(lines))
        return RequestStatus(
            parts=_parts(case, deployment.declaration, steps, lines, wrote, is_carried=is_carried),
            done=tuple(sorted(changed, key=attrgetter("what", "system", "table"))),
            kept=tuple(joined(done(line, case.right, deployment.declaration) for line in kept(lines))),
            final_after=max(finals) if finals else None,
            package=Package.objects.defer("sealed").filter(case=case, until__gt=now).first() if inside else None,
        )

    def event_words(self, event: CaseEvent, case: Case) -> str:
        return _recipients_words(case) if event.what == "recipients_told" else ""

    def status_context(self, opened: OpenedCase, deployment: Deployment, now: dt.datetime) -> Mapping[str, Any]:
        case = opened.case
        if not opened.is_inside or case.state != CaseState.VERIFYING or case.tier_needed < 2:
            return {}
        return {"points": points_form(opened, deployment, None), "tries_left": proof.tries_left(case, now=now)}

    def headers(self, case: Case) -> Mapping[str, str]:
        is_erased = case.right == Right.ERASE and case.state == CaseState.CLOSED
        return {"Clear-Site-Data": '"cache", "storage"'} if is_erased else {}


def _recipients_words(case: Case) -> str:
    """How many recipients were told; empty if none were."""
    states = [notice.state for notice in notices(case.reference)]
    told = sum(state in (NoticeState.SENT, NoticeState.TOLD) for state in states)
    said = ngettext("We told %(number)d recipient of your data", "We told %(number)d recipients of your data", told)
    said %= {"number": told}
    if {NoticeState.OWED, NoticeState.UNTOLD, NoticeState.UNSHOWN} & set(states):
        return said + ". " + gettext("Whether others have to be told is still open") if told else ""
    return said if told else ""


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
    if case.state in (CaseState.RECEIVED, CaseState.VERIFYING):
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
        parts.append(SystemProgress(system_words(declaration, name), text, state, status_sign(state)))
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
