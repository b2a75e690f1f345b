"""API for the company's own e-mails: whether each may be sent now, and the headers by which its reader stops it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import ConfigDict, Field, StringConstraints

from troth.declaration import Basis, Purpose, covers
from troth.errors import TrothError
from troth.service.api.framework import ApiResponse, Body, problem, problems, scoped
from troth.service.core.deployment import Deployment, current
from troth.service.mail.message import Address
from troth.service.mail.stops import tokens
from troth.service.newsletters.duty import MAIL_ASK
from troth.service.newsletters.editions.kind import audience_table
from troth.service.preferences.actions import may_named
from troth.service.preferences.rules import Reason
from troth.subjects import Identity, IdentityRefused, references

router = Router()
MAILS_MAX = 1_000
NOT_AN_ADDRESS = "not_an_address"
"""The reason beside those of `Reason`."""
# As in the API for disclosures: an address that is sent by mistake does not match, and is not repeated.
Name = Annotated[str, StringConstraints(min_length=1, max_length=160, pattern=r"^[a-z][a-z0-9_.-]*$")]


class PlannedMail(Body):
    """An e-mail that is about to be sent to one address."""

    address: str
    purpose: Name
    """The declared purpose that it serves."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"address": "ann@example.org", "purpose": "news"}]})


class MailQuery(Body):
    """The e-mails that are about to be sent."""

    mails: list[PlannedMail] = Field(min_length=1, max_length=MAILS_MAX)

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"mails": [{"address": "ann@example.org", "purpose": "news"}]}]}
    )


class MailAnswer(ApiResponse):
    """Whether one of the e-mails may be sent now."""

    allowed: bool
    reason: str
    """Why, or why not: `given`, `nothing_recorded`; `refused`, `withdrawn`, `objected`, `restricted`, `complained`,
    `undeliverable`, `no_consent`, `not_declared`, `not_an_address`."""
    stop: str
    """The link for the text by which this person stops such e-mails; empty if the e-mail may not be sent, or if its
    purpose is neither a newsletter nor marketing and does not rest on consent."""
    headers: dict[str, str]
    """Headers to add: `List-Unsubscribe`, `List-Unsubscribe-Post` and `List-Id`, where there is a link to stop."""


class MailAnswers(ApiResponse):
    """The answers, in the order of the e-mails."""

    mails: list[MailAnswer]


@router.post("/mail/ask", response={200: MailAnswers, **problems()}, summary="May these e-mails be sent?")
@scoped(MAIL_ASK)
def ask_mail(request: HttpRequest, asked: MailQuery) -> Any:
    """Check up to 1,000 e-mails right before they are sent. A stop that comes later counts from the next call. What
    the law has you send, such as the answer to a request, needs no call."""
    try:
        decided = decisions([(mail.address, mail.purpose) for mail in asked.mails], current().without_own)
    except TrothError:  # its text may name a store
        return problem(503, "This cannot be decided now", "See troth check. Do not send these e-mails.")
    return Status(200, MailAnswers(mails=decided))


def decisions(mails: Sequence[tuple[str, str]], deployment: Deployment) -> list[MailAnswer]:
    """A decision for each address and purpose: the same as for an edition of the purpose's newsletter. Raises the
    errors of the company's store."""
    named = _fingerprints({address for address, _ in mails}, deployment)
    by_purpose = defaultdict[str, dict[str, str]](dict)
    for address, purpose in mails:
        if address in named:
            by_purpose[purpose][named[address]] = address
    decided = {
        (name, purpose): decision
        for purpose, people in by_purpose.items()
        for name, decision in _of_purpose(purpose, people, deployment).items()
    }
    nobody = _refused(NOT_AN_ADDRESS)
    return [decided.get((named.get(address, ""), purpose), nobody) for address, purpose in mails]


def _of_purpose(purpose: str, people: Mapping[str, str], deployment: Deployment) -> dict[str, MailAnswer]:
    """Decisions by fingerprint; *people* are addresses by fingerprint."""
    declared = deployment.declaration.purposes.get(purpose)
    if declared is None:
        return dict.fromkeys(people, _refused(Reason.NOT_DECLARED))
    permissions = dict(zip(people, may_named(list(people), purpose, deployment), strict=True))
    without = {name: people[name] for name, it in permissions.items() if it.reason == Reason.NO_CONSENT}
    consented = _consented(purpose, without, deployment) if without else set()
    allowed = _answers(purpose, declared, deployment)
    return {
        name: allowed(name, Reason.GIVEN if name in consented else permission.reason)
        if permission.allowed or name in consented
        else _refused(permission.reason)
        for name, permission in permissions.items()
    }


def _refused(reason: str) -> MailAnswer:
    return MailAnswer(allowed=False, reason=str(reason), stop="", headers={})


def _fingerprints(addresses: Collection[str], deployment: Deployment) -> dict[str, str]:
    """The fingerprint of each of *addresses* that is one."""
    people = dict[str, Identity]()
    for address in addresses:
        with suppress(IdentityRefused):
            people[address] = Identity.of(email=address)
    return dict(zip(people, map(str, references(list(people.values()), deployment.keyring)), strict=True))


def _consented(purpose: str, people: Mapping[str, str], deployment: Deployment) -> set[str]:
    """Those of *people* whose consent the company itself recorded (`NewsletterAudience.consent`)."""
    for newsletter in deployment.declaration.newsletters.values():
        if newsletter.purpose == purpose and newsletter.audience.consent is not None:
            with audience_table(newsletter, deployment) as table:
                return table.consented(people.values()) & people.keys()
    return set()


def _answers(purpose: str, declared: Purpose, deployment: Deployment) -> Callable[[str, str], MailAnswer]:
    """The function that allows a mail by fingerprint and reason, with the link of the purpose's newsletter, or if it
    has none, with one of its own."""
    organisation, newsletters = deployment.declaration.organisation, deployment.declaration.newsletters
    name = next((name for name, newsletter in newsletters.items() if newsletter.purpose == purpose), "")
    sender = Address.read((newsletters[name].sender if name else None) or organisation.email)
    is_stoppable = bool(name) or declared.basis is Basis.CONSENT or covers("marketing", declared.use)

    def allowed(fingerprint: str, reason: str) -> MailAnswer:
        if not is_stoppable:
            return MailAnswer(allowed=True, reason=str(reason), stop="", headers={})
        token = tokens.make(name or f"purpose:{purpose}", fingerprint, deployment.keyring)
        link, mailto = tokens.stop_addresses(token, deployment.site, organisation.email)
        headers = {**tokens.stop_headers(link, mailto), "List-Id": f"<{name or purpose}.{sender.domain}>"}
        return MailAnswer(allowed=True, reason=str(reason), stop=link, headers=headers)

    return allowed
