"""Whom a proof of identity shows, and who answers for it.

A link shows who reads letters at one address. It shows nothing of a telephone number, of an account, of another address
by which a request names somebody as well: that takes whoever brought the request and has made sure of it, or a handler.
"""

from __future__ import annotations

from troth.declaration import IdentityKind
from troth.service.requests.content import CaseContent
from troth.service.requests.models import Case

_ANSWERED_FROM = {"staff": 1}
"""Staff answer for what they note. An application has compared details or signed somebody in, and so it has for whoever
comes to the centre with as much."""


def answers_for_names(actor: str, tier: int) -> bool:
    """Whether who brought a request with a proof of *tier* has made sure that all of its names are the person's."""
    return tier >= _ANSWERED_FROM.get(actor, 2)


def goes_astray(content: CaseContent) -> bool:
    """Whether letters go to none of the e-mail addresses that name the person."""
    named = [_plain(value) for kind, value in content.identifiers if kind == IdentityKind.EMAIL]
    return bool(named and content.address) and _plain(content.address) not in named


def link_shows(content: CaseContent) -> bool:
    """Whether all that names the person is the address that a link goes to."""
    mine = (IdentityKind.EMAIL, _plain(content.address))
    return all((kind, _plain(value)) == mine for kind, value in content.identifiers)


def tier_at_intake(case: Case) -> int:
    """The proof of identity that came with *case*; what was proved since does not count."""
    facts = case.events.filter(what="received").values_list("facts", flat=True).first()
    return int((facts or {}).get("tier", 0))


def _plain(value: str) -> str:
    return value.strip().lower()
