"""What a member of staff may be allowed, and the roles that are names for several of it."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _


class Right(enum.StrEnum):
    """One thing that a grant allows."""

    CASES_HANDLE = "cases.handle"
    CASES_APPROVE = "cases.approve"
    PERSONAL_SEE = "personal.see"
    STAFF_MANAGE = "staff.manage"
    OFFICER = "officer"
    HOLDS_MANAGE = "holds.manage"
    DISCLOSURES_SEE = "disclosures.see"
    EVIDENCE_READ = "evidence.read"
    API_MANAGE = "api.manage"

    @property
    def shows_personal(self) -> bool:
        """Whether it lets its holder see personal data, and so counts towards the declared ceiling."""
        return self in _PERSONAL


_PERSONAL = frozenset(
    {Right.CASES_HANDLE, Right.CASES_APPROVE, Right.PERSONAL_SEE, Right.OFFICER, Right.DISCLOSURES_SEE}
)


class Role(enum.StrEnum):
    """A named bundle of rights. The officer and the deputy may do the same."""

    HANDLER = "handler"
    APPROVER = "approver"
    OFFICER = "officer"
    DEPUTY = "deputy"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


_OFFICE = (
    Right.OFFICER,
    Right.CASES_HANDLE,
    Right.PERSONAL_SEE,
    Right.HOLDS_MANAGE,
    Right.DISCLOSURES_SEE,
    Right.EVIDENCE_READ,
)

ROLES: Mapping[Role, tuple[Right, ...]] = MappingProxyType(
    {
        Role.HANDLER: (Right.CASES_HANDLE, Right.PERSONAL_SEE),
        Role.APPROVER: (Right.CASES_APPROVE, Right.PERSONAL_SEE),
        Role.OFFICER: _OFFICE,
        Role.DEPUTY: _OFFICE,
        Role.AUDITOR: (Right.EVIDENCE_READ,),
        Role.ADMINISTRATOR: (Right.STAFF_MANAGE, Right.API_MANAGE),
    }
)

CONFLICTS: tuple[frozenset[Right], ...] = (
    # GDPR Art. 38(6): whoever decides how the system is run, and by whom, does not watch over that as its officer.
    frozenset({Right.OFFICER, Right.STAFF_MANAGE}),
    frozenset({Right.OFFICER, Right.API_MANAGE}),
)
"""Rights that nobody holds together."""


def conflicts(held: Collection[Right]) -> frozenset[Right]:
    """Those of *held* that do not go together; empty where all do."""
    return frozenset().union(*(pair for pair in CONFLICTS if pair <= set(held)))


_RIGHT_TITLES = {
    Right.CASES_HANDLE: _("Handle requests, complaints and questions"),
    Right.CASES_APPROVE: _("Approve what was planned by somebody else"),
    Right.PERSONAL_SEE: _("See personal data, and search for a person"),
    Right.STAFF_MANAGE: _("Invite staff, give and end grants"),
    Right.OFFICER: _("Act as data-protection officer"),
    Right.HOLDS_MANAGE: _("Place and release legal holds"),
    Right.DISCLOSURES_SEE: _("See what was disclosed to whom"),
    Right.EVIDENCE_READ: _("Read evidence and the record of checks"),
    Right.API_MANAGE: _("Give out and end API tokens"),
}
_ROLE_TITLES = {
    Role.HANDLER: _("Handler"),
    Role.APPROVER: _("Approver"),
    Role.OFFICER: _("Data-protection officer"),
    Role.DEPUTY: _("Deputy officer"),
    Role.AUDITOR: _("Auditor"),
    Role.ADMINISTRATOR: _("Administrator"),
}


def right_title(right: str) -> str:
    """A right in words, in the language of whoever reads."""
    return str(_RIGHT_TITLES[Right(right)]) if right in _RIGHT_TITLES else right


def role_title(role: str) -> str:
    """A role in words; a right that was given by itself is told by its own words."""
    return str(_ROLE_TITLES[Role(role)]) if role in _ROLE_TITLES else right_title(role)
