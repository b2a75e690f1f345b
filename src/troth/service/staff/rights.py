"""What a member of staff may be allowed, and the roles that are names for several of it."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _


class StaffRight(enum.StrEnum):
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
    {
        StaffRight.CASES_HANDLE,
        StaffRight.CASES_APPROVE,
        StaffRight.PERSONAL_SEE,
        StaffRight.OFFICER,
        StaffRight.DISCLOSURES_SEE,
    }
)


class StaffRole(enum.StrEnum):
    """A named bundle of rights. The officer and the deputy may do the same."""

    HANDLER = "handler"
    APPROVER = "approver"
    OFFICER = "officer"
    DEPUTY = "deputy"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


_OFFICE = (
    StaffRight.OFFICER,
    StaffRight.CASES_HANDLE,
    StaffRight.PERSONAL_SEE,
    StaffRight.HOLDS_MANAGE,
    StaffRight.DISCLOSURES_SEE,
    StaffRight.EVIDENCE_READ,
)

ROLES: Mapping[StaffRole, tuple[StaffRight, ...]] = MappingProxyType(
    {
        StaffRole.HANDLER: (StaffRight.CASES_HANDLE, StaffRight.PERSONAL_SEE),
        StaffRole.APPROVER: (StaffRight.CASES_APPROVE, StaffRight.PERSONAL_SEE),
        StaffRole.OFFICER: _OFFICE,
        StaffRole.DEPUTY: _OFFICE,
        StaffRole.AUDITOR: (StaffRight.EVIDENCE_READ,),
        StaffRole.ADMINISTRATOR: (StaffRight.STAFF_MANAGE, StaffRight.API_MANAGE),
    }
)

CONFLICTS: tuple[frozenset[StaffRight], ...] = (
    # GDPR Art. 38(6): whoever decides how the system is run, and by whom, does not watch over that as its officer.
    frozenset({StaffRight.OFFICER, StaffRight.STAFF_MANAGE}),
    frozenset({StaffRight.OFFICER, StaffRight.API_MANAGE}),
)
"""Rights that nobody holds together."""


def conflicts(held: Collection[StaffRight]) -> frozenset[StaffRight]:
    """Those of *held* that do not go together; empty where all do."""
    return frozenset().union(*(pair for pair in CONFLICTS if pair <= set(held)))


_RIGHT_TITLES = {
    StaffRight.CASES_HANDLE: _("Handle requests, complaints and questions"),
    StaffRight.CASES_APPROVE: _("Approve what was planned by somebody else"),
    StaffRight.PERSONAL_SEE: _("See personal data, and search for a person"),
    StaffRight.STAFF_MANAGE: _("Invite staff, give and end grants"),
    StaffRight.OFFICER: _("Act as data-protection officer"),
    StaffRight.HOLDS_MANAGE: _("Place and release legal holds"),
    StaffRight.DISCLOSURES_SEE: _("See what was disclosed to whom"),
    StaffRight.EVIDENCE_READ: _("Read evidence and the record of checks"),
    StaffRight.API_MANAGE: _("Give out and end API tokens"),
}
_ROLE_TITLES = {
    StaffRole.HANDLER: _("Handler"),
    StaffRole.APPROVER: _("Approver"),
    StaffRole.OFFICER: _("Data-protection officer"),
    StaffRole.DEPUTY: _("Deputy officer"),
    StaffRole.AUDITOR: _("Auditor"),
    StaffRole.ADMINISTRATOR: _("Administrator"),
}


def right_title(right: str) -> str:
    """A right in words, in the language of whoever reads."""
    return str(_RIGHT_TITLES[StaffRight(right)]) if right in _RIGHT_TITLES else right


def role_title(role: str) -> str:
    """A role in words; a right that was given by itself is told by its own words."""
    return str(_ROLE_TITLES[StaffRole(role)]) if role in _ROLE_TITLES else right_title(role)
