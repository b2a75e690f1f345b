"""E-mails of a case: their facts and addresses. They are queued in the transaction of the event they report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext, override

from troth.service.cases.content import CaseContent
from troth.service.cases.handling import handlings
from troth.service.cases.intake import mail_allowance
from troth.service.cases.models import Case, CaseEvent
from troth.service.cases.rules import zone_of
from troth.service.configuration import Settings
from troth.service.core.deployment import Deployment
from troth.service.mail.actions import post_all
from troth.service.mail.message_kinds import kinds
from troth.service.mail.models import LetterRow
from troth.service.mail.rules import Letter


def write(
    case: Case,
    kind: str,
    deployment: Deployment,
    facts: Mapping[str, Any],
    *,
    content: CaseContent,
    now: dt.datetime,
    by_staff: bool = False,
) -> bool:
    """Queue an e-mail to the requester. True if it is queued, now or before: a case gets each kind only once, even
    after retries."""
    return (
        bool(content.address)
        and write_to(content.address, case, kind, deployment, facts, now=now, by_staff=by_staff) is not None
    )


def write_to(
    address: str,
    case: Case,
    kind: str,
    deployment: Deployment,
    facts: Mapping[str, Any],
    *,
    now: dt.datetime,
    again: str = "",
    by_staff: bool = False,
) -> LetterRow | None:
    """Queue an e-mail about a case to *address*, once per kind; *again* distinguishes further e-mails of the same kind.
    E-mails to staff are in the language of the policy, not of the case.

    None if staff did not decide to send it (*by_staff*), and *address* is unverified and its daily limit is reached
    (`mail_allowance`); this is recorded."""
    once = f"{case.reference}:{kind}" + (f":{again}" if again else "")
    is_limited = case.tier == 0 and kinds()[kind].to_person and not by_staff
    if is_limited and (known := LetterRow.objects.filter(once=once).first()) is not None:
        return known
    if is_limited and not mail_allowance.take(address, deployment, now=now):
        CaseEvent.objects.create(case=case, at=now, what="not_mailed", actor="rule", is_internal=True)
        return None
    [row] = _post([_letter(address, case, kind, deployment, facts, once)], deployment, now)
    return row


@dataclass(frozen=True, slots=True, repr=False)
class CaseEmail:
    """An e-mail about a case to its requester."""

    case: Case
    kind: str
    facts: Mapping[str, Any]
    content: CaseContent


def write_all(answers: Sequence[CaseEmail], deployment: Deployment, *, now: dt.datetime) -> list[bool]:
    """`write` for several cases at once; one result for each."""
    verified = [answer for answer in answers if answer.content.address and answer.case.tier]
    letters = [
        _letter(one.content.address, one.case, one.kind, deployment, one.facts, f"{one.case.reference}:{one.kind}")
        for one in verified
    ]
    _post(letters, deployment, now)
    queued = {id(answer) for answer in verified}
    return [
        id(one) in queued or write(one.case, one.kind, deployment, one.facts, content=one.content, now=now)
        for one in answers
    ]


def _letter(address: str, case: Case, kind: str, deployment: Deployment, facts: Mapping[str, Any], once: str) -> Letter:
    language = deployment.declaration.policy.language if kind.startswith("staff_") else case.language
    return Letter(kind=kind, to=address, language=language, about=case.about, facts=facts, once=once)


def _post(letters: Sequence[Letter], deployment: Deployment, now: dt.datetime) -> list[LetterRow]:
    told: Settings = settings.TROTH
    organisation = deployment.declaration.organisation
    sender = told.mail_from or None
    return post_all(letters, keyring=deployment.keyring, organisation=organisation, now=now, sender=sender)


def not_told() -> QuerySet[CaseEvent]:
    """Events of cases closed without an e-mail: because of the daily limit, or because nobody proved their identity."""
    is_last = Q(what="not_mailed", at=F("case__closed_at"))
    return CaseEvent.objects.filter(is_last | Q(what="closed", facts__why="identity_not_shown"))


def write_staff(
    address: str,
    case: Case,
    kind: str,
    deployment: Deployment,
    facts: Mapping[str, Any],
    *,
    now: dt.datetime,
    again: str,
) -> None:
    """Queue an e-mail to staff, with the link of the case's page unless *facts* has another: to *address*, but about a
    confidential case only to the officer."""
    organisation = deployment.declaration.organisation
    if case.is_confidential:
        address = organisation.officer.email if organisation.officer is not None else organisation.email
    facts = {"link": f"{deployment.site}/console/cases/{case.reference}/", **facts}
    write_to(address, case, kind, deployment, facts, now=now, again=again)


def alert_staff(case: Case, what: str, deployment: Deployment, *, now: dt.datetime, again: str) -> None:
    """Notify the handler of *case*, or else the organisation, at most once for each *again*."""
    organisation = deployment.declaration.organisation
    address = (case.handler.email if case.handler is not None else "") or organisation.email
    write_staff(address, case, "staff_alert", deployment, {"what": what, "at": now}, now=now, again=again)


def note_returned(letter: LetterRow, deployment: Deployment, now: dt.datetime) -> None:
    """Open a task in the case of an owed e-mail that failed, or may have come back: its person is not reached yet."""
    kind = kinds()[letter.kind]
    case = Case.objects.select_related("handler").filter(reference=letter.about.removeprefix("case:")).first()
    if case is None or not (kind.is_owed and kind.to_person):
        return
    facts = {"letter": letter.kind, "why": letter.reason}
    CaseEvent.objects.create(case=case, at=now, what="mail_returned", actor="rule", facts=facts, is_internal=True)
    with override(deployment.declaration.policy.language):
        what = gettext("An e-mail about a case could not be delivered. Reach the person in another way.")
    alert_staff(case, what, deployment, now=now, again=f"returned-{letter.pk}")


def redress(case: Case, deployment: Deployment, *, is_less: bool = False) -> dict[str, Any]:
    """Facts about redress for e-mails about *case*. *is_less*: the answer does not give all that was asked for."""
    return {name: fact for one in handlings() for name, fact in one.redress(case, deployment, is_less=is_less).items()}


def day(at: dt.datetime, deployment: Deployment) -> dt.date:
    """The date of *at* in the controller's time zone."""
    return at.astimezone(zone_of(deployment.declaration.organisation)).date()
