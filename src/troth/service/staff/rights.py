"""Rights of staff, and roles, which bundle rights."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from typing import ClassVar

from troth.service.duty import listed
from troth.service.duty import marked as _


class StaffRight(str):
    """A right that a grant gives, by its name: a duty registers its own. *personal* if its holder can see personal
    data, and so counts towards the declared ceiling; *roles* have it; nobody may hold it together with *not_with*."""

    CASES_HANDLE: ClassVar[StaffRight]
    CASES_APPROVE: ClassVar[StaffRight]
    PERSONAL_SEE: ClassVar[StaffRight]
    STAFF_MANAGE: ClassVar[StaffRight]
    OFFICER: ClassVar[StaffRight]
    HOLDS_MANAGE: ClassVar[StaffRight]

    def __new__(
        cls,
        name: str,
        title: str,
        *,
        personal: bool = False,
        roles: Sequence[str] = (),
        not_with: Sequence[StaffRight] = (),
    ) -> StaffRight:
        right = super().__new__(cls, name)
        right.label, right.shows_personal, right.roles, right.not_with = title, personal, tuple(roles), tuple(not_with)
        return right

    label: str
    shows_personal: bool
    roles: tuple[str, ...]
    not_with: tuple[StaffRight, ...]


_BOTH = ("officer", "deputy")
StaffRight.CASES_HANDLE = StaffRight(
    "cases.handle", _("Handle requests, complaints and questions"), personal=True, roles=("handler", *_BOTH)
)
StaffRight.CASES_APPROVE = StaffRight(
    "cases.approve", _("Approve plans of other people"), personal=True, roles=("approver",)
)
StaffRight.PERSONAL_SEE = StaffRight(
    "personal.see",
    _("See personal data, and search for a person"),
    personal=True,
    roles=("handler", "approver", *_BOTH),
)
StaffRight.OFFICER = StaffRight("officer", _("Act as data-protection officer"), personal=True, roles=_BOTH)
# GDPR Art. 38(6): those who decide how and by whom the system is run must not oversee it as its officer.
StaffRight.STAFF_MANAGE = StaffRight(
    "staff.manage", _("Invite staff, give and end grants"), roles=("administrator",), not_with=(StaffRight.OFFICER,)
)
StaffRight.HOLDS_MANAGE = StaffRight("holds.manage", _("Place and release legal holds"), roles=_BOTH)


class StaffRole(enum.StrEnum):
    """A named bundle of rights. Officer and deputy have the same rights."""

    HANDLER = "handler"
    APPROVER = "approver"
    OFFICER = "officer"
    DEPUTY = "deputy"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


_ROLE_TITLES = {
    StaffRole.HANDLER: _("Handler"),
    StaffRole.APPROVER: _("Approver"),
    StaffRole.OFFICER: _("Data-protection officer"),
    StaffRole.DEPUTY: _("Deputy officer"),
    StaffRole.AUDITOR: _("Auditor"),
    StaffRole.ADMINISTRATOR: _("Administrator"),
}


def rights() -> Sequence[StaffRight]:
    """Every right of every duty."""
    return listed("rights")


def right_named(name: str) -> StaffRight:
    """The right of that name. Raises ``ValueError``."""
    for right in rights():
        if right == name:
            return right
    raise ValueError(f"{name!r} is not a right")


def rights_of_role(role: StaffRole) -> tuple[StaffRight, ...]:
    """The rights that a role bundles."""
    return tuple(right for right in rights() if role in right.roles)


def conflicts(held: Collection[str]) -> frozenset[StaffRight]:
    """Conflicting rights among *held*; empty if there are none."""
    pairs = [(right, other) for right in rights() for other in right.not_with]
    return frozenset(right for pair in pairs if set(pair) <= set(held) for right in pair)


def right_title(right: str) -> str:
    """Title of a right in the reader's language."""
    from django.utils.translation import gettext

    return next((gettext(known.label) for known in rights() if known == right), right)


def role_title(role: str) -> str:
    """Title of a role, or of a right that was given by itself."""
    from django.utils.translation import gettext

    return gettext(_ROLE_TITLES[StaffRole(role)]) if role in _ROLE_TITLES else right_title(role)
