"""Which identifiers a proof of identity covers, and who vouches for the others.

A link proves who reads the e-mails of one address. It proves nothing about a phone number, an account or another
address in the same request: for these, the submitter must have verified them, or a handler must.
"""

from __future__ import annotations

from troth.declaration import IdentityKind
from troth.service.cases.content import CaseContent
from troth.service.cases.models import Case

_ANSWERED_FROM = {"staff": 1}
"""Minimum tier at which an actor vouches for all identifiers; the default is 2. Staff vouch for what they record. At
tier 2 an application has compared details or signed the person in, also for people it hands over to the centre."""


def answers_for_names(actor: str, tier: int) -> bool:
    """True if the submitter of a request with a proof of *tier* has verified all its identifiers."""
    return tier >= _ANSWERED_FROM.get(actor, 2)


def goes_astray(content: CaseContent) -> bool:
    """True if e-mails go to none of the e-mail addresses that identify the person."""
    named = [_plain(value) for kind, value in content.identifiers if kind == IdentityKind.EMAIL]
    return bool(named and content.address) and _plain(content.address) not in named


def link_shows(content: CaseContent) -> bool:
    """True if the only identifier of the person is the address to which links are sent."""
    mine = (IdentityKind.EMAIL, _plain(content.address))
    return all((kind, _plain(value)) == mine for kind, value in content.identifiers)


def tier_at_intake(case: Case) -> int:
    """The tier of identity proof at the intake of *case*; later proofs do not count."""
    facts = case.events.filter(what="received").values_list("facts", flat=True).first()
    return int((facts or {}).get("tier", 0))


def _plain(value: str) -> str:
    return value.strip().lower()
