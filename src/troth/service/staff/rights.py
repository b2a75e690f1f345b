"""Rights of staff, and roles, which bundle rights."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _


class StaffRight(enum.StrEnum):
    """A right that a grant gives."""

    CASES_HANDLE = "cases.handle"
    CASES_APPROVE = "cases.approve"
    PERSONAL_SEE = "personal.see"
    STAFF_MANAGE = "staff.manage"
    OFFICER = "officer"
    HOLDS_MANAGE = "holds.manage"
    DISCLOSURES_SEE = "disclosures.see"
    EVIDENCE_READ = "evidence.read"
    API_MANAGE = "api.manage"
    PROMISES_APPROVE = "promises.approve"

    @property
    def shows_personal(self) -> bool:
        """True if its holder can see personal data, and so counts towards the declared ceiling."""
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
    """A named bundle of rights. Officer and deputy have the same rights."""

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
    StaffRight.PROMISES_APPROVE,
)

ROLES: Mapping[StaffRole, tuple[StaffRight, ...]] = MappingProxyType(
    {
        StaffRole.HANDLER: (StaffRight.CASES_HANDLE, StaffRight.PERSONAL_SEE),
        StaffRole.APPROVER: (StaffRight.CASES_APPROVE, StaffRight.PERSONAL_SEE, StaffRight.PROMISES_APPROVE),
        StaffRole.OFFICER: _OFFICE,
        StaffRole.DEPUTY: _OFFICE,
        StaffRole.AUDITOR: (StaffRight.EVIDENCE_READ,),
        StaffRole.ADMINISTRATOR: (StaffRight.STAFF_MANAGE, StaffRight.API_MANAGE),
    }
)

CONFLICTS: tuple[frozenset[StaffRight], ...] = (
    # GDPR Art. 38(6): those who decide how and by whom the system is run must not oversee it as its officer.
    frozenset({StaffRight.OFFICER, StaffRight.STAFF_MANAGE}),
    frozenset({StaffRight.OFFICER, StaffRight.API_MANAGE}),
)
"""Rights that nobody may hold together."""


def conflicts(held: Collection[StaffRight]) -> frozenset[StaffRight]:
    """Conflicting rights among *held*; empty if there are none."""
    return frozenset().union(*(pair for pair in CONFLICTS if pair <= set(held)))


_RIGHT_TITLES = {
    StaffRight.CASES_HANDLE: _("Handle requests, complaints and questions"),
    StaffRight.CASES_APPROVE: _("Approve plans of other people"),
    StaffRight.PERSONAL_SEE: _("See personal data, and search for a person"),
    StaffRight.STAFF_MANAGE: _("Invite staff, give and end grants"),
    StaffRight.OFFICER: _("Act as data-protection officer"),
    StaffRight.HOLDS_MANAGE: _("Place and release legal holds"),
    StaffRight.DISCLOSURES_SEE: _("See what was disclosed to whom"),
    StaffRight.EVIDENCE_READ: _("Read evidence and the record of checks"),
    StaffRight.API_MANAGE: _("Make and end API tokens"),
    StaffRight.PROMISES_APPROVE: _("Approve waivers and attestations of other people"),
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
    """Title of a right in the reader's language."""
    return str(_RIGHT_TITLES[StaffRight(right)]) if right in _RIGHT_TITLES else right


def role_title(role: str) -> str:
    """Title of a role, or of a right that was given by itself."""
    return str(_ROLE_TITLES[StaffRole(role)]) if role in _ROLE_TITLES else right_title(role)
