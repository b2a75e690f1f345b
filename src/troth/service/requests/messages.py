"""The letters of a case: which facts each states, and to whom it goes. Queued in the transaction of what they tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext

from troth.service.configuration import Settings
from troth.service.mail.actions import post
from troth.service.mail.message_kinds import KINDS
from troth.service.mail.models import LetterRow
from troth.service.mail.rules import Letter
from troth.service.requests.content import CaseContent
from troth.service.requests.deployment import CaseDeployment
from troth.service.requests.intake import mail_allowance
from troth.service.requests.models import Case, CaseEvent, CaseKind, Right
from troth.service.requests.rules import zone_of

_BY_STAFF = frozenset(
    {
        "appeal_answered",
        "complaint_outcome",
        "extended",
        "more_information",
        "question_answered",
        "refused",
        "reminder_to_person",
        "restriction_lifted",
    }
)
"""What somebody decided to write: it goes also where much was mailed already (`mail_allowance`)."""


def write(
    case: Case, kind: str, desk: CaseDeployment, facts: Mapping[str, Any], *, content: CaseContent, now: dt.datetime
) -> bool:
    """Queue one letter to whoever asked: whether there is one. A case gets a letter of the same kind and number once,
    whatever happens."""
    return bool(content.address) and write_to(content.address, case, kind, desk, facts, now=now) is not None


def write_to(
    address: str,
    case: Case,
    kind: str,
    desk: CaseDeployment,
    facts: Mapping[str, Any],
    *,
    now: dt.datetime,
    again: str = "",
) -> LetterRow | None:
    """Queue one letter about a case to *address*. *again* tells a further letter of the same kind from the first. A
    letter to staff is in the language of the policy, whoever asked in which.

    None where nobody has shown that they read *address*, and it got enough today (`mail_allowance`): that is noted."""
    once = f"{case.reference}:{kind}" + (f":{again}" if again else "")
    if (known := LetterRow.objects.filter(once=once).first()) is not None:
        return known
    if (
        case.tier == 0
        and KINDS[kind].to_person
        and kind not in _BY_STAFF
        and not mail_allowance.take(address, desk, now=now)
    ):
        CaseEvent.objects.create(case=case, at=now, what="not_mailed", actor="rule", is_internal=True)
        return None
    language = desk.declaration.policy.language if kind.startswith("staff_") else case.language
    letter = Letter(kind=kind, to=address, language=language, about=case.about, facts=facts, once=once)
    told: Settings = settings.TROTH
    organisation = desk.declaration.organisation
    return post(letter, keyring=desk.keyring, organisation=organisation, now=now, sender=told.mail_from or None)


def not_told() -> QuerySet[CaseEvent]:
    """What shows of cases that nobody was written how they ended: no message was mailed, or nobody showed who asks."""
    is_last = Q(what="not_mailed", at=F("case__closed_at"))
    return CaseEvent.objects.filter(is_last | Q(what="closed", facts__why="identity_not_shown"))


def staff_address(case: Case, desk: CaseDeployment, otherwise: str) -> str:
    """Where a message to staff about *case* goes: *otherwise*, and of a confidential case to the officer alone."""
    organisation = desk.declaration.organisation
    if not case.is_confidential:
        return otherwise
    return organisation.officer.email if organisation.officer is not None else organisation.email


def redress(case: Case, desk: CaseDeployment) -> dict[str, Any]:
    """Whom a person may turn to who does not agree: to us first, by the centre."""
    return {"complaint_link": f"{desk.site}/your-data/complain/"} if case.kind != CaseKind.COMPLAINT else {}


def appealing(case: Case, desk: CaseDeployment) -> dict[str, Any]:
    """How to appeal against the answer to *case*, in its language: the laws of several US states want that said, and it
    is open to everybody."""
    if case.kind != CaseKind.REQUEST or case.right == Right.APPEAL:
        return {}
    with translation.override(case.language):
        said = gettext("You may also appeal: on the page of your request, or by answering this letter.")
        if case.residence.startswith("US") or desk.declaration.organisation.country == "US":
            turn = gettext("If your appeal is refused, you may turn to the attorney general of your state.")
            said = f"{said} {turn}"
    return {"appeal": said}


def day(at: dt.datetime, desk: CaseDeployment) -> dt.date:
    """The controller's date of a moment."""
    return at.astimezone(zone_of(desk.declaration.organisation)).date()
