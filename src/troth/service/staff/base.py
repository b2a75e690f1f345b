"""Console pages: navigation entries for those who may open them.

A duty with staff pages adds a line to `PAGES`, in the order of the navigation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from troth.service.staff.effective_rights import EffectiveRights
from troth.service.staff.rights import StaffRight


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """A console page: URL name, title, and rights that open it (any of them; none: everyone)."""

    name: str
    title: str | Promise
    rights: tuple[StaffRight, ...] = ()
    about: str | Promise = ""

    @property
    def href(self) -> str:
        """URL of the page. Raises `NoReverseMatch` if it does not exist."""
        return reverse(self.name)


PAGES: tuple[ConsolePage, ...] = (
    ConsolePage("console", _("Console")),
    ConsolePage(
        "cases",
        _("Requests"),
        (StaffRight.CASES_HANDLE, StaffRight.CASES_APPROVE),
        _("Requests, complaints and questions."),
    ),
    ConsolePage("search", _("Search"), (StaffRight.PERSONAL_SEE,), _("Find a person, for a declared purpose.")),
    ConsolePage("tasks", _("Tasks"), (StaffRight.CASES_HANDLE,), _("Work that people do by hand.")),
    ConsolePage("holds", _("Holds"), (StaffRight.HOLDS_MANAGE,), _("What must not be deleted.")),
    ConsolePage("disclosures", _("Disclosures"), (StaffRight.DISCLOSURES_SEE,), _("What went to whom.")),
    ConsolePage(
        "controls",
        _("Controls"),
        (StaffRight.EVIDENCE_READ, StaffRight.CASES_HANDLE),
        _("Failing controls, and attestations to renew."),
    ),
    ConsolePage(
        "statements",
        _("Approvals"),
        (StaffRight.PROMISES_APPROVE,),
        _("Waivers and attestations that wait for a second person."),
    ),
    ConsolePage(
        "processing",
        _("Processing"),
        (StaffRight.EVIDENCE_READ,),
        _("Data flows, the record of processing and the evidence."),
    ),
    ConsolePage(
        "work", _("Work queue"), (StaffRight.CASES_HANDLE, StaffRight.EVIDENCE_READ), _("Whether everything runs.")
    ),
    ConsolePage("officer", _("In confidence"), (StaffRight.OFFICER,), _("Messages to the data-protection officer.")),
    ConsolePage(
        "staff", _("Staff"), (StaffRight.STAFF_MANAGE, StaffRight.OFFICER), _("Who works here, and what each may do.")
    ),
    ConsolePage(
        "review", _("Access review"), (StaffRight.STAFF_MANAGE,), _("Say of each grant whether it is still needed.")
    ),
    ConsolePage("tokens", _("API tokens"), (StaffRight.API_MANAGE,), _("Programs with access to the API.")),
)


def pages_for(standing: EffectiveRights) -> Iterator[ConsolePage]:
    """Existing pages that somebody with this *standing* may open."""
    for page in PAGES:
        if page.rights and not any(standing.may(right) for right in page.rights):
            continue
        try:
            page.href  # noqa: B018 - whether there is such an address
        except NoReverseMatch:
            continue
        yield page
